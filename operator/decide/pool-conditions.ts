// pool-conditions: the conditions of a WorkerPool, from the same figures, so that no two of them contradict each other.

import type { ReasonWord } from "../api/conditions.ts";
import { durationMs } from "../api/fields.ts";
import type { SpeculationVerdict } from "../moves.ts";
import type { KubeObject } from "../objects.ts";
import type { Judged, PoolSeen, PoolVerdict, RolloutStatus } from "../pool.ts";
import type { Revision } from "./rollout.ts";
import type { Trouble } from "./trouble.ts";

interface Said {
  readonly reason: ReasonWord;
  readonly message: string;
}

export interface Facts {
  readonly refused: Said | undefined;
  readonly model: Said | undefined;
  readonly wanted: number;
  /** How many are wanted, and whether they come. */
  readonly sized: readonly Judged[];
  readonly rollout: RolloutStatus | undefined;
  readonly speculation: SpeculationVerdict;
  /** Pods that are not asked to leave. */
  readonly staying: number;
  readonly revisions: readonly Revision[];
  readonly revision: string;
  readonly counts: PoolVerdict["counts"];
  readonly late: readonly KubeObject[];
  readonly trouble: Trouble | undefined;
}

const yes = (type: Judged["type"], reason: ReasonWord, message: string): Judged => ({ type, status: "True", reason, message });
const no = (type: Judged["type"], reason: ReasonWord, message: string): Judged => ({ type, status: "False", reason, message });

export function poolConditions(seen: PoolSeen, facts: Facts): Judged[] {
  const { refused, model, wanted, counts, trouble, late, staying, sized, speculation } = facts;
  const held = workloadTrouble(seen);
  const worst: Said | undefined = refused ?? model ?? held ?? trouble ?? slow(seen, facts);
  const spare = counts.ready - wanted;
  const old = facts.revisions.filter(({ name, pods }) => name !== facts.revision && pods > 0);
  const rolling = old.length > 0 || counts.updated < Math.min(wanted, staying);
  const waits = isAwaited(model) && refused === undefined ? model : undefined;
  const stalled = rolling && !waits && (worst !== undefined || late.length > 0) && facts.rollout?.way !== "HandOff";
  const aborted = facts.rollout?.way === "Aborted" ? facts.rollout : undefined;
  const accepted = refused
    ? no("Accepted", refused.reason, refused.message)
    : yes("Accepted", "AsExpected", "everything that is named is there");
  const unscheduled = trouble && (trouble.reason === "Unschedulable" || trouble.reason === "ClaimPending") ? trouble : held;
  return [
    accepted,
    model ? no("ModelReady", model.reason, model.message) : yes("ModelReady", "AsExpected", "the model is where pods find it"),
    unscheduled
      ? no("CapacityAvailable", unscheduled.reason, unscheduled.message)
      : (sized.find(({ type }) => type === "CapacityAvailable") ??
        yes("CapacityAvailable", "AsExpected", "every pod has its place")),
    counts.warm < staying
      ? no("Warm", "Warming", `${staying - counts.warm} of ${staying} pods have not finished their warm-up`)
      : yes("Warm", "AsExpected", staying === 0 ? "there are no pods" : `all ${staying} pods are warm`),
    available(seen, facts, worst),
    progressing(facts, worst, rolling, stalled, waits),
    ...sized.filter(({ type }) => type === "ScalingActive"),
    ...figures(seen),
    stalled || aborted
      ? yes(
          "Degraded",
          aborted?.reason ?? "RolloutStalled",
          aborted?.message ?? worst?.message ?? "the new revision takes too long",
        )
      : (guessing(speculation) ?? acceptance(seen) ?? no("Degraded", "AsExpected", "nothing works less well than it should")),
    ready(seen, facts, worst, spare, stalled, rolling ? waits : undefined),
  ];
}

/** What is on its way: a revision that waits for it fails in nothing. */
const isAwaited = (said: Said | undefined) => said?.reason === "BuildingEngine" || said?.reason === "Downloading";

/** The one line for people: how many serve, and the worst of what keeps the others. */
function ready(
  { spec }: PoolSeen,
  { wanted, counts, rollout }: Facts,
  worst: Said | undefined,
  spare: number,
  stalled: boolean,
  waits: Said | undefined,
): Judged {
  const many = `${counts.ready} of ${wanted} workers serve`;
  if (wanted === 0)
    return spec.suspend ? no("Ready", "Suspended", "suspended") : no("Ready", "NoReplicasWanted", "no workers are wanted");
  if (spare >= 0 && waits)
    return yes("Ready", waits.reason, `${many}, of the old revision until the new one can begin: ${waits.message}`);
  if (spare >= 0 && stalled)
    return yes(
      "Ready",
      "RolloutStalled",
      `${many}, of the old revision where the new one fails: ${worst?.message ?? "it takes too long"}`,
    );
  if (spare >= 0) return yes("Ready", "Complete", many);
  // One is missing because its GPU is on its way to the new revision.
  if (spare === -1 && rollout?.way === "HandOff") return yes("Ready", "HandingOff", `${many}: ${rollout.message}`);
  if (worst) return no("Ready", worst.reason, `${many}: ${worst.message}`);
  return no("Ready", "Starting", `${many}; ${counts.starting} start`);
}

