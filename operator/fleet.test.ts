import { expect, test } from "vitest";
import { cache, gpuClass, pool, service } from "../test/support/cluster-objects.ts";
import { Operated } from "../test/support/operated.ts";
import { until } from "../test/support/until.ts";
import { fleetOf } from "./fleet.ts";
import type { KindName, KubeObject } from "./objects.ts";

const ready = (status: string, more: object = {}) => ({
  ...{ type: "Ready", status, reason: status === "True" ? "AsExpected" : "InvalidSpec", message: "why", observedGeneration: 2 },
  ...{ lastTransitionTime: "2026-01-02T03:04:05Z", ...more },
});
const object = (name: string, status: object): KubeObject =>
  ({ apiVersion: "slipstream.dev/v1alpha1", kind: "", metadata: { name, namespace: "code", generation: 2 }, status }) as KubeObject;
const fleet = (objects: Partial<Record<KindName, readonly KubeObject[]>>) =>
  fleetOf((kind) => objects[kind] ?? [], { leads: true, missing: [] }).objects;

test("what is not ready comes first, then what nobody knows of, then by kind and name", () => {
  const found = fleet({
    CompletionService: [object("front", { conditions: [ready("True")] })],
    WorkerPool: [
      object("b", { conditions: [ready("True")] }),
      object("a", { conditions: [ready("True")] }),
      object("broken", { conditions: [ready("False")] }),
      object("new", {}),
    ],
  });
  expect(found.map(({ name, ready: state }) => [name, state])).toEqual([
    ["broken", "False"],
    ["new", "Unknown"],
    ["front", "True"],
    ["a", "True"],
    ["b", "True"],
  ]);
});

test("what was said of an older spec is not said of this one", () => {
  const [pool] = fleet({ WorkerPool: [object("p", { conditions: [ready("True", { observedGeneration: 1 })] })] });
  expect(pool).toMatchObject({ ready: "Unknown", message: "The operator has not said anything of the spec as it is." });
});

test("conditions come in the operator's order, with its words; facts and decisions as the status has them", () => {
  const lastDecisions = [{ time: "2026-01-02T03:04:05Z", from: 2, to: 4, reason: "QueueGrows" }];
  const [pool] = fleet({
    WorkerPool: [
      object("p", {
        ready: "2/4",
        scaling: { desired: 4, reason: "QueueGrows", lastDecisions },
        slo: { p95: "83ms" },
        conditions: [
          ready("False"),
          { ...ready("True"), type: "Accepted", message: "" },
          { type: "SomebodyElses", status: "True" },
        ],
      }),
    ],
  });
  expect(pool?.conditions.map(({ type }) => type)).toEqual(["Accepted", "Ready"]);
  expect(pool?.conditions[0]).toMatchObject({ message: "Nothing is wrong.", means: expect.stringMatching(/spec is understood/) });
  expect(pool?.facts).toEqual([
    ["Workers ready", "2/4"],
    ["Wanted", "4"],
    ["Because", "QueueGrows"],
    ["First text p95", "83ms"],
  ]);
  expect(pool?.decisions).toEqual(lastDecisions);
});

test("of a whole service that comes up the fleet says what its objects do", async () => {
  await using world = await Operated.start();
  const draft = cache((made) => {
    made.metadata.name = "coder-draft";
    made.spec.revision = `sha256:${"b".repeat(64)}`;
  });
  world.put(gpuClass(), cache(), draft, pool(), service());
  const operator = world.operator();
  await until("the service is ready", () => world.condition("completionservices", "acme")?.status === "True");
  const seen = () => fleetOf((kind) => operator.all(kind), { leads: operator.leading, missing: operator.missing() });
  await until("it was heard of", () => seen().objects.every(({ ready: state }) => state === "True"));
  const { objects, leads, missing } = seen();
  expect({ leads, missing }).toEqual({ leads: true, missing: [] });
  expect(objects.map(({ kind, name }) => [kind, name])).toEqual([
    ["CompletionService", "acme"],
    ["WorkerPool", "inline-7b"],
    ["ModelCache", "coder-7b"],
    ["ModelCache", "coder-draft"],
  ]);
  expect(objects[1]?.facts).toContainEqual(["Workers ready", expect.stringMatching(/^\d+\/\d+$/)]);
  expect(objects[1]?.conditions.map(({ type }) => type)).toEqual(expect.arrayContaining(["Accepted", "Available", "Ready"]));
});
