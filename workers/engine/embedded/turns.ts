// turns: who evaluates next. One sequence at a time gets the processor, for one step or one prompt chunk: a batch of several
// would be no faster on a CPU, and its rounding would make a text depend on who else is served (8 of 36 completions differed
// with four side by side; none does in turns). Better lanes go first, within a lane each in its order. At most `waitingMax` wait.
import assert from "node:assert/strict";

interface Waiting {
  readonly rank: number;
  readonly grant: () => void;
}

export class Turns {
  readonly #waitingMax: number;
  #waiting: Waiting[] = [];
  #taken = false;

  constructor(options: { waitingMax: number }) {
    this.#waitingMax = options.waitingMax;
  }

  /** Resolves with the turn, to be disposed after the evaluation; undefined when the signal aborts first. Rank 0 is best. */
  take(rank: number, signal: AbortSignal): Promise<Disposable | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    if (!this.#taken) return Promise.resolve(this.#turn());
    assert(this.#waiting.length < this.#waitingMax, "more sequences wait for a turn than there are");
    return new Promise((resolve) => {
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        resolve(undefined);
      };
      const grant = () => {
        signal.removeEventListener("abort", leave);
        resolve(this.#turn());
      };
      const waiting = { rank, grant };
      this.#waiting.push(waiting);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  #turn(): Disposable {
    this.#taken = true;
    return { [Symbol.dispose]: () => this.#next() };
  }

  #next(): void {
    this.#taken = false;
    const best = this.#waiting.reduce<Waiting | undefined>(
      (first, other) => (first && first.rank <= other.rank ? first : other),
      undefined,
    );
    if (!best) return;
    this.#waiting = this.#waiting.filter((other) => other !== best);
    best.grant();
  }
}
