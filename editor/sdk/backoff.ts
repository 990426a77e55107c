// backoff: attempts that failed in a row in, the pause before the next one out. It doubles up to a bound, and chance takes up to
// half of it away: a thousand windows that lost one router do not come back in one moment. Pure.
import type { Random } from "../../lib/random.ts";

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
}

export const backoffDefaults: BackoffOptions = { firstMs: 200, maxMs: 30_000 };

export function pauseMs({ firstMs, maxMs }: BackoffOptions, failures: number, random: Random): number {
  const whole = Math.min(maxMs, firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return whole * (1 - random.next() / 2);
}
