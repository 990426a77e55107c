// prefill-budget: how much of a prompt goes into the next step. A step takes at most `chunkTokens` of prompts in all, shared
// out among those that prefill, so that an abort is seen after one small step however many prompts are waiting.

export class PrefillBudget {
  readonly #chunkTokens: number;
  readonly #left = new Map<object, number>();

  constructor(options: { chunkTokens: number }) {
    this.#chunkTokens = options.chunkTokens;
  }

  get backlogTokens(): number {
    let sum = 0;
    for (const left of this.#left.values()) sum += left;
    return sum;
  }

  /** Says how much `owner` has left to prefill; 0 takes it off. At most one entry a sequence. */
  set(owner: object, left: number): void {
    if (left > 0) this.#left.set(owner, left);
    else this.#left.delete(owner);
  }

  /** Tokens that one of those who prefill now may evaluate in its next step. */
  share(): number {
    return Math.max(1, Math.floor(this.#chunkTokens / Math.max(1, this.#left.size)));
  }
}
