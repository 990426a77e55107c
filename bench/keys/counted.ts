// counted: an engine in, the same engine out, and what it did with every generation, cancelled ones included. Holds the counts
// of one window at a time.
import type { Clock } from "../../lib/clock.ts";
import type { Engine } from "../../workers/engine/engine.ts";
import type { Finished, Lane, Piece } from "../../workers/generation.ts";

/** What one generation cost. */
export interface Cost {
  /** "worker id", with the id of the router's link. */
  readonly id: string;
  readonly lane: Lane;
  readonly prompt: number;
  readonly recomputed: number;
  readonly completion: number;
}

/** A generation is stopped, by its id: "worker id". */
export interface Stop {
  readonly id: string;
  readonly atMs: number;
}

/** Of the generations that ended since it was last asked. */
export interface WorkerFigures {
  readonly costs: readonly Cost[];
  /** When the engine was told to stop, by the machine's time. */
  readonly stops: readonly Stop[];
  /** From the engine's abort to its end, of those that were stopped from outside. */
  readonly abortMs: readonly number[];
  /** Slots in use, times the time they were. */
  readonly slotMs: number;
  /** Time in which any slot was in use. */
  readonly busyMs: number;
}

const empty = () => ({ costs: [] as Cost[], stops: [] as Stop[], abortMs: [] as number[], slotMs: 0, busyMs: 0 });

export class Counted {
  readonly #clock: Clock;
  readonly #machineMs: () => number;
  #running = 0;
  #sinceMs: number;
  #figures = empty();

  constructor(name: string, engine: Engine, deps: { clock: Clock; machineMs: () => number }) {
    this.#clock = deps.clock;
    this.#machineMs = deps.machineMs;
    this.#sinceMs = this.#clock.now();
    const generate = engine.generate.bind(engine);
    engine.generate = (work, signal) =>
      this.#counted({ id: `${name} ${work.id}`, lane: work.lane }, generate(work, signal), signal);
  }

  take(): WorkerFigures {
    this.#pass(0);
    const taken = this.#figures;
    this.#figures = empty();
    return taken;
  }

  async *#counted(
    of: Pick<Cost, "id" | "lane">,
    pieces: AsyncGenerator<Piece, Finished>,
    signal: AbortSignal,
  ): AsyncGenerator<Piece, Finished> {
    this.#pass(1);
    let abortedMs: number | undefined;
    const aborted = () => {
      abortedMs = this.#clock.now();
      this.#figures.stops.push({ id: of.id, atMs: this.#machineMs() });
    };
    signal.addEventListener("abort", aborted, { once: true });
    let finished: Finished | undefined;
    try {
      finished = yield* pieces;
      return finished;
    } finally {
      signal.removeEventListener("abort", aborted);
      this.#pass(-1);
      if (finished) {
        const { recomputedTokens: recomputed, promptTokens: prompt, completionTokens: completion } = finished.usage;
        this.#figures.costs.push({ ...of, prompt, recomputed, completion });
        if (abortedMs !== undefined) this.#figures.abortMs.push(this.#clock.now() - abortedMs);
      }
    }
  }

  #pass(change: number): void {
    const now = this.#clock.now();
    this.#figures.slotMs += this.#running * (now - this.#sinceMs);
    if (this.#running > 0) this.#figures.busyMs += now - this.#sinceMs;
    this.#sinceMs = now;
    this.#running += change;
  }
}
