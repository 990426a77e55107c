import { expect, test } from "vitest";
import type { Json, KindName, KubeObject } from "../objects.ts";
import { mountedEngines } from "./mounted-engines.ts";

const mounting = (subPath: string, claimName = "coder-engines"): Json => ({
  volumes: [
    { name: "engine", persistentVolumeClaim: { claimName } },
    { name: "tmp", emptyDir: {} },
  ],
  containers: [
    { name: "agent", volumeMounts: [{ name: "tmp", mountPath: "/tmp", subPath: "other" }] },
    { name: "engine", volumeMounts: [{ name: "engine", mountPath: "/models/engine", subPath }] },
  ],
});
const object = (kind: KindName, spec: Json, more: { namespace?: string; phase?: string } = {}): KubeObject => ({
  ...{ apiVersion: "v1", kind, metadata: { name: "x", namespace: more.namespace ?? "code" } },
  ...{ spec, status: { phase: more.phase } },
});
const cache = { apiVersion: "v1", kind: "ModelCache", metadata: { name: "coder", namespace: "code" } };

test.each<[what: string, object: KubeObject, names: string[]]>([
  ["a pod that runs", object("Pod", mounting("a1"), { phase: "Running" }), ["a1"]],
  ["a pod that waits for its first start", object("Pod", mounting("a1"), { phase: "Pending" }), ["a1"]],
  ["no pod that failed", object("Pod", mounting("a1"), { phase: "Failed" }), []],
  ["a revision that has no pod now", object("Deployment", { replicas: 0, template: { spec: mounting("b2") } }), ["b2"]],
  [
    "several pods as one worker",
    object("LeaderWorkerSet", {
      leaderWorkerTemplate: { leaderTemplate: { spec: mounting("c3") }, workerTemplate: { spec: mounting("d4") } },
    }),
    ["c3", "d4"],
  ],
  ["nothing of another cache", object("Pod", mounting("a1", "other-engines"), { phase: "Running" }), []],
  ["nothing of another namespace", object("Pod", mounting("a1"), { namespace: "else", phase: "Running" }), []],
])("in use by %s", (_, given, names) => {
  const all = (kind: KindName) => (kind === given.kind ? [given] : []);
  expect([...mountedEngines({ all }, cache)]).toEqual(names);
});
