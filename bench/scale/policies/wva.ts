// wva: after llm-d's workload variant autoscaler, second analyzer: workers for what is in system over what one can hold at a share of
// saturation; none while pods are pending; fewer when a lower share would do. Every 15 s, and an HPA applies it.
import type { Policy } from "../run.ts";
import { HpaActuator, Lagged } from "./hpa.ts";

export interface WvaOptions {
  /** Shares of saturation above which it adds, and up to which it may take away. */
  readonly upAt: number;
  readonly downAt: number;
  readonly slots: number;
}

const [engineS, syncS, lagS, meanS, stabilizationS] = [15, 15, 15, 30, 300];

export function wva({ upAt, downAt, slots }: WvaOptions): Policy {
  const demand = new Lagged(meanS, lagS);
  const actuator = new HpaActuator(stabilizationS);
  let desired = 1;
  return ({ nowS, inFlight, queued, fleet }) => {
    demand.add(inFlight + queued);
    if (nowS % engineS === 0) {
      const value = demand.value();
      const supply = fleet.wanted * slots;
      const [missing, spare] = [value / upAt - supply, supply - value / downAt];
      if (missing > 0 && fleet.starting.length === 0) desired = fleet.wanted + Math.ceil(missing / slots);
      else if (missing <= 0) desired = fleet.wanted - Math.max(0, Math.floor(spare / slots));
    }
    return nowS % syncS === 7 ? actuator.act(nowS, fleet.wanted, Math.max(1, desired)) : fleet.wanted;
  };
}
