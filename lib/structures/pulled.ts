// pulled: something that is looked at step by step in, an async generator out, written by hand: one promise a value, where an
// `async function*` costs several for each of the hands that a value goes through. One reader, who asks for one value at a time.

export interface Pull<T, R> {
  /** The next step where there is one now; throws what it ended with. */
  step(): IteratorResult<T, R> | undefined;
  /** Calls once, when there may be one. */
  wait(wake: () => void): void;
  /** It has ended, broke, or its reader left: once. `thrown`: what it broke with. */
  over(how: "ended" | "broke" | "left", thrown?: unknown): void;
}

export function pulled<T, R>(pull: Pull<T, R>): AsyncGenerator<T, R> {
  return new Pulled(pull);
}

class Pulled<T, R> implements AsyncGenerator<T, R> {
  readonly #pull: Pull<T, R>;
  #open = true;
  #resolve: ((step: IteratorResult<T, R>) => void) | undefined;
  #reject: (thrown: unknown) => void = () => {};
  /** Made once for all values. */
  readonly #ask = (resolve: (step: IteratorResult<T, R>) => void, reject: (thrown: unknown) => void) => {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#look();
  };
  readonly #look = () => {
    const resolve = this.#resolve;
    // Its reader left meanwhile, or has its value.
    if (!resolve) return;
    let step: IteratorResult<T, R> | undefined;
    try {
      step = this.#pull.step();
    } catch (thrown) {
      this.#resolve = undefined;
      this.#close("broke", thrown);
      this.#reject(thrown);
      return;
    }
    if (!step) return this.#pull.wait(this.#look);
    this.#resolve = undefined;
    if (step.done) this.#close("ended");
    resolve(step);
  };

  constructor(pull: Pull<T, R>) {
    this.#pull = pull;
  }

  next(): Promise<IteratorResult<T, R>> {
    if (!this.#open) return Promise.resolve({ done: true, value: undefined as R });
    return new Promise(this.#ask);
  }

  async return(value: R | PromiseLike<R>): Promise<IteratorResult<T, R>> {
    this.#leave();
    return { done: true, value: await value };
  }

  async throw(thrown: unknown): Promise<IteratorResult<T, R>> {
    this.#leave();
    throw thrown;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
  }

  #leave(): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    this.#close("left");
    resolve?.({ done: true, value: undefined as R });
  }

  #close(how: "ended" | "broke" | "left", thrown?: unknown): void {
    if (!this.#open) return;
    this.#open = false;
    this.#pull.over(how, thrown);
  }
}
