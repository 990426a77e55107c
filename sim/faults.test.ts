import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { MemoryBus } from "../lib/bus/memory.ts";
import { subjects } from "../lib/bus/subjects.ts";
import { FakeClock } from "../lib/clock.fake.ts";
import { seeded } from "../lib/random.ts";
import { OutcomeBatchSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import type { Engine } from "../workers/engine/engine.ts";
import type { Generation } from "../workers/generation.ts";
import { doublesOutcomes, Faults, noFaults, sharesKv } from "./faults.ts";

function world(seed: number, rates: Partial<typeof noFaults>) {
  const clock = new FakeClock();
  const log: string[] = [];
  const bus = { connected: true };
  const done: string[] = [];
  const target = (name: string) => {
    const act =
      (what: string) =>
      (...given: number[]) =>
        void done.push([what, name, ...given.slice(0, -1)].join(" "));
    return {
      name,
      ...{ cut: act("cut"), stall: act("stall"), part: act("part"), vanish: act("vanish"), stopReading: act("stopReading") },
      ...{ crash: act("crash"), drain: act("drain"), slow: act("slow"), freeze: act("freeze"), die: act("die") },
    };
  };
  const faults = new Faults(
    { rates: { ...noFaults, ...rates }, stallMaxMs: 100, busAwayMs: 500 },
    {
      ...{ clock, random: seeded(seed), bus, log: (line) => log.push(`${clock.now().toFixed(1)} ${line}`) },
      links: () => [target("l1"), target("l2")],
      editors: () => [target("e1")],
      workers: () => [target("w1")],
      routers: () => [target("r1")],
    },
  );
  return { clock, log, bus, faults, done };
}

test("faults come at their rate, in proportion, and the same for the same seed", async () => {
  const run = async (seed: number) => {
    const { clock, log } = world(seed, { linkCut: 30, editorVanish: 60 });
    await clock.advance(10 * 60_000);
    return log;
  };
  const log = await run(1);
  expect(log.length).toBeGreaterThan(800);
  expect(log.length).toBeLessThan(1_000);
  const cuts = log.filter((line) => line.includes("linkCut")).length;
  expect(cuts / log.length).toBeCloseTo(1 / 3, 1);
  expect(await run(1)).toEqual(log);
  expect(await run(2)).not.toEqual(log);
});

test("the bus goes away and comes back, at the latest when faults stop", async () => {
  const { clock, bus, faults } = world(1, { busAway: 600 });
  const seen = new Set<boolean>();
  for (let i = 0; i < 100; i++) {
    await clock.advance(10);
    seen.add(bus.connected);
  }
  expect(seen).toEqual(new Set([true, false]));
  faults.stop();
  expect(bus.connected).toBe(true);
});

test.each<[fault: keyof typeof noFaults, done: string]>([
  ["linkCut", "cut l1"],
  ["partition", "part l1"],
  ["engineCrash", "crash w1"],
  ["workerFreeze", "freeze w1"],
  ["workerSlow", "slow w1 5"],
  ["workerDeath", "die w1"],
  ["routerDeath", "die r1"],
])("%s does it: %s", async (fault, expected) => {
  const { clock, done } = world(1, { [fault]: 600 });
  await clock.advance(10_000);
  expect(done).toContain(expected);
});

test("without rates nothing happens", async () => {
  const { clock, log } = world(1, {});
  await clock.advance(3_600_000);
  expect(log).toEqual([]);
});

test("the planted bus tells the first outcome of a batch twice and touches nothing else", async () => {
  const memory = new MemoryBus();
  const bus = doublesOutcomes(memory);
  const seen = bus.subscribe(">", { max: 10 })[Symbol.asyncIterator]();
  const batch = create(OutcomeBatchSchema, { router: "r", outcomes: [{ triggerId: "a" }, { triggerId: "b" }] });
  await bus.append(subjects.outcomes("r"), toBinary(OutcomeBatchSchema, batch), "1");
  bus.publish(subjects.supersede(1), Uint8Array.of(1));
  const first = (await seen.next()).value;
  expect(fromBinary(OutcomeBatchSchema, first.data).outcomes.map((outcome) => outcome.triggerId)).toEqual(["a", "b", "a"]);
  expect([...(await seen.next()).value.data]).toEqual([1]);
});

test("the planted engine is told no salt, and all else", () => {
  const told: Generation[] = [];
  const engine: Pick<Engine, "generate"> = {
    generate: (work) => {
      told.push(work);
      return undefined as never;
    },
  };
  sharesKv(engine);
  engine.generate({ id: 7n, model: "m", cacheSalt: "t" } as Generation, new AbortController().signal);
  expect(told).toEqual([{ id: 7n, model: "m", cacheSalt: "" }]);
});
