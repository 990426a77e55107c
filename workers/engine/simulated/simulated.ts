// simulated: a Generation in, Pieces and one Finished out, at the pace of a pretend GPU (profiles.ts) under the injected
// clock. Continuous batching: each step computes a share of prompts, decodes everyone else, and verifies drafts. Bounded by
// `slots` sequences and by the GPU's KV blocks; text, drafts and stalls come from seeds alone.
import type { Clock } from "../../../lib/clock.ts";
import { invalid, SlipstreamError } from "../../../lib/errors.ts";
import { type Random, seeded } from "../../../lib/random.ts";
import type { Acceptance, EngineLoad, FimTokens, Finished, Generation, Model, Piece, Segment } from "../../generation.ts";
import { lanes } from "../../generation.ts";
import type { Engine, KvEvent } from "../engine.ts";
import { blocksFor, blockTokens, Gpu } from "./gpu.ts";
import { agreementFor, type ProfileEnd, type ProfileName, profile } from "./profiles.ts";
import { Sequence } from "./sequence.ts";
import { pretendText } from "./text.ts";
import { TokenChain } from "./tokens.ts";

export interface SimulatedOptions {
  readonly profile: ProfileName;
  readonly profileEnd: ProfileEnd;
  /** The pretend weights: the same seed says the same of the same prompt. */
  readonly seed: number;
  readonly slots: number;
  readonly model?: string;
  readonly contextTokens?: number;
  readonly fim?: FimTokens;
  readonly draftDepthMax?: number;
  /** Tokens out of a step that verifies four drafts, instead of the profile's. */
  readonly acceptedPerBlock?: number;
  /** Chance that a token agrees with the oracle's truth. */
  readonly agreement?: number;
  readonly kvBlocks?: number;
  /** Now and then a step takes longer: a driver, a neighbour, a garbage collector. */
  readonly stall?: { readonly probability: number; readonly ms: number };
  /** Some engines notice an abort late; 0: it takes effect at the end of the step that runs. */
  readonly abortMs?: number;
  /**
   * A prompt chunk takes about this long: less is fairer to decodes and quicker to abort. By default as long as reading the
   * weights takes, which a step of prompt alone costs anyway.
   */
  readonly chunkMs?: number;
}

export interface SimulatedDeps {
  readonly clock: Clock;
  /** Of stalls and of unseeded sampling; the text of a greedy generation never depends on it. */
  readonly random: Random;
  /** What the typist goes on to type, where a simulation knows it. */
  readonly oracle?: (work: Generation) => string | undefined;
}

const fimTokens: FimTokens = {
  prefix: "<|fim_prefix|>",
  suffix: "<|fim_suffix|>",
  middle: "<|fim_middle|>",
  fileSeparator: "<|file_sep|>",
  repository: "<|repo_name|>",
};

export class SimulatedEngine implements Engine {
  readonly name = "simulated";
  readonly capabilities = ["speculation", "kv_events"] as const;
  readonly models: readonly Model[];
  readonly slots: number;
  readonly blockTokens = blockTokens;
  readonly died: Promise<Error>;
  readonly #options: SimulatedOptions;
  readonly #deps: SimulatedDeps;
  readonly #gpu: Gpu;
  #die: (error: Error) => void = () => {};
  #closed: SlipstreamError | undefined;
  #listener: ((event: KvEvent) => void) | undefined;

