// batch: how many generations may run at once, so that a decode step stays within its budget. Steps of the engine in, a number of
// slots out. A step is taken to cost s0 + s1·b for b generations, both learned from steps of late by least squares, what is
// older counting for less. Pure state; holds five sums.

export interface BatchOptions {
  readonly slots: number;
  /** Longest step of a lane that somebody waits for; 0: none, every slot is used. */
  readonly stepBudgetMs: number;
}

/** What is left of a sample after the next one; forty samples are as good as all. */
const keep = 0.975;
const samplesMin = 20;
/** Below this spread of batches their steps say nothing of the slope. */
const varianceMin = 0.25;

export class Batch {
  readonly #options: BatchOptions;
  #samples = 0;
  #sum = { n: 0, b: 0, bb: 0, ms: 0, bms: 0 };

  constructor(options: BatchOptions) {
    this.#options = options;
  }

  /** A step of late took `ms` with `running` generations. */
  stepped(running: number, ms: number): void {
    if (running <= 0 || ms <= 0) return;
    const { n, b, bb, ms: sum, bms } = this.#sum;
    this.#samples += 1;
    this.#sum = {
      ...{ n: n * keep + 1, b: b * keep + running, bb: bb * keep + running * running },
      ...{ ms: sum * keep + ms, bms: bms * keep + running * ms },
    };
  }

  /** Slots that may be used. One step of one generation over the budget: no batch would keep it, and all are used. */
  get max(): number {
    const { slots, stepBudgetMs } = this.#options;
    const { n, b, bb, ms, bms } = this.#sum;
    if (stepBudgetMs <= 0 || this.#samples < samplesMin) return slots;
    const variance = bb / n - (b / n) ** 2;
    if (variance < varianceMin) return slots;
    const s1 = (bms / n - (b / n) * (ms / n)) / variance;
    const s0 = ms / n - (s1 * b) / n;
    if (s1 <= 0 || s0 + s1 >= stepBudgetMs) return slots;
    return Math.min(slots, Math.floor((stepBudgetMs - s0) / s1 + 1e-6));
  }
}
