// vllm: a running vLLM behind the Engine interface, over its HTTP server. A Generation in, Pieces and one Finished out; at most
// `slots` at once. What it is and can do is probed at the start; that it is gone is told by `died`, and fails what runs.
import { SlipstreamError } from "../../../lib/errors.ts";
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
import { Recommending } from "../../speculation/recommendation.ts";
import { AcceptanceWindow } from "../acceptance-window.ts";
import type { Capability, Engine, KvEvent, Tokenized } from "../engine.ts";
import { Meter } from "../meter.ts";
import { refusal } from "../running.ts";
import { Serving } from "../serving.ts";
import { tokensOf } from "../tokenized.ts";
import { warmUp } from "../warm-up.ts";
import type { WatchOptions } from "../watch.ts";
import { blockKeys, seedOf } from "./block-chain.ts";
import { connect, type Parts, type VllmDeps, type VllmOptions } from "./connecting.ts";
import { type Counters, readCounters } from "./counters.ts";
import { KvWatch } from "./kv-watch.ts";
import { blockEnds, type Encoded, encode } from "./prompts.ts";
import { completionBody, warmBody } from "./request.ts";
import { byPosition } from "./speculated.ts";

export type { VllmDeps, VllmOptions } from "./connecting.ts";

/** As long as what acceptance is counted over. */
const recommendEveryMs = 60_000;
/** Of a prefix memory: 1,000 prompts of 8,000 tokens. */
const blocksMax = 500_000;
const watchDefaults: WatchOptions = { busyMs: 100, idleMs: 1_000, hungMs: 10_000 };

export class VllmEngine implements Engine {
  readonly name = "vllm";
  readonly models: readonly Model[];
  readonly capabilities: readonly Capability[];
  readonly slots: number;
  readonly blockTokens: number;
  readonly died: Promise<Error>;
  readonly #options: VllmOptions;
  readonly #deps: VllmDeps;
  readonly #parts: Parts;
  readonly #meter: Meter;
  readonly #serving: Serving;
  readonly #acceptance: AcceptanceWindow;
  readonly #requests: string;
  readonly #kv: KvWatch;
  readonly #recommending = new Recommending();
  #recommendedMs: number;
  #counters: Counters | undefined;
  #requested = 0;

  private constructor(parts: Parts, options: VllmOptions, deps: VllmDeps) {
    const { probed } = parts;
    this.#parts = parts;
    this.#options = options;
    this.#deps = deps;
    this.models = parts.models;
    this.slots = options.slots;
    this.blockTokens = probed.counters?.blockTokens ?? 16;
    this.#counters = probed.counters;
    this.#recommendedMs = deps.clock.now();
    this.#acceptance = new AcceptanceWindow(byPosition(probed.counters?.speculation), deps);
    this.#requests = `slipstream-${deps.random.hex(8)}`;
    this.capabilities = [
      "tokenize",
      ...(probed.counters?.speculation ? (["speculation"] as const) : []),
      ...(probed.kvSources.length > 0 && options.kvEvents !== false ? (["kv_events"] as const) : []),
      ...(probed.sleeps ? (["sleep"] as const) : []),
      ...(probed.adapters ? (["lora"] as const) : []),
    ];
    this.#meter = new Meter(deps);
    const most = Math.min(blocksMax, probed.counters?.blocks ?? blocksMax);
    const sources = options.kvEvents === false ? [] : probed.kvSources;
    this.#kv = new KvWatch({ url: options.url, sources, blockTokens: this.blockTokens, blocksMax: most }, deps);
    const { http } = parts;
    this.#serving = new Serving(
      { ...watchDefaults, ...options },
      {
        ...{ ...deps, http, meter: this.#meter },
        ask: async (how) => {
          const answer = await http.ask("/metrics", undefined, how);
          if (answer.status === 200) this.#read(readCounters(answer.text));
        },
        ended: () => this.#kv.close(),
      },
    );
    this.died = this.#serving.died;
  }

  /** Waits until the engine answers, then asks what it is. Throws a sentence when it cannot be used. */
  static async start(options: VllmOptions, deps: VllmDeps): Promise<VllmEngine> {
    const parts = await connect(options, deps);
    const engine = new VllmEngine(parts, options, deps);
    try {
      await warmUp(engine, { withinMs: options.startMs }, deps);
    } catch (thrown) {
      await engine.close();
      throw thrown;
    }
    engine.#serving.watch();
    return engine;
  }

