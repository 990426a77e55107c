// purse: what drafts of one source may still lose. Decoding pays a small share of its time in, blocks pay in what they won and take
// out what they lost against plain steps; an empty purse means plain steps. So the whole can never be slower than without
// speculation by more than that share and the first filling, whatever the guesses were.

/** Of the time of decoding. */
const share = 0.005;
/** In plain steps: what there is to begin with, and the most that is kept. */
const startSteps = 5;
const mostSteps = 100;

export class Purse {
  /** In plain steps, so that it keeps its worth when the machine gets slower. */
  #steps = startSteps;

  affords(lossSteps: number): boolean {
    return lossSteps <= this.#steps;
  }

  get steps(): number {
    return this.#steps;
  }

  earn(steps: number): void {
    this.#add(share * steps);
  }

  /** `wonSteps`: plain steps its tokens would have taken, less its own time in plain steps. */
  block(wonSteps: number): void {
    this.#add(wonSteps);
  }

  #add(steps: number): void {
    this.#steps = Math.min(mostSteps, this.#steps + steps);
  }
}