  constructor(options: SimulatedOptions, deps: SimulatedDeps) {
    this.#options = options;
    this.#deps = deps;
    this.slots = options.slots;
    this.models = [
      {
        name: options.model ?? `simulated-${options.profile}`,
        fimFamily: "",
        fim: options.fim ?? fimTokens,
        specials: [],
        contextTokens: options.contextTokens ?? 8_192,
        bytesPerToken: 3.5,
        chatTemplate: false,
      },
    ];
    const estimates = profile(options.profile, options.profileEnd);
    const chunkTokens = (estimates.prefillTokensPerSecond / 1_000) * (options.chunkMs ?? estimates.s0Ms);
    this.#gpu = new Gpu(
      {
        plan: {
          profile: estimates,
          agreement: agreementFor(options.acceptedPerBlock ?? estimates.acceptedPerBlock),
          draftDepthMax: options.draftDepthMax ?? 4,
          chunkTokens: blocksFor(chunkTokens) * blockTokens,
        },
        kvBlocks: options.kvBlocks ?? estimates.kvBlocks,
        stall: options.stall,
        abortMs: options.abortMs ?? 0,
      },
      { clock: deps.clock, random: deps.random, onKv: (event) => this.#listener?.(event) },
    );
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  generate(work: Generation, signal: AbortSignal): AsyncGenerator<Piece, Finished> {
    return this.#run(work, lanes.indexOf(work.lane), work.sampling.maxTokens, signal);
  }

  async warm(model: string, segments: readonly Segment[], signal: AbortSignal, cacheSalt = ""): Promise<void> {
    const now = this.#deps.clock.now();
    const pieces = this.#run(warming(model, segments, cacheSalt, now), lanes.length, 0, signal);
    for await (const _piece of pieces);
  }

  load(): EngineLoad {
    const { blocks, recent, sequences } = this.#gpu;
    return {
      running: sequences.filter((sequence) => sequence.rank < lanes.length).length,
      kvBlocksUsed: blocks.held,
      kvBlocks: blocks.capacity,
      prefillTokensPerSecond: recent.prefillTokensPerSecond,
      stepMs: recent.stepMs,
      prefillBacklogTokens: sequences.reduce((sum, each) => sum + this.#gpu.left(each), 0),
    };
  }

  /** Time that the pretend GPU computed, since it started. */
  get busyMs(): number {
    return this.#gpu.busyMs;
  }

  acceptance(): Acceptance {
    return this.#gpu.recent.acceptance();
  }

  onKv(listener: (event: KvEvent) => void): void {
    this.#listener = listener;
  }

  /** Dies as a real engine does: everything running fails, all KV is lost. For simulations. */
  crash(reason: string): void {
    const error = new SlipstreamError("engine_failed", reason);
    this.#closed ??= error;
    this.#gpu.clear(error);
    this.#die(error);
  }

  /** From the next step on, times as slow as its profile. For simulations. */
  slow(times: number): void {
    this.#gpu.slowness = times;
  }

  async close(): Promise<void> {
    this.#closed ??= new SlipstreamError("engine_failed", "the engine is closed");
    this.#gpu.clear(this.#closed);
  }

  async *#run(work: Generation, rank: number, tokensMax: number, signal: AbortSignal): AsyncGenerator<Piece, Finished> {
    const sequence = this.#sequence(work, rank, tokensMax);
    const refusal = this.#refusal(sequence);
    if (refusal) return { kind: "failed", error: refusal, usage: sequence.usage };
    const abort = () => this.#gpu.abort(sequence);
    signal.addEventListener("abort", abort, { once: true });
    this.#gpu.add(sequence);
    if (signal.aborted) abort();
    try {
      return yield* sequence.read();
    } finally {
      signal.removeEventListener("abort", abort);
      // A reader that leaves early wants no more of it.
      if (!sequence.finished) abort();
    }
  }

  #sequence(work: Generation, rank: number, tokensMax: number): Sequence {
    const chain = new TokenChain({ blockTokens, salt: work.cacheSalt });
    for (const segment of work.segments) chain.add(segment);
    const random = seeded((chain.digest ^ this.#options.seed ^ this.#sampled(work)) >>> 0);
    const truth = this.#deps.oracle?.(work);
    const text = pretendText(random, { agreement: this.#options.agreement ?? 1, truth });
    return new Sequence({
      work,
      rank,
      tokensMax,
      chain,
      text,
      random: seeded((chain.digest ^ ~this.#options.seed) >>> 0),
      arrivedMs: this.#deps.clock.now(),
    });
  }

  /** Greedy says the same of the same prompt; sampling by its seed, or by chance. */
  #sampled(work: Generation): number {
    if (work.sampling.temperature === 0) return 0;
    return work.sampling.seed ?? Math.floor(this.#deps.random.next() * 0xffff_ffff);
  }

  #refusal(sequence: Sequence): SlipstreamError | undefined {
    if (this.#closed) return this.#closed;
    const context = (this.models[0] as Model).contextTokens;
    const tokens = sequence.promptTokens + sequence.tokensMax;
    if (sequence.promptTokens === 0) return invalid("submit.segments", "the prompt has no token");
    if (tokens > context)
      return invalid(
        "submit.segments",
        `${sequence.promptTokens} prompt tokens and ${sequence.tokensMax} to generate exceed the context of ${context}`,
      );
    if (blocksFor(tokens) > this.#gpu.blocks.capacity)
      return new SlipstreamError("overloaded", `${tokens} tokens exceed the KV memory of ${this.#gpu.blocks.capacity} blocks`);
    if (sequence.rank < lanes.length && this.load().running >= this.slots)
      return new SlipstreamError("overloaded", `all ${this.slots} slots of the engine are busy`);
    return undefined;
  }
}

function warming(model: string, segments: readonly Segment[], cacheSalt: string, now: number): Generation {
  return {
    id: 0n,
    link: "",
    affinity: "",
    lane: "batch",
    model,
    segments,
    sampling: { maxTokens: 0, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "off" },
    stopAtNewline: false,
    deadlineMs: Number.POSITIVE_INFINITY,
    receivedMs: now,
    cacheSalt,
    blockDigests: new Uint8Array(),
    draftDepthHint: 0,
    traceparent: "",
  };
}
