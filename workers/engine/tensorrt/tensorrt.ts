// tensorrt: a running trtllm-serve behind the Engine interface, over its HTTP server. What it is and can do is probed at the start, and
// what is missing is said. It is told to stop by a closed connection, which it looks for once a second; its gRPC is faster (grpc/).
// Here are hidden: the sign of its priority, tenants that only its chat page knows, figures and events that are gone when read, and
// errors whose status says nothing.
import { SlipstreamError } from "../../../lib/errors.ts";
import { AcceptanceWindow } from "../acceptance-window.ts";
import { CompletionStream } from "../completion-stream.ts";
import { FileTokenizer } from "../file-tokenizer.ts";
import { HttpEngine } from "../http.ts";
import { untilReady } from "../ready.ts";
import { ServedEngine, type Speaking } from "../served.ts";
import { describeModels } from "../served-models.ts";
import { warmed } from "../served-start.ts";
import { tryAdapters } from "./adapters.ts";
import { adviceFor } from "./advice.ts";
import { completionOf } from "./chat-shape.ts";
import { contextOf } from "./context.ts";
import { type Counters, Iterations, readExposition, type Speculated } from "./counters.ts";
import { hinting, oneTenantOf } from "./hints/hints.ts";
import { PolledKvFeed } from "./kv-feed.ts";
import { blockTokensUsual, type TensorRtDeps, type TensorRtOptions } from "./options.ts";
import { Origins } from "./origins.ts";
import { Polled } from "./polled.ts";
import { type Probed, probe } from "./probe.ts";
import { refused } from "./refused.ts";
import { body, type Features } from "./request.ts";

export interface TensorRtHttpOptions extends TensorRtOptions {
  readonly key?: string;
  /** Adapters to serve besides, by name: where each lies for the engine. */
  readonly adapters?: Readonly<Record<string, string>>;
  /** False: its KV events are not read: somebody else is their one reader. */
  readonly kvEvents?: boolean;
  /** It is told which cached blocks may go, where it takes that; for a pool of one tenant. */
  readonly truncate?: boolean;
  readonly oneTenant?: boolean;
}

/** Figures, which some versions hold back for two seconds. */
const figuresEveryMs = 500;
const figuresTimeoutMs = 30_000;

export async function startTensorRt(options: TensorRtHttpOptions, deps: TensorRtDeps): Promise<ServedEngine<Buffer>> {
  const speaking = await speakTensorRt(options, deps);
  const requests = `slipstream-${deps.random.hex(8)}`;
  return warmed(new ServedEngine(speaking, { ...options, requests, timesQueue: true }, deps), options, deps);
}

