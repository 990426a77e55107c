// served: an engine in another process behind the Engine interface: what all that take tokens share. A Generation in, its segments as
// tokens, what of them is expected in the cache, Pieces and one Finished out; at most `slots` at once. How an engine is asked and what
// it tells of itself is its own (Speaking).
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import {
  type Acceptance,
  type EngineLoad,
  type Finished,
  type Generation,
  type Model,
  noUsage,
  type Piece,
  type Recommendation,
  type Segment,
} from "../generation.ts";
import { blockKeys, seedOf } from "./block-chain.ts";
import type { Answering } from "./completion-stream.ts";
import type { Capability, Engine, KvEvent, Tokenized } from "./engine.ts";
import { type FeedStart, KvWatch } from "./kv-watch.ts";
import { Meter } from "./meter.ts";
import type { OneAsked } from "./one-of-each.ts";
import type { Owned } from "./own-process.ts";
import { blockEnds, encode } from "./prompts.ts";
import type { Aborted, Asked, Wire } from "./running.ts";
import { Serving } from "./serving.ts";
import { tokensOf } from "./tokenized.ts";
import type { EngineTokenizer } from "./tokenizer.ts";
import type { WatchDeps, WatchOptions } from "./watch.ts";

/** A prompt as the engine is asked with it. */
export interface AskedPrompt {
  readonly tokens: readonly number[];
  readonly maxTokens: number;
  /** Nobody else's. */
  readonly requestId: string;
  /** Computed ahead of anybody's asking: behind all lanes. */
  readonly ahead: boolean;
}

/** A prompt that goes to the engine, and whose it is. */
export interface SentPrompt extends Pick<Generation, "lane"> {
  readonly tokens: readonly number[];
  /** Of its whole blocks. */
  readonly keys: readonly number[];
  readonly salt: string;
  readonly adapter: string;
  /** "": of none. */
  readonly document: string;
  readonly ahead: boolean;
}

export interface Speaking<Chunk> {
  readonly name: Engine["name"];
  readonly wire: Wire<Chunk> & { close(): void };
  readonly models: readonly Model[];
  readonly capabilities: readonly Capability[];
  readonly tokenizer: EngineTokenizer;
  readonly blockTokens: number;
  /** KV blocks it has; undefined: it does not say. */
  readonly blocks?: number | undefined;
  readonly feeds: readonly FeedStart[];
  readonly answering: (asked: Pick<Asked, "maxTokens">) => Answering<Chunk>;
  readonly request: (work: Generation, prompt: AskedPrompt) => Pick<Asked, "path" | "body" | "abort" | "refused">;
  /** Why it must not be asked. */
  readonly refusal?: (work: OneAsked) => SlipstreamError | undefined;
  /** Whether tenants have blocks of their own there. */
  readonly tenants: boolean;
  /** True: it never tells what of a prompt was cached, and nothing is said of it then. */
  readonly cacheUntold?: boolean;
  /** Asks the engine how it is; throws when there is no answer. */
  readonly ask: WatchDeps["ask"];
  readonly kvBlocksUsed?: () => number;
  readonly acceptance?: () => Acceptance;
  readonly recommendation?: () => Recommendation | undefined;
  /** A prompt goes to the engine; what is returned is called when it has ended: whether it is in the engine's cache for sure. */
  readonly prompted?: (prompt: SentPrompt) => (computed: boolean) => void;
  /** Called once, when it is gone or closed. */
  readonly ended?: () => void;
}

export interface ServedDeps extends Owned {
  readonly clock: Clock;
  readonly aborted?: (how: Aborted) => void;
  /** How much of a prompt was expected to be cached, and was. */
  readonly counted?: (expected: number, cached: number) => void;
}

export interface ServedOptions extends Partial<WatchOptions> {
  readonly slots: number;
  /** Begins the names of its requests. */
  readonly requests: string;
  /** Whether what an answer took beyond its prompt's cost is told as time in the engine's queue. */
  readonly timesQueue?: boolean;
}

/** Of a prefix memory: 1,000 prompts of 8,000 tokens. */
const blocksMax = 500_000;
const watchDefaults: WatchOptions = { busyMs: 100, idleMs: 1_000, hungMs: 10_000 };
const aheadMs = 60_000;

export class ServedEngine<Chunk> implements Engine {
  readonly name: Engine["name"];
  readonly models: readonly Model[];
  readonly capabilities: readonly Capability[];
  readonly slots: number;
  readonly blockTokens: number;
  readonly died: Promise<Error>;
  readonly #options: ServedOptions;
  readonly #deps: ServedDeps;
  readonly #speaking: Speaking<Chunk>;
  readonly #meter: Meter;
  readonly #serving: Serving<Chunk>;
  readonly #kv: KvWatch;
  #requested = 0;

  constructor(speaking: Speaking<Chunk>, options: ServedOptions, deps: ServedDeps) {
    const { wire, answering, ask, feeds, blockTokens } = speaking;
    this.#speaking = speaking;
    this.#options = options;
    this.#deps = deps;
    this.name = speaking.name;
    this.models = speaking.models;
    this.capabilities = speaking.capabilities;
    this.slots = options.slots;
    this.blockTokens = blockTokens;
    this.#meter = new Meter(deps, this);
    this.#kv = new KvWatch({ blockTokens, blocksMax: Math.min(blocksMax, speaking.blocks ?? blocksMax) }, { feeds });
    this.#serving = new Serving(
      { ...watchDefaults, ...options },
      {
        ...{ ...deps, wire, meter: this.#meter, answering, ask },
        ended: () => {
          this.#kv.close();
          speaking.ended?.();
        },
      },
    );
    this.died = this.#serving.died;
  }

