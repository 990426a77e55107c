// cache: a Prompt in, the finished text of an identical one out. The key holds tenant, model, prompt and sampling, so nothing
// crosses tenants; only greedy or seeded generations are kept, since others are meant to differ. Bounded by bytes and age.
import type { Clock } from "../../lib/clock.ts";
import { Lru } from "../../lib/structures/lru.ts";
import type { Finish, Prompt, Sampling } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";

export interface CacheOptions {
  readonly bytesMax: number;
  readonly entriesMax: number;
  readonly ttlMs: number;
}

export interface Finished {
  readonly text: string;
  readonly finish: Finish;
  readonly model: string;
}

/** A key, the entry and the map's own share. */
const entryBytes = 200;

export class Cache {
  readonly #deps: { readonly clock: Clock; readonly metrics: Pick<RouterMetrics, "result_cache_lookups_total"> };
  readonly #finished: Lru<Finished>;

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
}

function repeatable(sampling: Sampling): boolean {
  return sampling.temperature === 0 || sampling.seed !== undefined;
}
