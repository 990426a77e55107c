// fleet-stage: an operator's admin port as the page meets it, with a cluster that has a pool which is well, one that waits for room
// and one that is scaled: their statuses as the operator writes them, so that the view can be looked at without a cluster.
import { join } from "node:path";
import { startAdmin } from "../lib/admin.ts";
import { systemClock } from "../lib/clock.ts";
import { Registry } from "../lib/metrics.ts";
import { addPages, readPages } from "../lib/pages.ts";
import { fleetOf } from "../operator/fleet.ts";
import type { KindName, KubeObject } from "../operator/objects.ts";
import { root } from "./child.ts";

const since = "2026-11-24T08:12:00Z";
const condition = (type: string, status: string, reason: string, message: string) => ({
  ...{ type, status, reason, message, lastTransitionTime: since, observedGeneration: 3 },
});
const well = ["Accepted", "ModelReady", "CapacityAvailable", "Available", "ScalingActive"].map((type) =>
  condition(type, "True", "AsExpected", ""),
);

const object = (name: string, status: object): KubeObject =>
  ({ apiVersion: "slipstream.dev/v1alpha1", kind: "", metadata: { name, namespace: "code", generation: 3 }, status }) as KubeObject;

const cluster: Partial<Record<KindName, readonly KubeObject[]>> = {
  CompletionService: [
    object("acme", {
      ...{ ready: "2/2", endpoint: "acme.code.svc:7411", policyVersion: 41, p95: "83ms" },
      conditions: [
        ...well.slice(0, 1),
        condition("SLOMet", "True", "AsExpected", "p95 is 83ms, the target 88ms"),
        condition("Ready", "True", "AsExpected", "2 routers serve"),
      ],
    }),
  ],
  WorkerPool: [
    object("inline-7b", {
      ...{
        ready: "4/4",
        model: "qwen2.5-coder-7b",
        gpu: "1×h100",
        currentRevision: "7c9f4d",
        slo: { p95: "83ms", attainment: "0.98" },
      },
      speculative: { acceptance: "0.71" },
      scaling: {
        ...{ desired: 4, reason: "Load" },
        lastDecisions: [
          { time: "2026-11-24T08:12:00Z", from: 3, to: 4, reason: "Load" },
          { time: "2026-11-23T19:40:00Z", from: 6, to: 3, reason: "Schedule" },
        ],
      },
      conditions: [
        ...well,
        condition("SLOMet", "True", "AsExpected", "p95 is 83ms, the target 88ms"),
        condition("Ready", "True", "AsExpected", "4 of 4 workers serve"),
      ],
    }),
    object("chat-32b", {
      ...{ ready: "1/2", model: "qwen2.5-coder-32b", gpu: "2×h100", scaling: { desired: 2, reason: "Fixed" } },
      conditions: [
        condition("Accepted", "True", "AsExpected", ""),
        condition("CapacityAvailable", "False", "Unschedulable", "0/6 nodes: 6 have too few nvidia.com/gpu"),
        condition("Degraded", "True", "NotEnoughWorkers", "1 of 2 workers serve"),
        condition("Ready", "False", "Unschedulable", "1 of 2 workers serves; the other waits for 2 GPUs that no node has free"),
      ],
    }),
  ],
  ModelCache: [
    object("qwen-7b", {
      path: "/models/qwen2.5-coder-7b",
      conditions: [condition("Ready", "True", "Complete", "5 files, proved")],
    }),
  ],
};

export async function startFleet(): Promise<{ readonly url: string; end(): Promise<void> }> {
  const admin = await startAdmin(
    { address: "127.0.0.1:0" },
    {
      ...{ registry: new Registry(), missing: () => [], clock: systemClock },
      pages: (app) => {
        app.get("/fleet", () => fleetOf((kind) => cluster[kind] ?? [], { leads: true, missing: [] }));
        return addPages(app, readPages(join(root, "dist", "console"), "operator"));
      },
    },
  );
  return { url: `http://127.0.0.1:${admin.port}`, end: () => admin.close() };
}
