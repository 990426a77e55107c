// headroom: β, the standard deviations of the load that a pool has to spare, learns itself: a minute that came near the target raises it,
// each minute else lowers it a little, so that as many minutes come near as the goal allows. No load test is needed to tune it.

export interface Minute {
  readonly rps: number;
  /** What was foreseen of it when workers for it could still be asked for. */
  readonly foreseen: number | undefined;
  readonly p95Ms: number | undefined;
  readonly targetMs: number;
}

/** Near: about 96 of 100 in time where 95 must be. */
const nearShare = 0.97;
const [step, nearGoal] = [0.1, 0.06];
const [betaMin, betaMax] = [0.3, 4];
/** So much more than was foreseen no headroom is for: it would stand idle all day. */
const surprise = 1.3;

export function nextBeta(beta: number, { rps, foreseen, p95Ms, targetMs }: Minute): number {
  if (p95Ms === undefined) return beta;
  if (foreseen !== undefined && rps > surprise * foreseen) return beta;
  const isNear = p95Ms > nearShare * targetMs;
  return Math.min(betaMax, Math.max(betaMin, beta + step * ((isNear ? 1 : 0) - nearGoal)));
}
