// service: the verdict on a CompletionService: are its tiers' pools there and ready, do routers serve, do they know what to serve.
import { durationMs } from "../api/fields.ts";
import type { Json } from "../objects.ts";
import type { Judged, ServiceSeen } from "../pool.ts";
import { isEnding, isReady, worstTrouble } from "./trouble.ts";

export interface ServiceVerdict {
  readonly conditions: readonly Judged[];
  readonly ready: number;
  readonly wanted: number;
}

export function decideService(seen: ServiceSeen, problems: readonly string[]): ServiceVerdict {
  const { spec, pools, pods, children } = seen;
  const named = [...new Set(spec.tiers.flatMap((tier) => tier.pools))];
  const missing = named.filter((name) => !pools.has(name));
  const alive = pods.filter((pod) => !isEnding(pod));
  const ready = alive.filter(isReady).length;
  const router = [...children.values()].find(({ kind }) => kind === "Deployment");
  // An HPA writes its number a while after the Deployment is there, which has one until then.
  const wanted = Math.max(spec.router.minReplicas, Number(router?.spec?.replicas ?? 0));
  const trouble = worstTrouble(alive.filter((pod) => !isReady(pod)));
  const unready = named.flatMap((name) => {
    const condition = (pools.get(name)?.status?.conditions ?? []).find((each: Json) => each.type === "Ready");
    return pools.has(name) && condition?.status !== "True" ? [{ name, message: condition?.message ?? "not looked at yet" }] : [];
  });
  const judge = (type: Judged["type"], holds: boolean, reason: Judged["reason"], message: string): Judged => ({
    ...{ type, status: holds ? "True" : "False", reason, message },
  });
  const accepted: Judged =
    missing.length > 0
      ? judge("Accepted", false, "PoolMissing", `there is no WorkerPool ${missing.map((name) => `"${name}"`).join(", ")}`)
      : problems.length > 0
        ? judge("Accepted", false, "PolicyInvalid", problems.join("; "))
        : judge("Accepted", true, "AsExpected", "every tier's pools are there");
  const available =
    ready > 0
      ? judge("Available", true, "AsExpected", `${ready} routers serve`)
      : judge("Available", false, "RoutersUnavailable", trouble?.message ?? "no router serves yet");
  const [first] = unready;
  const summary = (): Judged => {
    if (accepted.status === "False") return { ...accepted, type: "Ready" };
    if (ready === 0) return judge("Ready", false, trouble?.reason ?? "RoutersStarting", trouble?.message ?? "no router serves yet");
    const many = `${ready} of ${wanted} routers serve`;
    if (ready < wanted && trouble) return judge("Ready", false, trouble.reason, `${many}: ${trouble.message}`);
    if (ready < spec.router.minReplicas) return judge("Ready", false, "RoutersStarting", many);
    if (first) return judge("Ready", false, "PoolsNotReady", `pool ${first.name}: ${first.message}`);
    // More than the fewest: the HPA asked for them a moment ago.
    if (ready < wanted) return judge("Ready", true, "RoutersStarting", many);
    return judge("Ready", true, "Complete", `${ready} routers serve ${spec.tiers.length} tiers`);
  };
  return { conditions: [accepted, available, slo(seen), summary()], ready, wanted };
}

function slo({ figures, spec, setting }: ServiceSeen): Judged {
  const unknown = (reason: Judged["reason"], message: string): Judged => ({ type: "SLOMet", status: "Unknown", reason, message });
  if (!setting.bus) return unknown("NoBus", "the operator hears no bus, so latency is not known");
  if (figures?.p95Ms === undefined) return unknown("MetricsStale", "no router reported latency of late");
  const { p95, networkBudget } = spec.slo.inline;
  const left = durationMs(p95) - durationMs(networkBudget);
  const holds = figures.p95Ms <= left;
  const message = `95 of 100 first texts come within ${Math.round(figures.p95Ms)} ms at the router; the target leaves ${left} ms`;
  return { type: "SLOMet", status: holds ? "True" : "False", reason: holds ? "AsExpected" : "SLOMissed", message };
}
