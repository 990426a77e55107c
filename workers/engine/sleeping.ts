// sleeping: an engine that can sleep in, one that sleeps when nobody has asked for `afterMs`, and wakes for the next generation, out.
// Asleep it gives its memory to its neighbours; what its KV held is gone. Who comes while it wakes waits for that.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import {
  type Acceptance,
  type EngineLoad,
  type Finished,
  type Generation,
  noUsage,
  type Piece,
  type Recommendation,
  type Segment,
} from "../generation.ts";
import type { Engine, KvEvent, Tokenized } from "./engine.ts";

export interface Sleeper extends Engine {
  sleep(): Promise<void>;
  wake(): Promise<void>;
}

type State = "awake" | "falling asleep" | "asleep" | "waking";

export class SleepingEngine implements Engine {
  readonly name: Engine["name"];
  readonly models: Engine["models"];
  readonly capabilities: Engine["capabilities"];
  readonly slots: number;
  readonly blockTokens: number;
  readonly died: Promise<Error>;
  readonly #engine: Sleeper;
  readonly #afterMs: number;
  readonly #deps: { readonly clock: Clock; readonly log?: Log };
  #state: State = "awake";
  /** The change of state that is under way. */
  #changing: Promise<void> = Promise.resolve();
  #busy = 0;
  #timer: Disposable | undefined;
  #listener: ((event: KvEvent) => void) | undefined;

  constructor(engine: Sleeper, options: { afterMs: number }, deps: { clock: Clock; log?: Log }) {
    this.#engine = engine;
    this.#afterMs = options.afterMs;
    this.#deps = deps;
    this.name = engine.name;
    this.models = engine.models;
    this.capabilities = engine.capabilities;
    this.slots = engine.slots;
    this.blockTokens = engine.blockTokens;
    this.died = engine.died;
    this.#rest();
  }

  get state(): State {
    return this.#state;
  }

  async *generate(work: Generation, signal: AbortSignal): AsyncGenerator<Piece, Finished> {
    this.#begin();
    try {
      await this.#awake();
      return yield* this.#engine.generate(work, signal);
    } catch (thrown) {
      return { kind: "failed", error: SlipstreamError.from(thrown), usage: noUsage() };
    } finally {
      this.#end();
    }
  }

  /** What is only computed ahead wakes nobody. */
  async warm(model: string, segments: readonly Segment[], signal: AbortSignal, cacheSalt: string): Promise<void> {
    if (this.#state !== "awake") return;
    this.#begin();
    try {
      await this.#engine.warm(model, segments, signal, cacheSalt);
    } finally {
      this.#end();
    }
  }

  /** A vocabulary needs no weights. */
  async tokenize(model: string, segments: readonly Segment[], signal: AbortSignal): Promise<Tokenized> {
    if (this.#engine.tokenize) return this.#engine.tokenize(model, segments, signal);
    throw new SlipstreamError("unsupported", "the engine does not tell its tokens");
  }

  load(): EngineLoad {
    return this.#engine.load();
  }

  acceptance(): Acceptance {
    return this.#engine.acceptance();
  }

  recommendation(): Recommendation | undefined {
    return this.#engine.recommendation?.();
  }

  onKv(listener: (event: KvEvent) => void): void {
    this.#listener = listener;
    this.#engine.onKv(listener);
  }

  async close(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#engine.close();
  }

  #begin(): void {
    this.#busy += 1;
    this.#timer?.[Symbol.dispose]();
  }

  #end(): void {
    this.#busy -= 1;
    if (this.#busy === 0) this.#rest();
  }

  #rest(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#deps.clock.timer(this.#afterMs, () => {
      if (this.#busy > 0 || this.#state !== "awake") return;
      this.#change("falling asleep", "asleep", () => this.#engine.sleep());
    });
  }

  async #awake(): Promise<void> {
    while (this.#state !== "awake") {
      if (this.#state === "asleep") this.#change("waking", "awake", () => this.#engine.wake());
      await this.#changing;
    }
  }

  #change(during: State, after: State, act: () => Promise<void>): void {
    const before = this.#state;
    this.#state = during;
    this.#changing = act().then(
      () => {
        this.#state = after;
        this.#deps.log?.info({ state: after }, "the engine's sleep");
        if (after === "asleep") this.#listener?.({ stored: [], removed: [], cleared: true });
      },
      (thrown: unknown) => {
        // One that does not fall asleep stays awake; one that does not wake is of no use, and its askers are told.
        this.#state = before;
        this.#deps.log?.warn({ why: SlipstreamError.from(thrown).message, state: before }, "the engine's sleep fails");
        if (before === "asleep") throw thrown;
      },
    );
    this.#changing.catch(() => {});
  }
}
