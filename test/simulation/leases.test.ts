// Routers whose clocks differ place the same sessions, each by what it sees, over a bus that takes its time: when it has come to
// rest they agree on who holds each session that is elsewhere, and each of them knows a lease at most once.
import { expect, test } from "vitest";
import type { Bus } from "../../lib/bus/bus.ts";
import { MemoryBus } from "../../lib/bus/memory.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import { below, type Random, seeded } from "../../lib/random.ts";
import { Fleet, type LeaseException } from "../../router/fleet/fleet.ts";
import { Peers } from "../../router/peers/peers.ts";
import { place, scheduleDefaults } from "../../router/schedule/schedule.ts";
import { freeOf, modelOf, recordedMetrics } from "../support/router.ts";

const workers = ["w1", "w2", "w3"];
const sessions = ["a", "b", "c", "d"];
const prompt = { bytes: 3_000, blocks: new Uint8Array() };

/** What is published arrives later, each time by chance. */
function slow(bus: MemoryBus, clock: FakeClock, random: Random): Bus {
  return {
    shared: true,
    connected: true,
    publish: (subject, data) => clock.timer(below(random, 40), () => bus.publish(subject, data)) !== undefined,
    append: (...given) => bus.append(...given),
    listen: (...given) => bus.listen(...given),
    subscribe: (...given) => bus.subscribe(...given),
    close: () => bus.close(),
  };
}

function router(name: string, bus: Bus, clock: FakeClock, random: Random) {
  const told: LeaseException[] = [];
  const fleet: Fleet = new Fleet(
    {
      leases: { max: 100, ttlMs: 300_000, exceptionTtlMs: 60_000 },
      warmth: { documentsMax: 10, bytesMax: 1_000, ttlMs: 1_000 },
      shared: { max: 100, ttlMs: 60_000, stepBlocks: 16, stepsMax: 16, workersMax: 8 },
    },
    {
      clock,
      capacity: () => {},
      leased: (exception) => {
        told.push(exception);
        peers.lease(exception);
      },
    },
  );
  const peers: Peers = new Peers(
    { router: name, shards: 1, shardIdleMs: 60_000, loadEveryMs: 100_000, sessionsMax: 100, routersMax: 10 },
    {
      ...{ clock, bus, metrics: recordedMetrics().metrics, superseded: () => false },
      ...{ leased: (lease) => fleet.leaseElsewhere(lease), pools: () => [], poolOf: () => "p", revisionOf: () => "" },
    },
  );
  for (const worker of workers) {
    fleet.joined(worker, { name: worker, pool: "p", engine: "simulated", slots: 4, models: [modelOf()] });
    fleet.credits(worker, freeOf(5));
  }
  const asking = (session: string) => ({
    ...{ session, document: session, lane: "inline" as const, model: "m", prompt, maxTokens: 10, greedy: false },
    ...{ dueMs: Number.POSITIVE_INFINITY, waitedMs: 0, ahead: () => 0 },
  });
  return {
    told,
    /** Places the session as this router sees its workers now: some of them have a long backlog. */
    place: (session: string) => {
      for (const worker of workers) {
        const prefillBacklogTokens = below(random, 2) * 5_000;
        fleet.load(worker, { running: 0, prefillTokensPerSecond: 1_000, stepMs: 5, prefillBacklogTokens });
      }
      const placed = place(scheduleDefaults, asking(session), fleet.remembered(asking(session)), fleet.snapshot(), {
        now: clock.now(),
        random,
      });
      if ("worker" in placed) fleet.book(placed, asking(session))();
    },
    holder: (session: string) => fleet.remembered(asking(session)).lease,
    held: () => fleet.snapshot().workers.reduce((sum, worker) => sum + worker.leases, 0),
    close: () => peers.close(),
  };
}

test("leases converge, whoever places whose session when", async () => {
  let moved = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed);
    const memory = new MemoryBus({ shared: true });
    const clocks = [0, 700, -300].map((skewMs) => new FakeClock({ wallStartMs: 1_700_000_000_000 + skewMs }));
    const routers = clocks.map((clock, i) => router(`r${i}`, slow(memory, clock, random), clock, random));
    const pass = async (ms: number) => {
      for (const clock of clocks) await clock.advance(ms);
    };
    for (let turn = 0; turn < 40; turn++) {
      routers[below(random, routers.length)]?.place(sessions[below(random, sessions.length)] as string);
      await pass(below(random, 20));
    }
    await pass(100);
    for (const session of sessions) {
      const exception = routers.some(({ told }) => told.some((each) => each.session === session));
      const holders = new Set(routers.flatMap((each) => each.holder(session) ?? []));
      if (exception)
        expect(holders.size, `seed ${seed}: session ${session} is with ${[...holders].join(" and ")}`).toBeLessThanOrEqual(1);
      moved += exception ? 1 : 0;
    }
    for (const each of routers) expect(each.held()).toBeLessThanOrEqual(sessions.length);
    for (const each of routers) each.close();
  }
  expect(moved).toBeGreaterThan(60);
});
