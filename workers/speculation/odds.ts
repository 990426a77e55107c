// odds: what became of drafted tokens in, the chance that the next one is accepted out. A token is judged by its kind: of a
// draft model how sure that was, of a lookup how long a text matched before it; each kind begins with a modest guess.
// Old evidence fades, so that another file or another language is noticed.
import type { Source } from "./plan.ts";

/** Drafts remembered of one kind; older ones have faded to a third. */
const memory = 200;
/** Weight of the guess a kind begins with, in drafts. */
const guessWeight = 4;
/** Guesses by how long the match is, the drafted tokens before included: 1, 2, 3, 4, 5–6, 7–9, 10 and more. */
const matchGuesses = [0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65];
const confidenceKinds = 8;

class Chance {
  #of = guessWeight;
  #yes: number;

  constructor(guess: number) {
    this.#yes = guess * guessWeight;
  }

  get value(): number {
    return this.#yes / this.#of;
  }

  add(yes: boolean): void {
    const keep = 1 - 1 / memory;
    this.#of = this.#of * keep + 1;
    this.#yes = this.#yes * keep + (yes ? 1 : 0);
  }
}

export class Odds {
  readonly #byMatch = matchGuesses.map((guess) => new Chance(guess));
  // A draft model is taken at its word until it is known better.
  readonly #byConfidence = Array.from({ length: confidenceKinds }, (_, kind) => new Chance((kind + 0.5) / confidenceKinds));
  /** Of a draft model's next token, before it is there: by position. */
  readonly #byPosition: readonly Chance[];

  constructor(options: { lengthMax: number }) {
    this.#byPosition = Array.from({ length: options.lengthMax }, () => new Chance(0.45));
  }

  /** `evidence`: the match's tokens for a lookup, the draft model's probability for a model. */
  of(source: Exclude<Source, "none">, evidence: number): number {
    return (source === "lookup" ? this.#byMatch[matchKind(evidence)] : this.#byConfidence[confidenceKind(evidence)])?.value ?? 0;
  }

  next(position: number): number {
    return this.#byPosition[Math.min(position, this.#byPosition.length - 1)]?.value ?? 0;
  }

  /** The drafts of one block and how many were accepted: those after the first refused one were not put to the test. */
  learn(source: Exclude<Source, "none">, evidence: readonly number[], accepted: number): void {
    for (let i = 0; i < Math.min(evidence.length, accepted + 1); i++) {
      const kinds = source === "lookup" ? this.#byMatch : this.#byConfidence;
      kinds[source === "lookup" ? matchKind(evidence[i] ?? 0) : confidenceKind(evidence[i] ?? 0)]?.add(i < accepted);
      if (source === "model") this.#byPosition[i]?.add(i < accepted);
    }
  }
}

/** Of seven: how long a match is. */
export function matchKind(tokens: number): number {
  return tokens <= 4 ? Math.max(0, tokens - 1) : tokens <= 6 ? 4 : tokens <= 9 ? 5 : 6;
}

function confidenceKind(probability: number): number {
  return Math.max(0, Math.min(confidenceKinds - 1, Math.floor(probability * confidenceKinds)));
}
