// ending-with: an iterable that also ends when a signal aborts, between two values or while it waits for one.

/** Values of `source` until it or the signal ends. Nothing is thrown for the abort: what to do then is the reader's. */
export async function* endingWith<T>(signal: AbortSignal, source: AsyncIterable<T>): AsyncGenerator<T, void> {
  const values = source[Symbol.asyncIterator]();
  let wake: (() => void) | undefined;
  // One listener for all values: a race against one long-lived promise would keep something of every value.
  const aborted = () => wake?.();
  signal.addEventListener("abort", aborted, { once: true });
  try {
    while (!signal.aborted) {
      const step = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
        wake = () => resolve(undefined);
        values.next().then(resolve, reject);
      });
      if (!step || step.done) return;
      yield step.value;
    }
  } finally {
    signal.removeEventListener("abort", aborted);
  }
}

/** Waits for a promise that never rejects, or for the signal. */
export function untilEither(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const over = () => {
      signal.removeEventListener("abort", over);
      resolve();
    };
    signal.addEventListener("abort", over, { once: true });
    void promise.then(over);
  });
}
