// clock: the page's only source of time; tests bring their own.

export interface PageClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since 1970. */
  wall(): number;
  /** Calls once after `ms`; dispose to take it back. */
  timer(ms: number, fire: () => void): Disposable;
}

/** Milliseconds since 1970 of a time as it is written (RFC 3339); undefined: it is none. */
export function wallOf(text: string): number | undefined {
  const wall = Date.parse(text);
  return Number.isNaN(wall) ? undefined : wall;
}

export const pageClock: PageClock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  timer(ms, fire) {
    const handle = setTimeout(fire, ms);
    return { [Symbol.dispose]: () => clearTimeout(handle) };
  },
};