function available({ spec }: PoolSeen, { wanted, counts }: Facts, worst: Said | undefined): Judged {
  const { minAvailable } = spec.disruption;
  const share = typeof minAvailable === "string" ? Math.ceil((Number.parseInt(minAvailable, 10) / 100) * wanted) : minAvailable;
  const least = Math.min(wanted, share ?? Math.max(1, wanted - 1));
  return counts.ready >= least
    ? yes("Available", "AsExpected", `${counts.ready} workers serve, at least ${least} must`)
    : no(
        "Available",
        "NotEnoughWorkers",
        `${counts.ready} workers serve, at least ${least} must${worst ? `: ${worst.message}` : ""}`,
      );
}

function progressing(
  { wanted, counts, late, rollout }: Facts,
  worst: Said | undefined,
  rolling: boolean,
  stalled: boolean,
  waits: Said | undefined,
): Judged {
  if (rollout?.way === "Aborted" || (rollout?.way === "Wait" && !stalled))
    return no("Progressing", rollout.reason, rollout.message);
  if (stalled) return no("Progressing", "RolloutStalled", worst?.message ?? `${late.length} pods take too long`);
  if (rolling && waits) return yes("Progressing", waits.reason, waits.message);
  if (rolling)
    return yes(
      "Progressing",
      rollout?.reason ?? "RollingOut",
      `${counts.updated} of ${wanted} pods are of the new revision${rollout ? `: ${rollout.message}` : ""}`,
    );
  if (counts.ready < wanted && (late.length > 0 || worst))
    return no("Progressing", worst?.reason ?? "ColdStartSlow", worst?.message ?? "pods take too long");
  if (counts.ready < wanted) return yes("Progressing", "Starting", `${counts.starting} pods start`);
  if (counts.draining > 0) return yes("Progressing", "Draining", `${counts.draining} pods end`);
  return no("Progressing", "Complete", "everything wanted is there");
}

function slow({ spec }: PoolSeen, { late }: Facts): Said | undefined {
  const [first] = late;
  return (
    first && {
      reason: "ColdStartSlow",
      message: `pod ${first.metadata.name} has been starting for longer than ${spec.startup.deadline}`,
    }
  );
}

/** What the apiserver says to the workload's controller when pods may not even be made. */
function workloadTrouble({ workloads }: PoolSeen): Said | undefined {
  for (const { status, metadata } of workloads) {
    const failure = (status?.conditions ?? []).find(
      (each: { type: string; status: string }) => each.type === "ReplicaFailure" && each.status === "True",
    );
    if (failure)
      return {
        reason: /quota/i.test(failure.message) ? "QuotaExceeded" : "PodsRefused",
        message: `${metadata.name}: ${failure.message}`,
      };
  }
  return undefined;
}

/** Only what routers reported; without a report nothing is said to be met. */
function figures({ figures, spec, setting }: PoolSeen): Judged[] {
  const target = durationMs(spec.scaling.slo.p95) - durationMs(spec.scaling.slo.networkBudget);
  if (!setting.bus)
    return [{ type: "SLOMet", status: "Unknown", reason: "NoBus", message: "the operator hears no bus, so latency is not known" }];
  if (figures?.p95Ms === undefined)
    return [{ type: "SLOMet", status: "Unknown", reason: "MetricsStale", message: "no router reported latency of late" }];
  const said = `95 of 100 first texts come within ${Math.round(figures.p95Ms)} ms at the router; the target leaves ${target} ms`;
  return [figures.p95Ms <= target ? yes("SLOMet", "AsExpected", said) : no("SLOMet", "SLOMissed", said)];
}

function guessing({ on, reason, message }: SpeculationVerdict): Judged | undefined {
  return on ? undefined : yes("Degraded", reason, message);
}

function acceptance({ figures, spec }: PoolSeen): Judged | undefined {
  const { minAcceptance } = spec.speculative;
  const share = figures?.acceptance;
  if (minAcceptance === undefined || share === undefined || share >= Number(minAcceptance)) return undefined;
  return yes(
    "Degraded",
    "AcceptanceLow",
    `${Math.round(share * 100)} % of guessed tokens are accepted; minAcceptance is ${minAcceptance}`,
  );
}
