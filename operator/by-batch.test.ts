// Lengths of drafts by batch, through the whole operator: what it is sure of becomes a revision and an event, and the next operator
// finds both as they are.
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryBus } from "../lib/bus/memory.ts";
import { spaced } from "../lib/bus/space.ts";
import { subjects } from "../lib/bus/subjects.ts";
import { PoolLoadSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import { Lane } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { cache, gpuClass, type Loose, pool } from "../test/support/cluster-objects.ts";
import { hurriedClock } from "../test/support/hurried-clock.ts";
import { Operated } from "../test/support/operated.ts";
import { SpokenWorkers } from "../test/support/spoken-workers.ts";
import { until } from "../test/support/until.ts";

/** An operator looks again after a second, or five: that is no time of this test's. */
const times = 10;
const clock = hurriedClock(times);
const lease = { leaseMs: 60_000 * times, renewMs: 40_000 * times };

let world: Operated;
let bus: MemoryBus;
let workers: SpokenWorkers;
let reporting: boolean;
beforeEach(async () => {
  world = await Operated.start();
  bus = new MemoryBus({ shared: true });
  workers = new SpokenWorkers(bus, "code", () => world.of("pods"), 1_000 / times);
  reporting = true;
});
afterEach(async () => {
  reporting = false;
  workers.close();
  await world[Symbol.asyncDispose]();
});

const speculative = () => world.get("workerpools", "inline-7b").status?.speculative;
const told = (): readonly string[] => world.of("events").map(({ reason }) => reason);

/** Routers that see a load, each second. */
function report(): void {
  if (!reporting) return;
  clock.timer(1_000, report);
  const lane = { lane: Lane.INLINE, arrivals: 20, finished: 20, inFlight: 2, firstTextP95Ms: 60 };
  const load = create(PoolLoadSchema, { router: "r", pool: "inline-7b", lanes: [lane], workersSeen: 2 });
  spaced(bus, "code").publish(subjects.poolLoad("inline-7b"), toBinary(PoolLoadSchema, load));
}

test("lengths that are sure are given by one revision, with an event, and an operator that comes after changes nothing", async () => {
  world.put(gpuClass(), cache());
  world.put(
    pool((made) => {
      made.spec.speculative = { method: "MTP", numTokens: 4, schedule: "Auto" };
      made.spec.rollout = { canary: { weight: 50, holdFor: "1s", abortOn: ["Restarts"] } };
    }),
  );
  report();
  world.operator({ bus, clock, lease });
  await until("both serve", () => world.get("workerpools", "inline-7b").status?.ready === "2/2", 60_000);
  await until("it is remembered what is measured", () => speculative()?.byBatchMemory !== undefined);
  // As after an hour in which enough answers agreed; asked anew it knows of no drafts, which changes nothing.
  const sure = [{ upTo: 4, numTokens: 2 }];
  world.server.storage.change("workerpools", "code", "inline-7b", (object: Loose) => {
    const { version, memory } = JSON.parse(object.status.speculative.byBatchMemory);
    const now = {
      ...memory,
      answeredMs: 0,
      agreed: 5,
      wanted: sure,
      sure: { lengths: sure, gain: 0.12, from: "Geometric" },
      notBeforeMs: 0,
    };
    object.status.speculative.byBatchMemory = JSON.stringify({ version, memory: now });
  });
  await until("they are given", () => speculative().byBatch !== undefined, 60_000);
  expect(speculative().byBatch).toEqual(sure);
  await until(
    "only workers that have them serve",
    () => {
      const all = world.of("pods");
      return all.length === 2 && all.every(({ spec }) => JSON.stringify(spec).includes("num_speculative_tokens_per_batch_size"));
    },
    60_000,
  );
  await until("it is told why", () => told().includes("LengthsTaken"));
  const event = world.of("events").find(({ reason }) => reason === "LengthsTaken");
  expect(event?.note).toContain("of 2 tokens for up to 4 at once from the next revision on: 12 % more tokens a second");

  const revision = world.get("workerpools", "inline-7b").status.updateRevision;
  await world.operators[0]?.kill();
  world.server.storage.delete("leases", "slipstream-system", "lease");
  const next = world.operator({ name: "successor", bus, clock, lease });
  const holder = () => world.get("leases", "lease", "slipstream-system")?.spec?.holderIdentity ?? "";
  await until("it leads", () => holder().startsWith("successor"), 60_000);
  const before = workers.rounds;
  await until("it has looked, more than once", () => next.idle && workers.rounds > before + 10, 60_000);
  expect(world.get("workerpools", "inline-7b").status.updateRevision).toBe(revision);
  expect(speculative().byBatch).toEqual(sure);
  expect(told().filter((reason) => reason === "LengthsTaken")).toHaveLength(1);
}, 120_000);
