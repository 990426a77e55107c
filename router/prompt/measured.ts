// measured: what workers report of prompts in, each model's bytes per token out: exact for what a prompt will cost, in steps
// for budgets, so that a mean that wobbles moves no window. Holds `modelsMax` models.
import { Lru } from "../../lib/structures/lru.ts";
import type { ServedModel } from "../completion.ts";

/** Weight of a new prompt in the mean. */
const weight = 0.005;
/** Prompts before the mean says more than the worker's own figure from its sample. */
const promptsMin = 20;
/** Of the ratio, from step to step; a step is left when the mean is more than one and a half away. */
const stepShare = 0.05;

interface Known {
  prompts: number;
  mean: number;
  step: number;
  /** By its workers, of their own sample. */
  said: number;
}

/** Of code, for a model that nobody spoke of. */
const fallback = 3;

export class BytesPerToken {
  readonly #known: Lru<Known>;

  constructor(options: { readonly modelsMax: number }) {
    this.#known = new Lru({ max: options.modelsMax });
  }

  add(model: string, bytes: number, tokens: number): void {
    if (tokens <= 0 || bytes <= 0) return;
    const ratio = bytes / tokens;
    const known = this.#known.get(model, 0) ?? this.#begin(model);
    known.prompts += 1;
    // The first prompts count alike, or the very first would weigh for long.
    known.mean += (ratio - known.mean) * Math.max(weight, 1 / known.prompts);
    if (known.prompts === promptsMin || Math.abs(Math.log(known.mean) / Math.log(1 + stepShare) - known.step) > 1.5)
      known.step = stepOf(known.mean);
  }

  /** As measured; as the worker says until enough prompts were. */
  exact(model: string): number {
    const known = this.#known.get(model, 0);
    return known && known.prompts >= promptsMin ? known.mean : (known?.said ?? fallback);
  }

  /** For budgets. */
  steady({ name, bytesPerToken }: Pick<ServedModel, "name" | "bytesPerToken">): number {
    const known = this.#known.get(name, 0) ?? this.#begin(name);
    known.said = bytesPerToken;
    return known.prompts >= promptsMin ? (1 + stepShare) ** known.step : bytesPerToken;
  }

  #begin(model: string): Known {
    const known: Known = { prompts: 0, mean: 0, step: 0, said: fallback };
    this.#known.set(model, known, 0);
    return known;
  }
}

function stepOf(ratio: number): number {
  return Math.floor(Math.log(ratio) / Math.log(1 + stepShare));
}
