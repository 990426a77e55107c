// cache: a Prompt in, the finished text of an identical one out, or the generation of one under way, to join it. The key holds
// tenant, model, prompt and sampling, so nothing crosses tenants; only greedy or seeded generations are shared, since others
// are meant to differ. Bounded by bytes and age; generations under way by the credits of the workers and the queue's length.
import type { Clock } from "../../lib/clock.ts";
import { Lru } from "../../lib/structures/lru.ts";
import type { Finish, Flight, Prompt, Sampling, Work } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";
import { type Flying, SharedFlight } from "./flight.ts";

export interface CacheOptions {
  readonly bytesMax: number;
  readonly entriesMax: number;
  readonly ttlMs: number;
}

export interface Finished {
  readonly text: string;
  readonly finish: Finish;
  readonly model: string;
  readonly confidence?: number | undefined;
}

/** A key, the entry and the map's own share. */
const entryBytes = 200;

export class Cache {
  readonly #deps: { readonly clock: Clock; readonly metrics: Pick<RouterMetrics, "result_cache_lookups_total"> };
  readonly #finished: Lru<Finished>;
  readonly #flights = new Map<string, SharedFlight>();

  constructor(options: CacheOptions, deps: { clock: Clock; metrics: Pick<RouterMetrics, "result_cache_lookups_total"> }) {
    this.#deps = deps;
    this.#finished = new Lru({
      max: options.entriesMax,
      maxWeight: options.bytesMax,
      weigh: (value) => value.text.length * 2 + entryBytes,
      ttlMs: options.ttlMs,
    });
  }

  find(prompt: Prompt, sampling: Sampling): Finished | undefined {
    if (!repeatable(sampling)) return undefined;
    const found = this.#finished.get(prompt.key, this.#deps.clock.now());
    this.#deps.metrics.result_cache_lookups_total.inc({ result: found ? "hit" : "miss" });
    return found;
  }

  keep(prompt: Prompt, sampling: Sampling, finished: Finished): void {
    // What a deadline cut is not what the model would have said.
    if (repeatable(sampling) && finished.finish !== "deadline") this.#finished.set(prompt.key, finished, this.#deps.clock.now());
  }

  /** The generation of an identical prompt that is under way now. */
  join(prompt: Prompt, sampling: Sampling): Flight | undefined {
    const flight = repeatable(sampling) ? this.#flights.get(prompt.key) : undefined;
    return flight?.over ? undefined : flight;
  }

  /** Starts a generation that others may join; it begins with its first reader. */
  launch(prompt: Prompt, work: Omit<Work, "signal" | "due">, run: Flying["run"]): Flight {
    const flight: SharedFlight = new SharedFlight({
      model: prompt.model,
      work,
      run,
      landed: () => {
        if (this.#flights.get(prompt.key) === flight) this.#flights.delete(prompt.key);
      },
    });
    if (repeatable(work.sampling)) this.#flights.set(prompt.key, flight);
    return flight;
  }

  /** Generations that could be joined. */
  get flights(): number {
    return this.#flights.size;
  }
}

function repeatable(sampling: Sampling): boolean {
  return sampling.temperature === 0 || sampling.seed !== undefined;
}
