// contenders: every policy with the settings it is tuned over, as a person with training days would; ours has none. Each setting makes a
// fresh policy.
import type { ScalingRules } from "../../operator/scaling.ts";
import { dynamo } from "./policies/dynamo.ts";
import { hpa } from "./policies/hpa.ts";
import { keda } from "./policies/keda.ts";
import { kpa } from "./policies/kpa.ts";
import { slipstream } from "./policies/slipstream.ts";
import { wva } from "./policies/wva.ts";
import type { Policy } from "./run.ts";

export const policyNames = ["slipstream", "hpa", "keda", "kpa", "wva", "dynamo"] as const;
export type PolicyName = (typeof policyNames)[number];

export interface Setting {
  readonly said: string;
  readonly make: () => Policy;
}

/** What is known before: of a worker, and of the busiest training minute. */
export interface Known {
  readonly targetMs: number;
  readonly slots: number;
  readonly capacityRps: number;
  readonly peakWorkers: number;
}

/** The safest first: aims of policies on concurrency, in system on one worker, and shares of what a worker serves. */
const inSystem = Array.from({ length: 56 }, (_, i) => 2.5 + 0.1 * i);
const shares = Array.from({ length: 51 }, (_, i) => 0.5 + 0.01 * i);

/** Families of settings, in each the safest first. */
export function settingsOf(name: PolicyName, known: Known): Setting[][] {
  const { targetMs, slots, capacityRps, peakWorkers } = known;
  if (name === "slipstream") return [[{ said: "none", make: () => slipstream(rulesOf(known)) }]];
  if (name === "hpa")
    return [
      inSystem.map((target) => ({
        said: `${target.toFixed(1)} in system`,
        make: () => hpa({ target, stabilizationS: 300 }),
      })),
    ];
  if (name === "keda")
    return [0, 0.7, 0.9].map((office) =>
      shares.map((share) => {
        const [targetRps, officeReplicas] = [share * capacityRps, Math.round(office * peakWorkers)];
        const said = `${targetRps.toFixed(1)} triggers/s${office > 0 ? `, ${officeReplicas} in office hours` : ""}`;
        return { said, make: () => keda({ targetRps, officeReplicas }) };
      }),
    );
  if (name === "kpa")
    return [60, 600].map((downDelayS) =>
      inSystem.map((target) => ({
        said: `${target.toFixed(1)} in system, down after ${downDelayS} s`,
        make: () => kpa({ target, downDelayS }),
      })),
    );
  if (name === "wva")
    return [
      inSystem.map((target) => {
        const upAt = target / slots;
        return { said: `up at ${upAt.toFixed(3)}`, make: () => wva({ upAt, downAt: (upAt * 0.7) / 0.85, slots }) };
      }),
    ];
  return (["constant", "seasonal"] as const).map((predictor) =>
    shares.map((share) => {
      const engineRps = share * capacityRps;
      return { said: `${engineRps.toFixed(1)} triggers/s, ${predictor}`, make: () => dynamo({ engineRps, predictor, targetMs }) };
    }),
  );
}

/** As a WorkerPool that says nothing but its target has them, with weeks. */
const rulesOf = ({ targetMs, slots }: Known): ScalingRules => ({
  ...{ minReplicas: 1, maxReplicas: 1_000, targetMs, slots, headroom: "Auto", seasonality: "Weekly", schedules: [] },
  ...{ holdMs: 300_000, step: 1, spareReplicas: 0, startDeadlineMs: 900_000 },
});
