// fleet: services, pools and model caches as they are followed in, what a person wants to see of them out: what their status says, in
// the operator's own words and in the order of urgency. Pure; nothing is asked of the cluster.
import type { FleetObject, FleetView } from "../lib/fleet-view.ts";
import { type ConditionType, conditionTypes, reasonTable } from "./api/conditions.ts";
import type { Json, KindName, KubeObject } from "./objects.ts";

const shown = ["CompletionService", "WorkerPool", "ModelCache"] as const satisfies readonly KindName[];
const order = Object.keys(conditionTypes);

/** Fields of status that a person reads, by kind, with what they are called. */
const facts: Readonly<Record<(typeof shown)[number], readonly (readonly [name: string, at: string])[]>> = {
  CompletionService: [
    ["Routers ready", "ready"],
    ["Endpoint", "endpoint"],
    ["First text p95", "p95"],
    ["Policy version", "policyVersion"],
  ],
  WorkerPool: [
    ["Workers ready", "ready"],
    ["Wanted", "scaling.desired"],
    ["Because", "scaling.reason"],
    ["First text p95", "slo.p95"],
    ["Within the target", "slo.attainment"],
    ["Drafts right", "speculative.acceptance"],
    ["Model", "model"],
    ["Accelerators", "gpu"],
    ["Revision", "currentRevision"],
  ],
  ModelCache: [["Files at", "path"]],
};

export function fleetOf(all: (kind: KindName) => readonly KubeObject[], state: Pick<FleetView, "leads" | "missing">): FleetView {
  const objects = shown.flatMap((kind) => all(kind).map((object) => objectOf(kind, object)));
  const urgency = ({ ready }: FleetObject) => (ready === "False" ? 0 : ready === "Unknown" ? 1 : 2);
  return { ...state, objects: objects.sort((a, b) => urgency(a) - urgency(b) || byPlace(a, b)) };
}

const byPlace = (a: FleetObject, b: FleetObject) =>
  shown.indexOf(a.kind as (typeof shown)[number]) - shown.indexOf(b.kind as (typeof shown)[number]) ||
  a.namespace.localeCompare(b.namespace) ||
  a.name.localeCompare(b.name);

function objectOf(kind: (typeof shown)[number], { metadata, status }: KubeObject): FleetObject {
  const conditions = ((status?.conditions ?? []) as Json[]).filter(({ type }) => type in conditionTypes);
  const ready = conditions.find(({ type }) => type === "Ready");
  // What was said of an older spec does not hold for this one.
  const current = ready && (ready.observedGeneration === undefined || ready.observedGeneration === metadata.generation);
  return {
    kind,
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    ready: current ? String(ready.status) : "Unknown",
    reason: current ? String(ready.reason) : "",
    message: current ? String(ready.message) : "The operator has not said anything of the spec as it is.",
    facts: facts[kind].flatMap(([name, at]) => {
      const value = at.split(".").reduce<Json>((of, field) => of?.[field], status);
      return value === undefined || value === "" ? [] : [[name, String(value)] as const];
    }),
    conditions: conditions
      .sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type))
      .map(({ type, status: holds, reason, message, lastTransitionTime }) => ({
        ...{ type, status: String(holds), reason: String(reason), message: message || meaningOf(reason) },
        since: String(lastTransitionTime ?? ""),
        means: conditionTypes[type as ConditionType],
      })),
    decisions: (status?.scaling?.lastDecisions ?? []) as FleetObject["decisions"],
  };
}

const meaningOf = (reason: string) => (reason in reasonTable ? reasonTable[reason as keyof typeof reasonTable].means : "");
