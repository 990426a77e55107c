// kpa: Knative's pod autoscaler on concurrency: a stable window of a minute and a panic window of six seconds, looked at every two; panic
// at twice what is ready, and for a minute after; at most down to half at once; scale-down-delay as set.
import type { Policy } from "../run.ts";

export interface KpaOptions {
  /** Triggers in system that a pod shall have. */
  readonly target: number;
  readonly downDelayS: number;
}

const [tickS, stableS, panicS, panicAt] = [2, 60, 6, 2];

export function kpa({ target, downDelayS }: KpaOptions): Policy {
  const values: number[] = [];
  const said: { readonly atS: number; readonly desired: number }[] = [];
  let [panicUntilS, panicMost] = [-1, 0];
  const mean = (seconds: number) => {
    const of = values.slice(-seconds);
    return of.reduce((sum, each) => sum + each, 0) / Math.max(1, of.length);
  };
  return ({ nowS, inFlight, queued, fleet }) => {
    values.push(inFlight + queued);
    if (values.length > stableS) values.shift();
    if (nowS % tickS !== 0) return fleet.wanted;
    const ready = Math.max(1, fleet.ready);
    const [stable, panic] = [Math.ceil(mean(stableS) / target), Math.ceil(mean(panicS) / target)];
    if (panic / ready >= panicAt) panicUntilS = nowS + stableS;
    const isPanic = nowS < panicUntilS;
    panicMost = isPanic ? Math.max(panicMost, stable, panic, fleet.wanted) : 0;
    const desired = Math.max(Math.floor(ready / 2), isPanic ? panicMost : stable, 1);
    said.push({ atS: nowS, desired });
    while (said.length > 0 && (said[0] as { atS: number }).atS < nowS - downDelayS) said.shift();
    return Math.max(desired, ...said.map((each) => each.desired));
  };
}
