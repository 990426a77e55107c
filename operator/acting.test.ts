// The operator acts on load: workers come with it, leave in two phases, and what another operator began is ended by the next.
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryBus } from "../lib/bus/memory.ts";
import { spaced } from "../lib/bus/space.ts";
import { subjects } from "../lib/bus/subjects.ts";
import { systemClock, writtenTime } from "../lib/clock.ts";
import { PoolLoadSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import { Lane } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { cpuPool, type Loose } from "../test/support/cluster-objects.ts";
import { Operated } from "../test/support/operated.ts";
import { SpokenWorkers } from "../test/support/spoken-workers.ts";
import { until } from "../test/support/until.ts";

let world: Operated;
let bus: MemoryBus;
let workers: SpokenWorkers;
beforeEach(async () => {
  world = await Operated.start();
  bus = new MemoryBus({ shared: true });
  workers = new SpokenWorkers(bus, "code", () => world.of("pods"));
});
afterEach(async () => {
  workers.close();
  await world[Symbol.asyncDispose]();
});

const pool = (): Loose => world.get("workerpools", "dev");
const external = (replicas: number) =>
  cpuPool((made) => Object.assign(made.spec, { replicas, scaling: { mode: "External", minReplicas: 0, maxReplicas: 9 } }));
const scale = (replicas: number) =>
  world.server.storage.change("workerpools", "code", "dev", (object) => {
    object.spec.replicas = replicas;
  });
const wanted = () => world.of("deployments")[0]?.spec.replicas;
const isLeaving = ({ metadata }: Loose) => metadata.annotations?.["slipstream.dev/leaving-since"] !== undefined;

async function three(): Promise<readonly Loose[]> {
  world.put(external(3));
  world.operator({ bus });
  await until("three serve", () => pool()?.status?.ready === "3/3");
  return world.of("pods");
}

test("one less: routers stop sending to the one that holds least, its generations end, then it goes and no other", async () => {
  const [a, b, c] = (await three()).map(({ metadata }) => metadata.name);
  for (const [name, kvBlocksUsed] of [
    [a, 9],
    [b, 1],
    [c, 5],
  ])
    Object.assign(workers.of(name), { kvBlocksUsed, outstanding: 2 });
  // Two rounds of what they say of themselves.
  const rounds = workers.rounds;
  await until("their worth is known", () => workers.rounds >= rounds + 2);
  scale(2);
  await until("it is asked", () => workers.asked.length === 1);
  expect(workers.asked).toEqual([`${b} leaves`]);
  await until("it is shown", () => pool().status.drainingReplicas === 1);
  expect([wanted(), world.of("pods").length, pool().status.ready]).toEqual([3, 3, "2/2"]);
  workers.of(b).outstanding = 0;
  await until("it is gone", () => world.of("pods").length === 2);
  expect(world.of("pods").map(({ metadata }) => metadata.name)).toEqual([a, c]);
  expect(world.condition("workerpools", "dev")).toMatchObject({ status: "True", reason: "Complete" });
});

test("wanted again while it leaves: it stays, and nobody new is made", async () => {
  const before = (await three()).map(({ metadata }) => metadata.name);
  for (const name of before) workers.of(name).outstanding = 1;
  scale(2);
  await until("one leaves", () => workers.asked.length === 1);
  scale(3);
  await until("it stays", () => workers.asked.length === 2 && pool().status.ready === "3/3");
  expect(workers.asked[1]).toBe(workers.asked[0]?.replace("leaves", "stays"));
  expect(world.of("pods").map(({ metadata }) => metadata.name)).toEqual(before);
  expect(world.of("pods").some(isLeaving)).toBe(false);
});

test("an operator that is killed while one leaves: the next goes on with that one", async () => {
  const names = (await three()).map(({ metadata }) => metadata.name);
  for (const name of names) workers.of(name).outstanding = 1;
  scale(2);
  await until("one leaves", () => world.of("pods").some(isLeaving));
  const leaving = world.of("pods").find(isLeaving).metadata.name;
  await world.operators[0]?.kill();
  world.server.storage.delete("leases", "slipstream-system", "lease");
  world.operator({ bus });
  await until("another leads", () => world.operators[1]?.leading === true);
  workers.of(leaving).outstanding = 0;
  await until("it is gone", () => world.of("pods").length === 2);
  expect(world.of("pods").map(({ metadata }) => metadata.name)).toEqual(names.filter((name) => name !== leaving));
  expect(workers.asked.filter((line) => line.endsWith("leaves"))).toHaveLength(1);
});

test("who leaves and is still shown as ready, since an operator was killed between the two, is shown as not ready by the next", async () => {
  const [name] = (await three()).map(({ metadata }) => metadata.name);
  const pod = (): Loose => world.of("pods").find(({ metadata }) => metadata.name === name);
  for (const { metadata } of world.of("pods")) workers.of(metadata.name).outstanding = 1;
  await world.operators[0]?.kill();
  world.server.storage.delete("leases", "slipstream-system", "lease");
  world.server.storage.change("pods", "code", name, ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, "slipstream.dev/leaving-since": writtenTime(systemClock.wall()) };
  });
  scale(2);
  world.operator({ bus });
  const ready = () => pod().status.conditions.some(({ type, status }: Loose) => type === "Ready" && status === "True");
  await until("it is not ready", () => !ready() && workers.asked.length > 0);
  expect(workers.asked).toEqual([`${name} leaves`]);
  workers.of(name).outstanding = 0;
  await until("it is gone", () => pod() === undefined);
});

test("load makes workers come, with the figures in status; without a word of routers nothing leaves, and that is said", async () => {
  world.put(cpuPool((made) => (made.spec.scaling = { mode: "Slipstream", minReplicas: 1, maxReplicas: 6 })));
  const routers = spaced(bus, "code");
  let rps = 20;
  let reporting = true;
  const report = () => {
    if (!reporting) return;
    systemClock.timer(1_000, report);
    const serving = world.of("pods").length;
    const lane = { lane: Lane.INLINE, arrivals: rps, finished: rps, inFlight: Math.ceil(rps * 0.06), firstTextP95Ms: 60 };
    const load = create(PoolLoadSchema, { router: "r", pool: "dev", lanes: [lane], workersSeen: serving });
    routers.publish(subjects.poolLoad("dev"), toBinary(PoolLoadSchema, load));
  };
  report();
  try {
    world.operator({ bus });
    await until("one serves", () => pool()?.status?.ready === "1/1");
    rps = 400;
    await until("more come", () => pool().status.scaling.desired >= 3, 30_000);
    const { lastDecisions, memory } = pool().status.scaling;
    expect(lastDecisions[0].inputs).toMatchObject({ loadRps: expect.stringMatching(/^\d+\.\d$/) });
    expect(memory.length).toBeGreaterThan(10);
  } finally {
    reporting = false;
  }
  const most = pool().status.scaling.desired;
  await until("it is said", () => world.condition("workerpools", "dev", "ScalingActive")?.reason === "MetricsStale", 20_000);
  expect(world.condition("workerpools", "dev", "ScalingActive").status).toBe("False");
  // What was seen last may still have asked for one more.
  expect(pool().status.scaling.desired).toBeGreaterThanOrEqual(most);
}, 60_000);
