import { X509Certificate } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryBus } from "../lib/bus/memory.ts";
import { spaced } from "../lib/bus/space.ts";
import { subjects } from "../lib/bus/subjects.ts";
import { systemClock, writtenTime } from "../lib/clock.ts";
import { KeyRing } from "../lib/keys/key-ring.ts";
import { readPolicy } from "../lib/policy/read.ts";
import { PoolLoadSchema, WorkerAnnouncementSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import { Lane } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { cache, cpuPool, gpuClass, type Loose, pool, service } from "../test/support/cluster-objects.ts";
import { Operated } from "../test/support/operated.ts";
import { until } from "../test/support/until.ts";

let world: Operated;
beforeEach(async () => {
  world = await Operated.start();
});
afterEach(() => world[Symbol.asyncDispose]());

const draft = () =>
  cache((made) => {
    made.metadata.name = "coder-draft";
    made.spec.revision = `sha256:${"b".repeat(64)}`;
  });
const whole = () => [gpuClass(), cache(), draft(), pool(), service()];
const ready = (plural: string, name: string) => world.condition(plural, name)?.status === "True";

test("a whole service comes up: models, workers, routers, and the way between them", async () => {
  world.put(...whole());
  world.operator();
  await world.settled("the service is ready", () => ready("completionservices", "acme"));
  expect(
    world
      .of("deployments")
      .map(({ metadata }) => metadata.name.replace(/-[0-9a-f]{10}$/, "-R"))
      .sort(),
  ).toEqual(["acme-router", "inline-7b-R"]);
  expect(world.of("pods")).toHaveLength(4);
  expect(world.get("workerpools", "inline-7b").status).toMatchObject({
    ...{ replicas: 2, readyReplicas: 2, warmReplicas: 2, ready: "2/2", gpu: "1×l40s", model: "coder-7b", observedGeneration: 1 },
    selector: "app.kubernetes.io/component=worker,slipstream.dev/pool=inline-7b",
    scaling: { desired: 2, reason: "Fixed", lastDecisions: [{ from: 0, to: 2, reason: "Fixed" }] },
  });
  // Nothing is made up: no router reports, so no latency is shown.
  expect(world.get("workerpools", "inline-7b").status.slo).toBeUndefined();
  expect(world.condition("workerpools", "inline-7b", "SLOMet")).toMatchObject({ status: "Unknown", reason: "NoBus" });
  for (const kind of ["poddisruptionbudgets", "networkpolicies", "services", "jobs", "persistentvolumeclaims"])
    expect(world.of(kind).length, kind).toBeGreaterThanOrEqual(2);
  const owned = [
    "deployments",
    "services",
    "configmaps",
    "poddisruptionbudgets",
    "networkpolicies",
    "jobs",
    "persistentvolumeclaims",
  ];
  for (const plural of owned)
    for (const { metadata } of world.of(plural)) expect(metadata.ownerReferences?.[0]?.uid, metadata.name).toBeDefined();
});

test("once it is there, nothing more is written", async () => {
  world.put(...whole());
  const operator = world.operator();
  await world.settled("ready", () => ready("completionservices", "acme"));
  const written = world.server.storage.audit.length;
  const sent = world.server.asked.filter(({ writes, path }) => writes && !path.includes("/leases/")).length;
  world.server.storage.change("workerpools", "code", "inline-7b", (object) => {
    object.metadata.annotations = { touched: "yes" };
  });
  await until("it ran", () => operator.idle);
  await world.settled("idle", () => operator.idle);
  const more = world.server.storage.audit.slice(written).filter(({ key }) => !key.startsWith("leases/"));
  expect(more).toEqual([{ verb: "update", key: "workerpools/code/inline-7b", user: "test" }]);
  expect(world.server.asked.filter(({ writes, path }) => writes && !path.includes("/leases/")).length).toBe(sent);
});

test("the policy document is one that routers accept, and its version grows with each change of it", async () => {
  world.put(...whole());
  world.operator();
  await world.settled("ready", () => ready("completionservices", "acme"));
  const text = () => world.get("configmaps", "acme-policy").data["policy.json"] as string;
  expect(readPolicy(text(), "policy")).toMatchObject({ version: 1, tiers: { inline: { pools: ["inline-7b"] } } });
  world.server.storage.change("completionservices", "code", "acme", (object) => {
    object.spec.excludedPaths = ["vault/**"];
  });
  await until("the next version", () => readPolicy(text(), "policy").version === 2);
  expect(readPolicy(text(), "policy").policies.excludedPaths).toEqual(["vault/**"]);
});

test("links have certificates of one authority, and callers have keys, made once", async () => {
  world.put(...whole());
  world.operator();
  await world.settled("ready", () => ready("completionservices", "acme"));
  const data = (name: string, file: string) => Buffer.from(world.get("secrets", name).data[file], "base64").toString("utf8");
  const worker = new X509Certificate(data("inline-7b-workers-link", "tls.crt"));
  const authority = new X509Certificate(data("acme-router-link", "ca.crt"));
  expect(worker.verify(authority.publicKey)).toBe(true);
  expect(worker.subjectAltName).toContain("DNS:workers.slipstream.internal");
  const ring = KeyRing.parse(data("acme-router-link", "keys"), "keys");
  expect(ring.find(data("acme-keys", "key"), systemClock.wall())).toMatchObject({ tenant: "default" });
  expect(ring.find(data("acme-keys", "admin"), systemClock.wall())).toMatchObject({ tenant: "@admin" });
  expect(world.of("secrets").filter(({ metadata }) => metadata.namespace === "slipstream-system")).toHaveLength(1);
});

test("what somebody changes by hand is put right, and what is deleted comes back", async () => {
  world.put(...whole());
  world.operator();
  await world.settled("ready", () => ready("completionservices", "acme"));
  world.server.storage.change("services", "code", "inline-7b-workers", (object) => {
    object.spec.selector = { app: "other" };
  });
  world.server.storage.delete("networkpolicies", "code", "inline-7b-workers");
  await until(
    "both are as they were",
    () =>
      world.get("services", "inline-7b-workers").spec.selector["slipstream.dev/pool"] === "inline-7b" &&
      world.get("networkpolicies", "inline-7b-workers") !== undefined,
  );
});

test("deleting leaves nothing behind, and nothing is made for what is on its way out", async () => {
  world.put(...whole());
  world.operator();
  await world.settled("ready", () => ready("completionservices", "acme"));
  world.server.storage.change("workerpools", "code", "inline-7b", (object) => {
    object.metadata.deletionTimestamp = writtenTime(systemClock.wall());
  });
  const [deployment] = world.of("deployments").filter(({ metadata }) => metadata.name.startsWith("inline-7b"));
  world.server.storage.delete("deployments", "code", deployment.metadata.name);
  await world.settled("nothing comes back", () => true);
  expect(world.of("deployments").map(({ metadata }) => metadata.name)).toEqual(["acme-router"]);
  for (const [plural, name] of [
    ["workerpools", "inline-7b"],
    ["completionservices", "acme"],
    ["modelcaches", "coder-7b"],
    ["modelcaches", "coder-draft"],
  ] as const)
    world.server.storage.delete(plural, "code", name);
  await world.settled("all is gone", () => world.of("pods").length === 0);
  const left = [...world.server.storage.objects.keys()].filter(
    (key) => !/^(leases|events|gpuclasses|secrets\/slipstream-system)\b/.test(key),
  );
  expect(left).toEqual([]);
});

test("replicas that another owner writes are followed when External, within bounds", async () => {
  world.put(cpuPool((p) => Object.assign(p.spec, { scaling: { mode: "External", minReplicas: 1, maxReplicas: 3 } })));
  world.operator();
  await world.settled("one", () => ready("workerpools", "dev"));
  world.server.storage.change("workerpools", "code", "dev", (object) => {
    object.spec.replicas = 9;
  });
  await world.settled("three", () => world.get("workerpools", "dev").status.ready === "3/3");
  expect(world.get("workerpools", "dev").spec.replicas).toBe(9);
  expect(world.get("workerpools", "dev").status.scaling.lastDecisions.map(({ from, to }: Loose) => [from, to])).toEqual([
    [1, 3],
    [0, 1],
  ]);
});

test("routers that an HPA counts from now on stay as many as they were, and are not complete before their fewest serve", async () => {
  world.put(...whole());
  const routers = () => world.get("deployments", "acme-router")?.spec.replicas;
  const told: string[] = [];
  world.server.storage.listeners.add(({ object }) => {
    if (object.kind === "CompletionService" && object.status) told.push(`${object.status.ready} ${routers()}`);
    if (object.metadata.name === "acme-router" && object.kind === "Deployment") told.push(`routers ${object.spec.replicas}`);
  });
  world.operator();
  await world.settled("two", () => ready("completionservices", "acme"));
  world.server.storage.change("completionservices", "code", "acme", (object) => {
    object.spec.router = { minReplicas: 2, maxReplicas: 4 };
  });
  await world.settled("an HPA counts", () => world.of("horizontalpodautoscalers").length === 1);
  world.server.storage.change("deployments", "code", "acme-router", (object) => {
    object.spec.replicas = 3;
  });
  await world.settled("three", () => world.get("completionservices", "acme").status.ready === "3/3");
  expect(told.filter((line) => line.startsWith("routers") && line !== "routers 2" && line !== "routers 3")).toEqual([]);
  expect(world.condition("completionservices", "acme")).toMatchObject({ status: "True", reason: "Complete" });
});

test("a service that begins with an HPA has its fewest routers at once", async () => {
  world.put(gpuClass(), cache(), draft(), pool());
  world.put(service((made) => (made.spec.router = { minReplicas: 3, maxReplicas: 5 })));
  const told: string[] = [];
  world.server.storage.listeners.add(({ object }) => {
    const judged = object.kind === "CompletionService" && object.status?.conditions?.find((each: Loose) => each.type === "Ready");
    if (judged?.status === "True") told.push(object.status.ready);
  });
  world.operator();
  await world.settled("three", () => ready("completionservices", "acme"));
  expect(new Set(told)).toEqual(new Set(["3/3"]));
  expect(world.get("deployments", "acme-router").spec.replicas).toBe(3);
});

test("a new template is a new revision beside the old one, which leaves as the new one serves", async () => {
  world.put(cpuPool((p) => (p.spec.replicas = 3)));
  world.operator();
  await world.settled("three", () => world.get("workerpools", "dev").status?.ready === "3/3");
  const first = world.get("workerpools", "dev").status.currentRevision;
  let fewest = 3;
  world.server.storage.listeners.add(() => {
    fewest = Math.min(fewest, world.of("pods").filter((p) => p.status.conditions.some((c: Loose) => c.type === "Ready")).length);
  });
  world.server.storage.change("workerpools", "code", "dev", (object) => {
    object.spec.engine.slots = 8;
  });
  await world.settled("the new revision", () => {
    const { status } = world.get("workerpools", "dev");
    return status.currentRevision !== first && status.ready === "3/3" && world.of("deployments").length === 1;
  });
  expect(fewest).toBe(3);
});

test("a new revision that finds no place leaves the old one serving, and says so", async () => {
  world.put(cpuPool((p) => (p.spec.replicas = 2)));
  world.controllers.behaviour = { room: 2 };
  world.operator();
  await world.settled("two", () => world.get("workerpools", "dev").status?.ready === "2/2");
  world.server.storage.change("workerpools", "code", "dev", (object) => {
    object.spec.engine.slots = 8;
  });
  await world.settled("it is stalled", () => world.condition("workerpools", "dev")?.reason === "RolloutStalled");
  expect(world.condition("workerpools", "dev")).toMatchObject({
    status: "True",
    message: expect.stringContaining("Insufficient nvidia.com/gpu"),
  });
  expect(world.get("workerpools", "dev").status.ready).toBe("2/2");
  world.server.storage.change("workerpools", "code", "dev", (object) => {
    object.spec.engine.slots = 4;
  });
  await world.settled(
    "and the spec before brings it back",
    () => world.condition("workerpools", "dev")?.reason === "Complete" && world.of("deployments").length === 1,
  );
});

test("a pod is told warm only when its worker said on the bus that it serves", async () => {
  const bus = new MemoryBus({ shared: true });
  world.put(cpuPool());
  world.operator({ bus });
  await world.settled(
    "its containers are ready",
    () => world.of("pods").length === 1 && world.condition("workerpools", "dev")?.reason === "Starting",
  );
  expect(world.condition("workerpools", "dev", "Warm")).toMatchObject({ status: "False", reason: "Warming" });
  const [pod] = world.of("pods");
  const say = { worker: pod.metadata.name, pool: "dev", address: "10.0.0.1:7421", ttlMs: 10_000 };
  bus.publish(subjects.worker(say.worker), toBinary(WorkerAnnouncementSchema, create(WorkerAnnouncementSchema, say)));
  await world.settled("it serves", () => ready("workerpools", "dev"));
});

test("pools of one name in two namespaces are told apart, as their routers and workers are", async () => {
  const bus = new MemoryBus({ shared: true });
  for (const namespace of ["code", "docs"]) world.put(cpuPool((made) => (made.metadata.namespace = namespace)));
  world.operator({ bus });
  const [code, docs] = ["code", "docs"].map((namespace) => spaced(bus, namespace));
  await world.settled("each has a pod", () => world.of("pods").length === 2);
  const pod = (namespace: string) => world.of("pods").find(({ metadata }) => metadata.namespace === namespace).metadata.name;
  const serves = { worker: pod("code"), pool: "dev", address: "10.0.0.1:7421", ttlMs: 60_000 };
  // A pod of the other namespace may have the same name: it is not this one.
  for (const worker of [pod("code"), pod("docs")])
    code?.publish(
      subjects.worker(worker),
      toBinary(WorkerAnnouncementSchema, create(WorkerAnnouncementSchema, { ...serves, worker })),
    );
  const load = (p95: number) =>
    toBinary(
      PoolLoadSchema,
      create(PoolLoadSchema, { router: "r", pool: "dev", lanes: [{ lane: Lane.INLINE, finished: 1, firstTextP95Ms: p95 }] }),
    );
  code?.publish(subjects.poolLoad("dev"), load(40));
  docs?.publish(subjects.poolLoad("dev"), load(70));
  const p95 = (namespace: string) => world.get("workerpools", "dev", namespace).status?.slo?.p95;
  for (const namespace of ["code", "docs"])
    world.server.storage.change("workerpools", namespace, "dev", (object) => {
      object.metadata.annotations = { look: "again" };
    });
  await world.settled("each shows its own", () => p95("code") === "40ms" && p95("docs") === "70ms");
  const isReady = (namespace: string) =>
    world.get("workerpools", "dev", namespace).status.conditions.find((each: Loose) => each.type === "Ready").status;
  expect([isReady("code"), isReady("docs")]).toEqual(["True", "False"]);
});

test("latency is what routers report, acceptance and the drafts that would be better what workers do", async () => {
  const bus = new MemoryBus({ shared: true });
  world.put(...whole());
  world.operator({ bus });
  await until("a pod", () => world.of("pods").length === 4);
  const lanes = [{ lane: Lane.INLINE, finished: 10, firstTextP95Ms: 62 }];
  bus.publish(
    subjects.poolLoad("inline-7b"),
    toBinary(PoolLoadSchema, create(PoolLoadSchema, { router: "r", pool: "inline-7b", lanes })),
  );
  for (const [worker, accepted] of [
    ["w0", 91n],
    ["w1", 51n],
  ] as const) {
    const drafts = { drafted: 100n, accepted, tokens: 4, recommendedTokens: 6, gain: 0.12 };
    const said = create(WorkerAnnouncementSchema, { worker, pool: "inline-7b", ttlMs: 10_000, drafts });
    bus.publish(subjects.worker(worker), toBinary(WorkerAnnouncementSchema, said));
  }
  world.server.storage.change("workerpools", "code", "inline-7b", (object) => {
    object.metadata.annotations = { look: "again" };
  });
  await until("they are shown", () => world.get("workerpools", "inline-7b").status?.slo?.p95 === "62ms");
  await until("all workers are counted", () => world.get("workerpools", "inline-7b").status.speculative.acceptance === "0.71");
  expect(world.get("workerpools", "inline-7b").status.speculative).toMatchObject({ recommendedTokens: 6, gain: "0.12" });
  expect(world.condition("workerpools", "inline-7b", "SLOMet").status).toBe("True");
});
