// loop-turns: pieces of work that take this process's processor for a while in, one of them let go a turn of the event loop: what came
// over the wire is read between two of them, so that a Cancel waits for one and not for all that came with it. First come, first let go.

export class LoopTurns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves in a turn that is nobody else's. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) this.#letGo();
    });
  }

  #letGo(): void {
    setImmediate(() => {
      // Who is let go acts before the next turn: all that resolves here runs first.
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#letGo();
    });
  }
}
