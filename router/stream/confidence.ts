// confidence: how sure the model is of a text that nobody asked for by hand, from the probabilities of its first tokens as
// the engine tells them. Unsure text is held back before any of it is shown. Which threshold, and what it costs:
// docs/decisions/0009-unsure-text-is-not-shown.md.
import type { Delta, Trigger } from "../completion.ts";

/** Least confidence by model name; under "*" that of all others. A model that is not named shows everything. */
export type LeastConfidence = Readonly<Record<string, number>>;

/** The embedded engine tells the probabilities of so many tokens of a text; more would not change the mean much. */
const tokensWanted = 8;

export function leastFor(
  { kind, lane, shape }: Pick<Trigger, "kind" | "lane" | "shape">,
  model: string,
  least: LeastConfidence,
): number {
  // Who asks by hand wants to see what there is; chat and raw text are promised as the model wrote them.
  if (kind !== "auto" || lane !== "inline" || shape === "raw") return 0;
  return least[model] ?? least["*"] ?? 0;
}

export class Confidence {
  #sum = 0;
  #tokens = 0;

  add({ confidence, tokens }: Delta): void {
    if (confidence === undefined || tokens === 0 || this.known) return;
    this.#sum += confidence * tokens;
    this.#tokens += tokens;
  }

  /** More tokens would not be looked at. */
  get known(): boolean {
    return this.#tokens >= tokensWanted;
  }

  /** undefined: the engine tells nothing. */
  get mean(): number | undefined {
    return this.#tokens === 0 ? undefined : this.#sum / this.#tokens;
  }
}
