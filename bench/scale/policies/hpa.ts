// hpa: a Kubernetes HorizontalPodAutoscaler (v2) on triggers in system per pod, by its published rules: a look every 15 s, a tolerance of
// a tenth, at most twice as many or four more in 15 s, the largest of the last recommendations before anything leaves. Its metric is
// a mean over a minute that is scraped every 15 s and half a minute old.
import type { Policy } from "../run.ts";

export interface HpaOptions {
  /** Triggers in system that a pod shall have. */
  readonly target: number;
  readonly stabilizationS: number;
}

const [syncS, lagS, meanS, tolerance] = [15, 30, 60, 0.1];

export function hpa({ target, stabilizationS }: HpaOptions): Policy {
  const metric = new Lagged(meanS, lagS);
  const actuator = new HpaActuator(stabilizationS);
  return ({ nowS, inFlight, queued, fleet }) => {
    metric.add(inFlight + queued);
    if (nowS % syncS !== 0) return fleet.wanted;
    const total = metric.value();
    // Those that start count as idle on the way up, and are left out on the way down.
    const ratio = total / Math.max(1, fleet.wanted) / target;
    const ready = total / Math.max(1, fleet.ready) / target;
    const desired = Math.abs((ratio > 1 ? ratio : ready) - 1) <= tolerance ? fleet.wanted : Math.ceil(total / target);
    return actuator.act(nowS, fleet.wanted, desired);
  };
}

/** What the HPA makes of a recommendation: also of those that KEDA and WVA hand it. */
export class HpaActuator {
  readonly #stabilizationS: number;
  readonly #said: { readonly atS: number; readonly desired: number }[] = [];

  constructor(stabilizationS: number) {
    this.#stabilizationS = stabilizationS;
  }

  act(nowS: number, current: number, desired: number): number {
    this.#said.push({ atS: nowS, desired });
    while (this.#said.length > 0 && (this.#said[0] as { atS: number }).atS < nowS - this.#stabilizationS) this.#said.shift();
    const stable = Math.max(...this.#said.map((each) => each.desired));
    const up = Math.max(2 * current, current + 4);
    return Math.max(1, Math.min(up, desired > current ? desired : Math.min(current, stable)));
  }
}

/** The mean over a while, as it was some seconds ago. */
export class Lagged {
  readonly #values: number[] = [];
  readonly #meanS: number;
  readonly #lagS: number;

  constructor(meanS: number, lagS: number) {
    this.#meanS = meanS;
    this.#lagS = lagS;
  }

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#meanS + this.#lagS) this.#values.shift();
  }

  value(): number {
    const old = this.#values.slice(0, Math.max(1, this.#values.length - this.#lagS));
    return old.reduce((sum, each) => sum + each, 0) / Math.max(1, old.length);
  }
}
