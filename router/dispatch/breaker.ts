// breaker: how a worker's generations end in, whether it may be asked now out. Pure: closed until `failuresMax` end badly in a
// row, then open for a while that doubles, then probing: one generation shows whether it closes or opens again.

export type Breaker =
  | { readonly state: "closed"; readonly failures: number }
  | { readonly state: "open"; readonly untilMs: number; readonly times: number }
  /** `asked`: the one generation that shows it is under way. */
  | { readonly state: "probing"; readonly asked: boolean; readonly times: number };

export interface BreakerOptions {
  readonly failuresMax: number;
  /** How long it stays open for the first time; doubled each time that a probe fails. */
  readonly openMinMs: number;
  readonly openMaxMs: number;
}

export const closed: Breaker = { state: "closed", failures: 0 };

/** May another generation be sent? */
export function allows(breaker: Breaker): boolean {
  return breaker.state === "closed" || (breaker.state === "probing" && !breaker.asked);
}

/** A generation was sent. */
export function asked(breaker: Breaker): Breaker {
  return breaker.state === "probing" ? { ...breaker, asked: true } : breaker;
}

/** One ended before it had shown anything: neither good nor bad. */
export function unasked(breaker: Breaker): Breaker {
  return breaker.state === "probing" ? { ...breaker, asked: false } : breaker;
}

/** One answered. What answers while it is open was sent before, and says nothing of now. */
export function succeeded(breaker: Breaker): Breaker {
  if (breaker.state === "open") return breaker;
  return breaker.state === "closed" && breaker.failures === 0 ? breaker : closed;
}

export function failed(breaker: Breaker, now: number, options: BreakerOptions): Breaker {
  if (breaker.state === "open") return breaker;
  if (breaker.state === "probing") return open(breaker.times + 1, now, options);
  const failures = breaker.failures + 1;
  return failures < options.failuresMax ? { state: "closed", failures } : open(1, now, options);
}

/** Opens at once, however it did before. */
export function tripped(breaker: Breaker, now: number, options: BreakerOptions): Breaker {
  return breaker.state === "open" ? breaker : open(breaker.state === "probing" ? breaker.times + 1 : 1, now, options);
}

/** Time passed: an open one begins to probe. */
export function lapsed(breaker: Breaker, now: number): Breaker {
  return breaker.state === "open" && now >= breaker.untilMs ? { state: "probing", asked: false, times: breaker.times } : breaker;
}

function open(times: number, now: number, { openMinMs, openMaxMs }: BreakerOptions): Breaker {
  return { state: "open", untilMs: now + Math.min(openMaxMs, openMinMs * 2 ** Math.min(times - 1, 16)), times };
}
