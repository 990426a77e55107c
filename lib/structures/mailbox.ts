// mailbox: values pushed by one side, read as an AsyncIterable by the other. Bounded: what does not fit is refused
// (`push` says so) or displaces the oldest, as the options say; the owner counts it.

export interface MailboxOptions {
  readonly max: number;
  /** "refuse": push returns false when full. "drop_oldest": the oldest value is lost. */
  readonly full: "refuse" | "drop_oldest";
}

export class Mailbox<T> implements AsyncIterable<T> {
  readonly #options: MailboxOptions;
  #values: T[] = [];
  #head = 0;
  #ended = false;
  #error: unknown;
  #wake: (() => void) | undefined;
  #dropped = 0;

  constructor(options: MailboxOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#values.length - this.#head;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** False when the value was not taken: the mailbox is full or ended. */
  push(value: T): boolean {
    if (this.#ended) return false;
    if (this.length >= this.#options.max) {
      this.#dropped += 1;
      if (this.#options.full === "refuse" || this.length === 0) return false;
      this.#shift();
    }
    this.#values.push(value);
    this.#wakeUp();
    return true;
  }

  /** No more values; readers finish what is there, then end, or throw `error`. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wakeUp();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      while (this.length > 0) yield this.#shift() as T;
      if (this.over) return;
      await this.filled();
    }
  }

  /** What has come and was not taken: the next value. */
  take(): T | undefined {
    return this.length > 0 ? this.#shift() : undefined;
  }

  /** Nothing is left, and nothing more comes; throws the error that it ended with. */
  get over(): boolean {
    if (!this.#ended || this.length > 0) return false;
    if (this.#error !== undefined) throw this.#error;
    return true;
  }

  /** Resolves when there is something to take, or the end to see. */
  filled(): Promise<void> {
    return new Promise((resolve) => this.whenFilled(resolve));
  }

  /** The same for who wants no promise: calls `wake` once, now or then. */
  whenFilled(wake: () => void): void {
    if (this.length > 0 || this.#ended) {
      wake();
      return;
    }
    // A reader that was given up while it waited must not keep the next one asleep.
    const other = this.#wake;
    this.#wake = other
      ? () => {
          other();
          wake();
        }
      : wake;
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #shift(): T | undefined {
    const value = this.#values[this.#head];
    this.#values[this.#head] = undefined as T;
    this.#head += 1;
    if (this.#head > 64 && this.#head * 2 > this.#values.length) {
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }
}
