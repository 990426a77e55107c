// supervised: an engine that dies by itself in, one that comes back out. What ran when it died has failed; what comes while it
// starts again fails as retryable, so that the router goes elsewhere. At most `restartsMax` deaths within `windowMs`, with
// longer and longer pauses between them; then `died` resolves and the agent ends.
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
  type SpeculationReport,
} from "../generation.ts";
import type { Engine, KvEvent, Tokenized } from "./engine.ts";

export interface SupervisedOptions {
  readonly restartsMax?: number;
  readonly windowMs?: number;
  readonly firstPauseMs?: number;
  readonly pauseMaxMs?: number;
}

interface Deps {
  readonly clock: Clock;
  readonly log?: Log;
  /** Starts a new engine of the same model; gives up when the signal does. */
  start(signal: AbortSignal): Promise<Engine>;
  /** Ends a first start that takes too long. */
  readonly signal?: AbortSignal;
}

/** Whoever wants to know when the engine is away. */
export interface Watcher {
  down(): void;
  up(): void;
}

const idle: EngineLoad = {
  running: 0,
  kvBlocksUsed: 0,
  kvBlocks: 0,
  prefillTokensPerSecond: 0,
  stepMs: 0,
  prefillBacklogTokens: 0,
};

export class SupervisedEngine implements Engine {
  readonly name: Engine["name"];
  readonly models: Engine["models"];
  readonly capabilities: Engine["capabilities"];
  readonly slots: number;
  readonly blockTokens: number;
  readonly died: Promise<Error>;
  readonly #options: Required<SupervisedOptions>;
  readonly #deps: Deps;
  readonly #closing = new AbortController();
  /** Times of the deaths within the window, oldest first; never more than `restartsMax`. */
  #deaths: number[] = [];
  /** Undefined while the engine is down. */
  #engine: Engine | undefined;
  #listener: ((event: KvEvent) => void) | undefined;
  #watcher: Watcher | undefined;
  #watching: Promise<void>;

  private constructor(engine: Engine, options: SupervisedOptions, deps: Deps) {
    this.name = engine.name;
    this.models = engine.models;
    this.capabilities = engine.capabilities;
    this.slots = engine.slots;
    this.blockTokens = engine.blockTokens;
    this.#options = { restartsMax: 5, windowMs: 60_000, firstPauseMs: 100, pauseMaxMs: 10_000, ...options };
    this.#deps = deps;
    this.#engine = engine;
    let givenUp: (reason: Error) => void = () => {};
    this.died = new Promise((resolve) => {
      givenUp = resolve;
    });
    this.#watching = this.#watch(engine).then((reason) => reason && givenUp(reason));
  }

  /** The first start is not repeated: a model that cannot be used is told at once. */
  static async start(options: SupervisedOptions, deps: Deps): Promise<SupervisedEngine> {
    return new SupervisedEngine(await deps.start(deps.signal ?? new AbortController().signal), options, deps);
  }

  /** At most one. */
  watch(watcher: Watcher): void {
    this.#watcher = watcher;
  }

  generate(work: Generation, signal: AbortSignal): AsyncGenerator<Piece, Finished> {
    return this.#engine ? this.#engine.generate(work, signal) : startingAgain();
  }

  async tokenize(model: string, segments: readonly Segment[], signal: AbortSignal): Promise<Tokenized> {
    if (this.#engine?.tokenize) return this.#engine.tokenize(model, segments, signal);
    throw new SlipstreamError("engine_failed", "the engine is starting again");
  }

  load(): EngineLoad {
    return this.#engine?.load() ?? idle;
  }

  acceptance(): Acceptance {
    return this.#engine?.acceptance() ?? { drafted: 0, accepted: 0, perPosition: [] };
  }

  speculation(): SpeculationReport | undefined {
    return this.#engine?.speculation?.();
  }

  recommendation(): Recommendation | undefined {
    return this.#engine?.recommendation?.();
  }

  onKv(listener: (event: KvEvent) => void): void {
    this.#listener = listener;
    this.#engine?.onKv(listener);
  }

  async warm(model: string, segments: readonly Segment[], signal: AbortSignal, cacheSalt: string): Promise<void> {
    await this.#engine?.warm(model, segments, signal, cacheSalt);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#engine?.close();
    await this.#watching;
  }

  /** Replaces the engine each time it dies; resolves with the reason to give up, or with nothing when closed. */
  async #watch(first: Engine): Promise<Error | undefined> {
    const closed = new Promise<undefined>((resolve) => {
      this.#closing.signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    for (let engine: Engine | undefined = first; engine; ) {
      const reason: Error | undefined = await Promise.race([engine.died, closed]);
      if (!reason) return undefined;
      this.#engine = undefined;
      this.#watcher?.down();
      await engine.close();
      // What it held in its KV went with it.
      this.#listener?.({ stored: [], removed: [], cleared: true });
      const next: Engine | Error | undefined = await this.#again(reason);
      if (next instanceof Error) return next;
      engine = next;
      this.#engine = next;
      if (this.#listener) next?.onKv(this.#listener);
      if (next) this.#watcher?.up();
    }
    return undefined;
  }

  /** A new engine, the reason to give up, or nothing when closed meanwhile. */
  async #again(reason: Error): Promise<Engine | Error | undefined> {
    const { clock, log } = this.#deps;
    for (let last = reason; !this.#closing.signal.aborted; ) {
      const pauseMs = this.#pauseAfterDeath();
      if (pauseMs === undefined) return last;
      log?.warn({ reason: last.message, pauseMs }, "engine died and starts again");
      try {
        await clock.sleep(pauseMs, this.#closing.signal);
        const engine = await this.#deps.start(this.#closing.signal);
        const wrong = this.#wrongModels(engine);
        if (!this.#closing.signal.aborted && !wrong) return engine;
        await engine.close();
        if (wrong) last = wrong;
      } catch (error) {
        last = SlipstreamError.from(error);
      }
    }
    return undefined;
  }

  /** Routers were told of models in each Welcome, and will ask for them. */
  #wrongModels(engine: Engine): SlipstreamError | undefined {
    const missing = this.models.find(({ name }) => !engine.models.some((model) => model.name === name));
    return missing && new SlipstreamError("model_unusable", `the engine came back without ${JSON.stringify(missing.name)}`);
  }

  /** Doubles with each death of the window; undefined when there were too many. */
  #pauseAfterDeath(): number | undefined {
    const { restartsMax, windowMs, firstPauseMs, pauseMaxMs } = this.#options;
    const now = this.#deps.clock.now();
    this.#deaths = this.#deaths.filter((at) => now - at < windowMs);
    if (this.#deaths.length >= restartsMax) return undefined;
    this.#deaths.push(now);
    return Math.min(pauseMaxMs, firstPauseMs * 2 ** (this.#deaths.length - 1));
  }
}

// biome-ignore lint/correctness/useYield: it has nothing to give
async function* startingAgain(): AsyncGenerator<Piece, Finished> {
  return { kind: "failed", error: new SlipstreamError("engine_failed", "the engine is starting again"), usage: noUsage() };
}