  async *generate(work: Generation, signal: AbortSignal): AsyncGenerator<Piece, Finished> {
    const receivedMs = this.#deps.clock.now();
    let prompt: Encoded;
    try {
      this.#serving.check();
      prompt = await encode(work.segments, work.sampling.maxTokens, this.#model(work.model), this.#parts.tokenizer, signal);
      this.#serving.check();
    } catch (thrown) {
      if (signal.aborted) return { kind: "aborted", usage: noUsage() };
      return { kind: "failed", error: SlipstreamError.from(thrown), usage: noUsage() };
    }
    const { tokens, maxTokens } = prompt;
    const requestId = `${this.#requests}-${this.#requested++}`;
    const { priority } = this.#parts.probed;
    const salted = this.#parts.probed.cacheSalt ? work : { ...work, cacheSalt: "" };
    const keys = this.#keys(tokens, work.model, salted.cacheSalt);
    if (prompt.whole && work.blockDigests.length > 0) {
      const byteEnds = blockEnds(tokens, this.blockTokens, this.#parts.tokenizer);
      this.#kv.prompted({ keys, byteEnds, digests: work.blockDigests });
    }
    return yield* this.#serving.generate(
      {
        path: "/v1/completions",
        body: completionBody(
          salted,
          { tokens, maxTokens, requestId },
          { priority, confidence: this.#options.confidence, ignoreEnd: this.#options.ignoreEnd === true },
        ),
        traceparent: work.traceparent,
        promptTokens: tokens.length,
        expectedCached: this.#kv.expected(keys, tokens.length),
        maxTokens,
        receivedMs,
      },
      signal,
      {
        counted: (expected, cached) => this.#deps.counted?.(expected, cached),
        computed: () => this.#kv.computed(keys),
      },
    );
  }

  async warm(model: string, segments: readonly Segment[], signal: AbortSignal, cacheSalt: string): Promise<void> {
    const { http, probed, tokenizer } = this.#parts;
    const { tokens } = await encode(segments, 1, this.#model(model), tokenizer, signal);
    const answer = await http.ask("/v1/completions", warmBody(model, tokens, cacheSalt, probed), { signal, timeoutMs: 60_000 });
    if (answer.status !== 200) throw refusal(answer);
    this.#kv.computed(this.#keys(tokens, model, probed.cacheSalt ? cacheSalt : ""));
  }

  /** Its vocabulary tells how long tokens are, not what they spell. */
  async tokenize(_model: string, segments: readonly Segment[], signal: AbortSignal): Promise<Tokenized> {
    const { tokenizer } = this.#parts;
    const texts = segments.map((segment) => ("text" in segment ? segment.text : segment.special));
    await tokenizer.know(texts, signal);
    return { ids: tokensOf(segments, tokenizer), pieces: [] };
  }

  load(): EngineLoad {
    const { kvUsed = 0, blocks = 0 } = this.#counters ?? {};
    const { prefillTokensPerSecond, stepMs, prefillBacklogTokens } = this.#meter;
    return {
      running: this.#serving.running,
      kvBlocksUsed: Math.round(kvUsed * blocks),
      kvBlocks: blocks,
      ...{ prefillTokensPerSecond, stepMs, prefillBacklogTokens },
    };
  }

  acceptance(): Acceptance {
    return this.#acceptance.value;
  }

  onKv(listener: (event: KvEvent) => void): void {
    this.#kv.listen(listener);
  }

  /** Gives its memory away, KV included. */
  async sleep(): Promise<void> {
    await this.#told("/sleep?level=1");
  }

  async wake(): Promise<void> {
    await this.#told("/wake_up");
  }

  close(): Promise<void> {
    return this.#serving.close();
  }

  async #told(path: string): Promise<void> {
    const answer = await this.#parts.http.ask(path, {}, { timeoutMs: 120_000 });
    if (answer.status !== 200) throw refusal(answer);
  }

  #read(counters: Counters): void {
    this.#counters = counters;
    if (!counters.speculation) return;
    this.#acceptance.add(byPosition(counters.speculation));
    const now = this.#deps.clock.now();
    if (now - this.#recommendedMs < recommendEveryMs) return;
    this.#recommendedMs = now;
    const recommendation = this.#recommending.take(this.#acceptance.value);
    if (recommendation) this.#deps.recommended?.(recommendation);
  }

  /** An adapter computes other values of the same tokens. */
  #keys(tokens: readonly number[], model: string, salt: string): number[] {
    const adapter = model === this.models[0]?.name ? "" : model;
    return blockKeys(tokens, this.blockTokens, seedOf(salt, adapter));
  }

  #model(name: string): Model {
    const model = this.models.find((each) => each.name === name);
    if (!model) throw new SlipstreamError("not_found", `the engine serves no ${JSON.stringify(name)}`);
    return model;
  }
}
