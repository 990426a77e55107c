// reviving: an Engine that comes back: when the one it holds dies, another is started in its place after a pause that doubles
// with each failure. Meanwhile its generations fail as `engine_failed`, and `down` and `up` tell the agent.
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
  type Segment,
} from "../generation.ts";
import type { Engine, KvEvent } from "./engine.ts";

export interface RevivingOptions {
  readonly pauseMs: number;
  readonly pauseMsMax: number;
}

interface Deps {
  readonly clock: Clock;
  readonly log: Log;
  readonly start: () => Promise<Engine>;
}

const idle: Pick<EngineLoad, "running" | "kvBlocksUsed" | "prefillBacklogTokens" | "stepMs" | "prefillTokensPerSecond"> = {
  running: 0,
  kvBlocksUsed: 0,
  prefillBacklogTokens: 0,
  stepMs: 0,
  prefillTokensPerSecond: 0,
};

export class RevivingEngine implements Engine {
  readonly name: Engine["name"];
  readonly models: Engine["models"];
  readonly capabilities: Engine["capabilities"];
  readonly slots: number;
  readonly blockTokens: number;
  /** Never: that is the point. */
  readonly died = new Promise<Error>(() => {});
  readonly #options: RevivingOptions;
  readonly #deps: Deps;
  readonly #ending = new AbortController();
  #engine: Engine;
  /** While the engine is away: why. */
  #gone: SlipstreamError | undefined;
  #listener: ((event: KvEvent) => void) | undefined;
  #watcher: { down(): void; up(): void } | undefined;

  private constructor(first: Engine, options: RevivingOptions, deps: Deps) {
    ({
      name: this.name,
      models: this.models,
      capabilities: this.capabilities,
      slots: this.slots,
      blockTokens: this.blockTokens,
    } = first);
    this.#options = options;
    this.#deps = deps;
    this.#engine = first;
    this.#watch(first);
  }

  /** Throws what the first start throws: a model that is unusable does not get better by waiting. */
  static async start(options: RevivingOptions, deps: Deps): Promise<RevivingEngine> {
    return new RevivingEngine(await deps.start(), options, deps);
  }

  /** Whoever wants to know when the engine is away; at most one. */
  watch(watcher: { down(): void; up(): void }): void {
    this.#watcher = watcher;
  }

  async *generate(work: Generation, signal: AbortSignal): AsyncGenerator<Piece, Finished> {
    if (this.#gone) return { kind: "failed", error: this.#gone, usage: noUsage() };
    return yield* this.#engine.generate(work, signal);
  }

  load(): EngineLoad {
    return this.#gone ? { ...this.#engine.load(), ...idle } : this.#engine.load();
  }

  acceptance(): Acceptance {
    return this.#engine.acceptance();
  }

  onKv(listener: (event: KvEvent) => void): void {
    this.#listener = listener;
    this.#engine.onKv(listener);
  }

  async warm(model: string, segments: readonly Segment[], signal: AbortSignal, cacheSalt: string): Promise<void> {
    if (!this.#gone) await this.#engine.warm(model, segments, signal, cacheSalt);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#engine.close();
  }

  #watch(engine: Engine): void {
    void engine.died.then((error) => this.#revive(error));
  }

  async #revive(error: Error): Promise<void> {
    const { clock, log, start } = this.#deps;
    if (this.#ending.signal.aborted) return;
    this.#gone = new SlipstreamError("engine_failed", `the engine is away: ${error.message}`, { cause: error });
    this.#watcher?.down();
    this.#listener?.({ stored: [], removed: [], cleared: true });
    for (let pauseMs = this.#options.pauseMs; !this.#ending.signal.aborted; ) {
      log.error({ err: error, pauseMs }, "the engine died; another is started");
      try {
        await clock.sleep(pauseMs, this.#ending.signal);
        const engine = await start();
        if (this.#ending.signal.aborted) return await engine.close();
        this.#engine = engine;
        break;
      } catch (thrown) {
        if (this.#ending.signal.aborted) return;
        error = SlipstreamError.from(thrown);
        pauseMs = Math.min(pauseMs * 2, this.#options.pauseMsMax);
      }
    }
    if (this.#listener) this.#engine.onKv(this.#listener);
    this.#watch(this.#engine);
    this.#gone = undefined;
    log.info({}, "the engine is back");
    this.#watcher?.up();
  }
}
