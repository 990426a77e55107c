// openai: any server with OpenAI's /v1/completions behind the Engine interface: SGLang, llama-server, a remote one. What all of them have
// and no more: a prompt, a stream, a closed connection to stop it. No priority, no salt, no KV events: the agent's own slots keep
// the lanes' order, and a pool of several tenants should not be served from one (docs/operations/engines.md).
import type { Clock } from "../../../lib/clock.ts";
import { SlipstreamError } from "../../../lib/errors.ts";
import { families, recognise } from "../../../lib/fim/families.ts";
import type { Log } from "../../../lib/log.ts";
import {
  type Acceptance,
  type EngineLoad,
  type Finished,
  type Generation,
  type Model,
  noUsage,
  type Piece,
  type Segment,
} from "../../generation.ts";
import { CompletionStream } from "../completion-stream.ts";
import type { Capability, Engine } from "../engine.ts";
import { FileTokenizer } from "../file-tokenizer.ts";
import { findFimTokens } from "../fim-tokens.ts";
import { HttpEngine } from "../http.ts";
import { Meter } from "../meter.ts";
import type { Owned } from "../own-process.ts";
import { untilReady } from "../ready.ts";
import { type Aborted, refusal } from "../running.ts";
import { sampleCode } from "../sample-code.ts";
import { Serving } from "../serving.ts";
import { encodeUnhealed, roomFor } from "../unhealed.ts";
import { warmUp } from "../warm-up.ts";
import type { WatchDeps, WatchOptions } from "../watch.ts";
import { type ProbedServer, probeServer } from "./probe.ts";

export interface OpenAiOptions extends Partial<WatchOptions> {
  readonly url: string;
  readonly key?: string;
  /** Model that it must serve; "": the first. */
  readonly model: string;
  readonly slots: number;
  /** Folder or file of the model's tokenizer; "": prompts go as text. */
  readonly tokenizer: string;
  readonly startMs: number;
  /** Of a server that does not say it. */
  readonly contextTokens?: number;
  /** Absent: as many as it takes. */
  readonly warmUpRequests?: number;
}

export interface OpenAiDeps extends Owned {
  readonly clock: Clock;
  readonly log?: Log;
  readonly aborted?: (how: Aborted) => void;
  readonly signal?: AbortSignal;
}

interface Parts {
  readonly http: HttpEngine;
  readonly probed: ProbedServer;
  readonly model: Model;
  readonly tokenizer: FileTokenizer | undefined;
}

/** Of code, where no vocabulary is at hand. */
const bytesPerTokenGuess = 3.3;
const contextGuess = 4_096;
const watchDefaults: WatchOptions = { busyMs: 1_000, idleMs: 5_000, hungMs: 10_000 };

export class OpenAiEngine implements Engine {
  readonly name = "openai";
  readonly models: readonly Model[];
  readonly capabilities: readonly Capability[] = [];
  readonly slots: number;
  readonly blockTokens = 1;
  readonly died: Promise<Error>;
  readonly #deps: OpenAiDeps;
  readonly #parts: Parts;
  readonly #meter: Meter;
  readonly #serving: Serving<Buffer>;

  private constructor(parts: Parts, options: OpenAiOptions, deps: OpenAiDeps) {
    this.#parts = parts;
    this.#deps = deps;
    this.models = [parts.model];
    this.slots = options.slots;
    this.#meter = new Meter(deps);
    const { http } = parts;
    const ask: WatchDeps["ask"] = async (how) => void (await http.ask("/v1/models", undefined, how));
    this.#serving = new Serving(
      { ...watchDefaults, ...options },
      { ...deps, wire: http, answering: () => new CompletionStream(), meter: this.#meter, ask },
    );
    this.died = this.#serving.died;
  }

  static async start(options: OpenAiOptions, deps: OpenAiDeps): Promise<OpenAiEngine> {
    const engine = new OpenAiEngine(await connect(options, deps), options, deps);
    try {
      await warmUp(engine, { withinMs: options.startMs, requests: options.warmUpRequests }, deps);
    } catch (thrown) {
      await engine.close();
      throw thrown;
    }
    engine.#serving.watch();
    return engine;
  }

  async *generate(work: Generation, signal: AbortSignal): AsyncGenerator<Piece, Finished> {
    const receivedMs = this.#deps.clock.now();
    let asked: { prompt: string | readonly number[]; promptTokens: number; maxTokens: number };
    try {
      this.#serving.check();
      asked = this.#prompt(work.segments, work.sampling.maxTokens);
    } catch (thrown) {
      return { kind: "failed", error: SlipstreamError.from(thrown), usage: noUsage() };
    }
    const { prompt, promptTokens, maxTokens } = asked;
    return yield* this.#serving.generate(
      {
        path: "/v1/completions",
        body: body(work, prompt, maxTokens, this.#parts.probed.usage),
        traceparent: work.traceparent,
        promptTokens,
        expectedCached: undefined,
        maxTokens,
        receivedMs,
      },
      signal,
    );
  }

