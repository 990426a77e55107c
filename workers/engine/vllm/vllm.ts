// vllm: a running vLLM behind the Engine interface, over its HTTP server: what it is asked with and what it tells of itself, as it was probed
// at the start. What all engines of another process share is in served.ts.
import type { Generation, Segment } from "../../generation.ts";
import { CompletionStream } from "../completion-stream.ts";
import { FileTokenizer } from "../file-tokenizer.ts";
import { encode } from "../prompts.ts";
import { type Asked, refusal } from "../running.ts";
import { type AskedPrompt, ServedEngine, type Speaking } from "../served.ts";
import { warmed } from "../served-start.ts";
import type { Spell } from "../token-text.ts";
import { connect, type Parts, type VllmDeps, type VllmOptions } from "./connecting.ts";
import { readCounters } from "./counters.ts";
import { Figures } from "./figures.ts";
import { completionBody, idsAtEngine, tokensBody, warmBody } from "./request.ts";
import { TokensStream } from "./tokens-stream.ts";
import { zmqFeeds } from "./zmq-feeds.ts";

export type { VllmDeps, VllmOptions } from "./connecting.ts";

const blockTokensUsual = 16;

export class VllmEngine extends ServedEngine<Buffer> {
  readonly #parts: Parts;

  private constructor(parts: Parts, options: VllmOptions, deps: VllmDeps) {
    super(speaking(parts, options, deps), { ...options, requests: `slipstream-${deps.random.hex(8)}` }, deps);
    this.#parts = parts;
  }

  /** Waits until the engine answers, then asks what it is. Throws a sentence when it cannot be used. */
  static async start(options: VllmOptions, deps: VllmDeps): Promise<VllmEngine> {
    return warmed(new VllmEngine(await connect(options, deps), options, deps), options, deps);
  }

  /** By one answer that does not stream: nobody reads its text. */
  override async warm(model: string, segments: readonly Segment[], signal: AbortSignal, cacheSalt: string): Promise<void> {
    const { http, probed, tokenizer } = this.#parts;
    const { tokens } = await encode(segments, 1, this.modelOf(model), tokenizer, signal);
    const answer = await http.ask("/v1/completions", warmBody(model, tokens, cacheSalt, probed), { signal, timeoutMs: 60_000 });
    if (answer.status !== 200) throw refusal(answer);
    this.computed(tokens, model, cacheSalt);
  }

  /** Gives its memory away, KV included. */
  async sleep(): Promise<void> {
    await this.#told("/sleep?level=1");
  }

  async wake(): Promise<void> {
    await this.#told("/wake_up");
  }

  async #told(path: string): Promise<void> {
    const answer = await this.#parts.http.ask(path, {}, { timeoutMs: 120_000 });
    if (answer.status !== 200) throw refusal(answer);
  }
}

function speaking(parts: Parts, options: VllmOptions, deps: VllmDeps): Speaking<Buffer> {
  const { http, probed, models, tokenizer } = parts;
  const figures = new Figures(probed.counters, deps);
  const sources = options.kvEvents === false ? [] : probed.kvSources;
  const spell = spellOf(parts, options);
  return {
    ...{ name: "vllm", wire: http, models, tokenizer, tenants: probed.cacheSalt, blocks: probed.counters?.blocks },
    capabilities: [
      "tokenize",
      ...(probed.counters?.speculation ? (["speculation"] as const) : []),
      ...(sources.length > 0 ? (["kv_events"] as const) : []),
      ...(probed.sleeps ? (["sleep"] as const) : []),
      ...(probed.adapters ? (["lora"] as const) : []),
    ],
    blockTokens: probed.counters?.blockTokens ?? blockTokensUsual,
    feeds: zmqFeeds(options.url, sources, deps),
    answering: () => (spell ? new TokensStream(spell) : new CompletionStream()),
    request: (work, prompt) => requestOf(work, prompt, parts, options),
    ask: async (how) => {
      const answer = await http.ask("/metrics", undefined, how);
      if (answer.status === 200) figures.read(readCounters(answer.text));
    },
    kvBlocksUsed: () => figures.kvBlocksUsed,
    acceptance: () => figures.acceptance,
    recommendation: () => figures.recommendation,
  };
}

/** A vocabulary that is asked for piece by piece cannot spell what comes: then it is asked for text. */
function spellOf({ probed, tokenizer }: Parts, { tokensOut }: VllmOptions): Spell | undefined {
  return tokensOut && probed.tokensOnly && tokenizer instanceof FileTokenizer ? (token) => tokenizer.spell(token) : undefined;
}

function requestOf(
  asking: Generation,
  prompt: AskedPrompt,
  parts: Parts,
  options: VllmOptions,
): Pick<Asked, "path" | "body" | "abort"> {
  const { http, probed } = parts;
  const { confidence, ignoreEnd = false, abortById } = options;
  const features = { priority: probed.priority, confidence, ignoreEnd };
  const work = probed.cacheSalt ? asking : { ...asking, cacheSalt: "" };
  const asked = spellOf(parts, options)
    ? { path: "/inference/v1/generate", body: tokensBody(work, prompt, features) }
    : { path: "/v1/completions", body: completionBody(work, prompt, features) };
  if (!abortById || !probed.tokensOnly) return asked;
  const abort = async () => {
    const ids = idsAtEngine(prompt.requestId);
    const answer = await http.ask("/inference/v1/abort_requests", { request_ids: ids }).catch(() => undefined);
    return answer?.status === 200;
  };
  return { ...asked, abort };
}