  /** Not before it is warm. */
  watch(): void {
    this.#serving.watch();
  }

  generate(work: Generation, signal: AbortSignal): AsyncGenerator<Piece, Finished> {
    const refused = this.#speaking.refusal?.(work);
    return refused ? failed(refused) : this.run(work, signal);
  }

  /** A generation that is not asked who wants it: the engine's own first ones. */
  async *run(work: Generation, signal: AbortSignal, ahead = false): AsyncGenerator<Piece, Finished> {
    const receivedMs = this.#deps.clock.now();
    const { tokenizer, tenants, request, prompted } = this.#speaking;
    let prompt: Awaited<ReturnType<typeof encode>>;
    try {
      this.#serving.check();
      prompt = await encode(work.segments, work.sampling.maxTokens, this.modelOf(work.model), tokenizer, signal);
      this.#serving.check();
    } catch (thrown) {
      if (signal.aborted) return { kind: "aborted", usage: noUsage() };
      return { kind: "failed", error: SlipstreamError.from(thrown), usage: noUsage() };
    }
    const { tokens, maxTokens } = prompt;
    const salt = tenants ? work.cacheSalt : "";
    const adapter = this.#adapter(work.model);
    const keys = blockKeys(tokens, this.blockTokens, seedOf(salt, adapter));
    if (prompt.whole && work.blockDigests.length > 0)
      this.#kv.prompted({ keys, byteEnds: blockEnds(tokens, this.blockTokens, tokenizer), digests: work.blockDigests });
    const { affinity: document, lane } = work;
    const ended = prompted?.({ tokens, keys, salt, adapter, document, lane, ahead });
    const requestId = `${this.#options.requests}-${this.#requested++}`;
    let computed = false;
    try {
      return yield* this.#serving.generate(
        {
          ...request(work, { tokens, maxTokens, requestId, ahead }),
          traceparent: work.traceparent,
          promptTokens: tokens.length,
          expectedCached: this.#speaking.cacheUntold ? undefined : this.#kv.expected(keys, tokens.length),
          maxTokens,
          receivedMs,
          timesQueue: this.#options.timesQueue ?? false,
        },
        signal,
        {
          counted: (expected, cached) => this.#deps.counted?.(expected, cached),
          computed: () => {
            computed = true;
            this.#kv.computed(keys);
          },
        },
      );
    } finally {
      ended?.(computed);
    }
  }

  async warm(model: string, segments: readonly Segment[], signal: AbortSignal, cacheSalt: string): Promise<void> {
    const refused = this.#speaking.refusal?.({ cacheSalt });
    if (refused) throw refused;
    const nowMs = this.#deps.clock.now();
    const work: Generation = {
      ...{ id: 0n, link: "", affinity: "", lane: "batch", model, segments, cacheSalt, receivedMs: nowMs },
      sampling: { maxTokens: 1, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" },
      ...{ stopAtNewline: false, deadlineMs: nowMs + aheadMs, blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
    };
    const running = this.run(work, signal, true);
    let next = await running.next();
    while (!next.done) next = await running.next();
    if (next.value.kind === "failed") throw next.value.error;
  }

  /** The vocabulary tells which tokens there are, not what an engine would show of them. */
  async tokenize(_model: string, segments: readonly Segment[], signal: AbortSignal): Promise<Tokenized> {
    const { tokenizer } = this.#speaking;
    await tokenizer.know(
      segments.map((segment) => ("text" in segment ? segment.text : segment.special)),
      signal,
    );
    return { ids: tokensOf(segments, tokenizer), pieces: [] };
  }

  load(): EngineLoad {
    const { prefillTokensPerSecond, stepMs, prefillBacklogTokens } = this.#meter;
    const { kvBlocksUsed, blocks = 0 } = this.#speaking;
    return {
      ...{ running: this.#serving.running, kvBlocksUsed: kvBlocksUsed?.() ?? 0, kvBlocks: blocks },
      ...{ prefillTokensPerSecond, stepMs, prefillBacklogTokens },
    };
  }

  /** KV blocks that the engine gave up for others, where it tells. */
  get evictedBlocks(): number {
    return this.#kv.evicted;
  }

  acceptance(): Acceptance {
    return this.#speaking.acceptance?.() ?? { drafted: 0, accepted: 0, perPosition: [] };
  }

  recommendation(): Recommendation | undefined {
    return this.#speaking.recommendation?.();
  }

  onKv(listener: (event: KvEvent) => void): void {
    this.#kv.listen(listener);
  }

  close(): Promise<void> {
    return this.#serving.close();
  }

  /** These are in the engine's cache now. */
  protected computed(tokens: readonly number[], model: string, cacheSalt: string): void {
    const salt = this.#speaking.tenants ? cacheSalt : "";
    this.#kv.computed(blockKeys(tokens, this.blockTokens, seedOf(salt, this.#adapter(model))));
  }

  /** One computes other values of the same tokens; "": it is the model itself. */
  #adapter(model: string): string {
    return model === this.models[0]?.name ? "" : model;
  }

  /** Throws `not_found`. */
  protected modelOf(name: string): Model {
    const model = this.models.find((each) => each.name === name);
    if (!model) throw new SlipstreamError("not_found", `the engine serves no ${JSON.stringify(name)}`);
    return model;
  }
}

// biome-ignore lint/correctness/useYield: it has nothing to give
async function* failed(error: SlipstreamError): AsyncGenerator<Piece, Finished> {
  return { kind: "failed", error, usage: noUsage() };
}
