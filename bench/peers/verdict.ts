// verdict: of the triggers seen so far, how many were late, in; whether the crowd is served, out, as soon as chance can hardly turn it: a
// crowd that is far from the knee need not type to the end. Pure. Served: fewer than `lateShareMax` are late, which is p95 within the goal.

const lateShareMax = 0.05;

export interface Seen {
  readonly triggers: number;
  readonly late: number;
}

/** 99 of 100 on either side. */
const deviations = 2.58;
/** Triggers of one moment are late together, so that as many of them say less. */
const likeness = 2;

/** Undefined: it is too near to tell. Wilson's interval of the share that is late. */
export function verdictOf({ triggers, late }: Seen): "served" | "unserved" | undefined {
  const n = triggers / likeness;
  if (n < 1) return undefined;
  const share = late / triggers;
  const z2 = deviations ** 2;
  const middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (deviations / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  if (middle + half < lateShareMax) return "served";
  return middle - half > lateShareMax ? "unserved" : undefined;
}