/** Waits until the engine answers, then asks what it is and can do. Throws a sentence when it cannot be used. */
export async function speakTensorRt(options: TensorRtHttpOptions, deps: TensorRtDeps): Promise<Speaking<Buffer>> {
  const { url, key = "", slots, startMs, confidence, ignoreEnd = false, adapters = {} } = options;
  const { clock } = deps;
  const one = options.truncate ? oneTenantOf(options.oneTenant ?? false) : undefined;
  const http = new HttpEngine({ url, key, connectionsMax: 2 * slots + 8 }, deps);
  const signal = deps.signal ?? new AbortController().signal;
  try {
    await untilReady({ startMs }, { ...deps, http });
    const probed = await probe(http, { clock, random: deps.random, signal }, { kvEvents: options.kvEvents });
    const tokenizer = await FileTokenizer.openFor(options.tokenizer, "", "a TensorRT-LLM does not tokenise for others");
    await tryAdapters(adapters, probed.model, http, signal);
    const context = await contextOf(options.contextTokens, probed.counters?.contextTokens, options.tokenizer);
    const contextTokens = context.tokens;
    const base = { id: probed.model, root: probed.model, parent: undefined, contextTokens };
    const served = [base, ...Object.keys(adapters).map((id) => ({ ...base, id, parent: probed.model }))];
    const models = await describeModels(served, options.model, tokenizer, signal);
    say(probed, context, options.kvEvents === false, deps);
    const blockTokens = probed.counters?.blockTokens ?? options.blockTokens ?? blockTokensUsual;
    const { model, priority } = probed;
    const hints = one && (await hinting({ model, priority, blockTokens }, { ...deps, http, signal }));
    const salt = hints ? "nowhere" : probed.salt;
    const features: Features = { model, priority, salt, confidence, ignoreEnd, adapters };
    const figures = new Figures(probed, { http, clock });
    const origins = new Origins({ blockTokens });
    const { kvEvents: first } = probed;
    const reads = first !== undefined;
    return {
      ...{ name: "tensorrt", wire: http, models, tokenizer, blockTokens, blocks: probed.counters?.kvBlocks },
      capabilities: [
        "tokenize",
        ...(probed.counters?.speculation ? (["speculation"] as const) : []),
        ...(reads ? (["kv_events"] as const) : []),
        ...(Object.keys(adapters).length > 0 ? (["lora"] as const) : []),
      ],
      feeds: reads ? [(told) => new PolledKvFeed({ blockTokens }, { ...deps, ...told, http, origins, first })] : [],
      answering: () => new CompletionStream(salt === "chat" ? completionOf : undefined),
      request: (work, prompt) => ({ ...body(work, prompt, features), refused }),
      ...(one && hints && { refusal: (work) => one.refusal(work) }),
      tenants: salt !== "nowhere",
      prompted: (prompt) => {
        origins.asked(prompt.tokens, prompt.salt, prompt.adapter);
        return hints?.sent(prompt) ?? (() => {});
      },
      ask: async (how) => {
        const { status } = await http.ask("/health", undefined, how);
        if (status >= 500) throw new SlipstreamError("unavailable", `the engine's /health has status ${status}`);
      },
      kvBlocksUsed: () => figures.counters?.kvBlocksUsed ?? 0,
      acceptance: () => figures.acceptance.value,
      ended: () => {
        figures.close();
        hints?.close();
      },
    };
  } catch (thrown) {
    http.close();
    throw thrown;
  }
}

/** `eventsLeft`: to another reader, so that nothing is known of them. */
function say(
  probed: Probed,
  context: { readonly tokens: number; readonly by: string },
  eventsLeft: boolean,
  { log }: TensorRtDeps,
): void {
  const { version, model, priority, salt, cachedTokens, metrics } = probed;
  const kvEvents = eventsLeft ? "left" : probed.kvEvents;
  const told = { version, model, priority, salt, cachedTokens, metrics, kvEvents: probed.kvEvents !== undefined };
  log?.info({ ...told, contextTokens: context.tokens, contextBy: context.by }, "TensorRT-LLM answers");
  for (const { what, flag } of adviceFor({ ...probed, kvEvents })) log?.warn({ flag }, `TensorRT-LLM: ${what}`);
}

/** Its counters, by the page that has them. */
class Figures {
  counters: Counters | undefined;
  readonly acceptance: AcceptanceWindow;
  readonly #iterations = new Iterations();
  readonly #polled: Polled | undefined;

  constructor(probed: Probed, { http, clock }: { http: Pick<HttpEngine, "ask">; clock: TensorRtDeps["clock"] }) {
    this.counters = probed.counters;
    // What was read at the start is gone there: it is counted from here on.
    const first = probed.metrics === "prometheus" ? probed.counters?.speculation : undefined;
    this.acceptance = new AcceptanceWindow(inOne(first), { clock });
    const { metrics } = probed;
    if (metrics === "none") return;
    this.#polled = new Polled(
      { everyMs: figuresEveryMs, timeoutMs: figuresTimeoutMs },
      {
        clock,
        ask: async (how) => {
          const { status, text } = await http.ask(metrics === "prometheus" ? "/prometheus/metrics" : "/metrics", undefined, how);
          if (status !== 200) throw new Error(`status ${status}`);
          if (metrics === "iterations") this.#iterations.read(text);
          this.#read(metrics === "prometheus" ? readExposition(text) : this.#iterations.counters);
          return false;
        },
      },
    );
  }

  close(): void {
    this.#polled?.close();
  }

  #read(counters: Counters): void {
    this.counters = counters;
    if (counters.speculation) this.acceptance.add(inOne(counters.speculation));
  }
}

/** It does not say at which place of a draft. */
function inOne(speculated: Speculated | undefined): { drafted: readonly number[]; accepted: readonly number[] } {
  return { drafted: [speculated?.drafted ?? 0], accepted: [speculated?.accepted ?? 0] };
}