  async warm(model: string, segments: readonly Segment[], signal: AbortSignal): Promise<void> {
    const { prompt } = this.#prompt(segments, 1);
    const asked = { model, prompt, max_tokens: 1, temperature: 0 };
    const answer = await this.#parts.http.ask("/v1/completions", asked, { signal, timeoutMs: 60_000 });
    if (answer.status !== 200) throw refusal(answer);
  }

  load(): EngineLoad {
    const { prefillTokensPerSecond, stepMs, prefillBacklogTokens } = this.#meter;
    return { running: this.#serving.running, kvBlocksUsed: 0, kvBlocks: 0, prefillTokensPerSecond, stepMs, prefillBacklogTokens };
  }

  acceptance(): Acceptance {
    return { drafted: 0, accepted: 0, perPosition: [] };
  }

  /** It does not tell what it holds. */
  onKv(): void {}

  close(): Promise<void> {
    return this.#serving.close();
  }

  /** By token where both sides can, so that a boundary stays where it is; else as one text, whose special tokens the server finds. */
  #prompt(
    segments: readonly Segment[],
    maxTokens: number,
  ): { prompt: string | readonly number[]; promptTokens: number; maxTokens: number } {
    const { tokenizer, model, probed } = this.#parts;
    if (tokenizer && probed.tokenIds) {
      const { tokens, maxTokens: most } = encodeUnhealed(segments, maxTokens, model, tokenizer);
      return { prompt: tokens, promptTokens: tokens.length, maxTokens: most };
    }
    const prompt = segments.map((part) => ("text" in part ? part.text : part.special)).join("");
    const promptTokens = Math.ceil(Buffer.byteLength(prompt) / model.bytesPerToken);
    return { prompt, promptTokens, maxTokens: roomFor(maxTokens, model, promptTokens) };
  }
}

/** Fields that every such server knows. */
function body(work: Generation, prompt: string | readonly number[], maxTokens: number, usage: boolean): object {
  const { temperature, topP, seed } = work.sampling;
  // They leave the stop string out of their text, as the agent would. More than four are not taken everywhere.
  const stop = [...(work.stopAtNewline ? ["\n"] : []), ...work.sampling.stop].slice(0, 4);
  return {
    ...{ model: work.model, prompt, max_tokens: maxTokens, temperature, stream: true },
    ...(topP < 1 && { top_p: topP }),
    ...(seed !== undefined && { seed }),
    ...(stop.length > 0 && { stop }),
    ...(usage && { stream_options: { include_usage: true } }),
  };
}

async function connect(options: OpenAiOptions, deps: OpenAiDeps): Promise<Parts> {
  const { url, key = "", slots, startMs, tokenizer: path, model: wanted } = options;
  const http = new HttpEngine({ url, key, connectionsMax: 2 * slots + 8 }, deps);
  const signal = deps.signal ?? new AbortController().signal;
  try {
    await untilReady({ startMs }, { ...deps, http });
    const probed = await probeServer(http, wanted, signal);
    const tokenizer = path === "" ? undefined : await FileTokenizer.open(path);
    const served = probed.models.find(({ id }) => wanted === "" || id === wanted) ?? { id: wanted, contextTokens: undefined };
    const { kind, version, tokenIds, usage } = probed;
    deps.log?.info({ kind, version, model: served.id, tokenIds, usage }, "the engine answers");
    return { http, probed, model: modelOf(served, options, tokenizer, probed.root), tokenizer };
  } catch (thrown) {
    http.close();
    throw thrown;
  }
}

function modelOf(
  served: ProbedServer["models"][number],
  { contextTokens }: OpenAiOptions,
  tokenizer: FileTokenizer | undefined,
  root: string,
): Model {
  const names = [served.id, root.split("/").at(-1) ?? ""];
  const known = tokenizer
    ? findFimTokens({}, { textOf: () => "", isSpecialToken: (text) => tokenizer.specialToken(text) !== undefined }, { names })
    : byName(names);
  const none = { prefix: "", suffix: "", middle: "", fileSeparator: "", repository: "" };
  const { length = 0 } = tokenizer?.encodeText(sampleCode) ?? [];
  return {
    name: served.id,
    fimFamily: known?.family ?? "",
    fim: known?.fim ?? none,
    specials: known?.specials ?? [],
    contextTokens: served.contextTokens ?? contextTokens ?? contextGuess,
    bytesPerToken: length === 0 ? bytesPerTokenGuess : Buffer.byteLength(sampleCode) / length,
    chatTemplate: false,
  };
}

/** Without a vocabulary only its name tells how a model wants to be asked. */
function byName(names: readonly string[]): ReturnType<typeof findFimTokens> {
  const family = recognise({ names });
  if (!family) return undefined;
  const spelled = new Set(
    families.flatMap((each) =>
      each === family ? [...Object.values(each.tokens), ...each.ends, each.begin ?? "", ...(each.specials ?? [])] : [],
    ),
  );
  return findFimTokens({}, { textOf: () => "", isSpecialToken: (text) => spelled.has(text) }, { names });
}
