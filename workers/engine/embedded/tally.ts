// tally: the blocks of all generations in, counts since the start out: what was drafted and accepted at each position, and how
// often which plan was taken and why. Crosses to the agent with the load.
import { type DraftSource, type DraftWhy, draftSources, draftWhys } from "../../generation.ts";

export interface Tallied {
  readonly drafted: readonly number[];
  readonly accepted: readonly number[];
  /** Of the target, and of the draft model, those that only read included. */
  readonly passes: { readonly target: number; readonly draft: number };
  /** Processor time of all blocks, for measurements on a busy machine. */
  readonly processorMs: number;
  /** Blocks by source, and by reason. */
  readonly sources: Readonly<Record<DraftSource, number>>;
  readonly whys: Readonly<Record<DraftWhy, number>>;
}

export class Tally {
  readonly #drafted: number[];
  readonly #accepted: number[];
  #passes = { target: 0, draft: 0 };
  #processorMs = 0;
  readonly #sources = zeros(draftSources);
  readonly #whys = zeros(draftWhys);

  constructor(options: { lengthMax: number }) {
    this.#drafted = Array(options.lengthMax).fill(0);
    this.#accepted = Array(options.lengthMax).fill(0);
  }

  block(block: { source: DraftSource; why: DraftWhy; tokens: readonly number[]; accepted: number; draftPasses: number }): void {
    const { source, why, tokens, accepted, draftPasses } = block;
    this.#sources[source] += 1;
    this.#whys[why] += 1;
    this.#passes = { target: this.#passes.target + 1, draft: this.#passes.draft + draftPasses };
    for (let i = 0; i < tokens.length; i++) {
      this.#drafted[i] = (this.#drafted[i] ?? 0) + 1;
      if (i < accepted) this.#accepted[i] = (this.#accepted[i] ?? 0) + 1;
    }
  }

  spent(processorMs: number): void {
    this.#processorMs += processorMs;
  }

  get now(): Tallied {
    return {
      drafted: [...this.#drafted],
      accepted: [...this.#accepted],
      passes: this.#passes,
      processorMs: this.#processorMs,
      sources: { ...this.#sources },
      whys: { ...this.#whys },
    };
  }
}

function zeros<const K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
