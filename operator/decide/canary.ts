// canary: what the first workers of a new revision do, and those of the old one beside them, in; hold, promote or abort out. What the
// old revision does as badly is no fault of the new one; what nobody measured proves nothing, so then it is held on.
import type { CanarySeen, CanaryVerdict, RevisionFigures } from "../moves.ts";

/** So much worse than the old revision is worse. */
const worseShare = 0.1;
/** Of fewer triggers nothing is said: chance would decide. */
const triggersMin = 50;
/** More than these shares of triggers late, or of generations failed, and twice the old one's, are too many. */
const [lateShareMax, failedShareMax] = [0.05, 0.01];
/** One that fails is an accident. */
const failedMin = 3;

type Check = (seen: CanarySeen) => string | undefined;

const aborts: Readonly<Record<CanarySeen["abortOn"][number], Check>> = {
  Restarts: ({ fresh, old }) => (perPod(fresh) > perPod(old) ? `its containers were restarted ${fresh.restarts} times` : undefined),
  SLOMissed: (seen) => slow(seen) ?? late(seen),
  AcceptanceLow: ({ fresh, minAcceptance }) =>
    fresh.acceptance !== undefined && minAcceptance !== undefined && fresh.acceptance < minAcceptance
      ? `${percent(fresh.acceptance)} of guessed tokens are accepted; minAcceptance is ${minAcceptance}`
      : undefined,
  Failures: ({ fresh, old }) => {
    const share = failedShare(fresh);
    if ((fresh.failed ?? 0) < failedMin || share <= failedShareMax || share <= 2 * failedShare(old)) return undefined;
    return `${fresh.failed} of its ${triggersOf(fresh) + (fresh.failed ?? 0)} generations failed (${percent(share)}; ${percent(failedShare(old))} of the old one's)`;
  },
};

function slow({ fresh, old, targetMs }: CanarySeen): string | undefined {
  if (fresh.p95Ms === undefined || !isEnough(fresh) || fresh.p95Ms <= targetMs) return undefined;
  if (fresh.p95Ms <= (old.p95Ms ?? 0) * (1 + worseShare)) return undefined;
  const beside = old.p95Ms === undefined ? "" : `, with the old one ${Math.round(old.p95Ms)} ms`;
  return `first text takes ${Math.round(fresh.p95Ms)} ms at p95${beside}; the target leaves ${targetMs} ms`;
}

/** Who answers too late to be seen has no first text that could be slow. */
function late({ fresh, old }: CanarySeen): string | undefined {
  const share = lateShare(fresh);
  if (!isEnough(fresh) || share <= lateShareMax || share <= 2 * lateShare(old)) return undefined;
  return `the deadline of ${percent(share)} of its triggers passed without text (${percent(lateShare(old))} of the old one's)`;
}

export function decideCanary(seen: CanarySeen): CanaryVerdict {
  const { nowMs, sinceMs, holdMs, abortOn, fresh } = seen;
  for (const name of abortOn) {
    const why = aborts[name](seen);
    if (why) return { verdict: "abort", reason: "CanaryAborted", message: `the new revision is taken back: ${why}` };
  }
  const left = Math.ceil((holdMs - (nowMs - sinceMs)) / 1_000);
  const held = (message: string) => ({ verdict: "hold", reason: "CanaryHeld", message: `${message}${sofar(seen)}` }) as const;
  if (left > 0) return held(`the new revision is watched for ${left} s more`);
  const unmeasured = abortOn.includes("SLOMissed") && (fresh.p95Ms === undefined || !isEnough(fresh));
  return unmeasured
    ? held("the new revision is held: routers measured too little of it yet")
    : { verdict: "promote", reason: "RollingOut", message: `the new revision held what it was watched for${sofar(seen)}` };
}

/** For people who wait: how it does. */
function sofar({ fresh, old }: CanarySeen): string {
  if (fresh.p95Ms === undefined) return "";
  const beside = old.p95Ms === undefined ? "" : ` (the old one ${Math.round(old.p95Ms)} ms)`;
  const counted =
    fresh.texts === undefined ? "" : `, ${fresh.texts} triggers answered, ${fresh.expired ?? 0} late, ${fresh.failed ?? 0} failed`;
  return `: first text ${Math.round(fresh.p95Ms)} ms at p95${beside}${counted}`;
}

/** Twenty pods restart more often than one does. */
const perPod = ({ restarts, pods = 1 }: RevisionFigures) => restarts / Math.max(1, pods);
const triggersOf = ({ texts = 0, expired = 0 }: RevisionFigures) => texts + expired;
/** Who does not say how many there were is believed. */
export const isEnough = (of: RevisionFigures) => of.texts === undefined || triggersOf(of) >= triggersMin;
const lateShare = (of: RevisionFigures) => (of.expired ?? 0) / Math.max(1, triggersOf(of));
const failedShare = (of: RevisionFigures) => (of.failed ?? 0) / Math.max(1, triggersOf(of) + (of.failed ?? 0));
const percent = (share: number) => `${Number((100 * share).toPrecision(2))} %`;
