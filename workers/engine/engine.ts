// engine: a Generation in, Pieces and one Finished out. Hides each engine's tokeniser, priority sign, metric names, hash
// schemes and abort quirks from the agent. An engine never throws out of `generate`: its end is the returned Finished.
import type {
  Acceptance,
  EngineLoad,
  Finished,
  Generation,
  Model,
  Piece,
  Recommendation,
  Segment,
  SpeculationReport,
} from "../generation.ts";

/** 64-byte blocks (8-byte digests as hex) that became resident or left. */
export interface KvEvent {
  readonly stored: readonly string[];
  readonly removed: readonly string[];
  readonly cleared: boolean;
}

export interface Tokenized {
  readonly ids: readonly number[];
  /** What each stands for; empty: the engine does not tell. */
  readonly pieces: readonly Uint8Array[];
}

/** What an engine can do; a router never uses what is not listed. */
export type Capability = "speculation" | "kv_events" | "sleep" | "lora" | "logprobs" | "tokenize";

export interface Engine {
  readonly name: "embedded" | "simulated" | "vllm" | "tensorrt" | "openai";
  readonly models: readonly Model[];
  readonly capabilities: readonly Capability[];
  /** Generations it runs at once; more wait in the agent. */
  readonly slots: number;
  /** Tokens of one KV block. */
  readonly blockTokens: number;
  /**
   * Runs one generation. Yields text as steps finish and returns how it ended. When `signal` aborts, the engine stops
   * within one step (or one prompt chunk) and returns `aborted`; the caller keeps reading until then.
   */
  generate(work: Generation, signal: AbortSignal): AsyncGenerator<Piece, Finished>;
  load(): EngineLoad;
  acceptance(): Acceptance;
  /** Of an engine that decides itself what to draft. */
  speculation?(): SpeculationReport | undefined;
  /** Of one whose draft length is fixed when it starts, by its counters. */
  recommendation?(): Recommendation | undefined;
  /** Calls `listener` as blocks come and go; at most one listener. */
  onKv(listener: (event: KvEvent) => void): void;
  /** Computes the KV of a prefix; resolves when it is resident or the signal ends it. */
  warm(model: string, segments: readonly Segment[], signal: AbortSignal, cacheSalt: string): Promise<void>;
  /** Which tokens the segments are; of an engine with the capability. */
  tokenize?(model: string, segments: readonly Segment[], signal: AbortSignal): Promise<Tokenized>;
  /** Resolves with the reason when the engine dies by itself; never, while it lives. */
  readonly died: Promise<Error>;
  close(): Promise<void>;
}
