import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { freeOf, modelOf } from "../../test/support/router.ts";
import type { Lane, Placement } from "../completion.ts";
import { Fleet, type LeaseException, type WorkerProfile } from "./fleet.ts";

const options = {
  leases: { max: 3, ttlMs: 10_000, exceptionTtlMs: 1_000 },
  warmth: { documentsMax: 10, bytesMax: 10_000, ttlMs: 10_000 },
  shared: { max: 100, ttlMs: 10_000, stepBlocks: 2, stepsMax: 4, workersMax: 2 },
};
/** A prompt of blocks with these names. */
const promptOf = (...names: number[]) => ({
  bytes: 64 * names.length,
  blocks: new Uint8Array(names.flatMap((name) => [name, 1, 2, 3, 4, 5, 6, 7])),
});

function room() {
  const told = { count: 0 };
  const clock = new FakeClock();
  const leased: LeaseException[] = [];
  const fleet = new Fleet(options, { clock, capacity: () => (told.count += 1), leased: (each) => leased.push(each) });
  const book = (
    worker: string,
    lane: Lane,
    { session = "s1", lease = "none", prompt = promptOf(1), freshTokens = 0 }: Partial<Given> = {},
  ) => fleet.book({ worker, lease, freshTokens }, { session, document: `${session} d`, lane, prompt });
  const join = (address: string, given: Partial<WorkerProfile> = {}) => {
    fleet.joined(address, { name: address, pool: "p", engine: "simulated", slots: 4, models: [modelOf()], ...given });
    fleet.credits(address, freeOf(2));
  };
  const free = (worker: string) => fleet.snapshot().workers.find(({ name }) => name === worker)?.free.inline;
  return { clock, fleet, join, free, told, book, leased };
}

interface Given {
  readonly session: string;
  readonly lease: Placement["lease"];
  readonly prompt: ReturnType<typeof promptOf>;
  readonly freshTokens: number;
}

test("a worker that joined takes nothing before its credits come", () => {
  const { fleet, free } = room();
  fleet.joined("w1", { name: "w1", pool: "p", engine: "simulated", slots: 4, models: [] });
  expect(free("w1")).toBe(0);
  fleet.credits("w1", freeOf(3));
  expect(free("w1")).toBe(3);
});

test("a booking counts at once in its own lane, and is given back once", () => {
  const { fleet, book, join, free, told } = room();
  join("w1");
  const release = book("w1", "inline");
  book("w1", "chat");
  expect(fleet.snapshot().workers[0]).toMatchObject({ outstanding: 2, free: { inline: 1, chat: 1, batch: 2 } });
  const before = told.count;
  release();
  release();
  expect([free("w1"), told.count - before]).toEqual([2, 1]);
});

test("credits are absolute: fewer than what is booked are none", () => {
  const { fleet, book, join, free } = room();
  join("w1");
  const releases = [book("w1", "inline"), book("w1", "inline")];
  fleet.credits("w1", freeOf(1));
  expect(free("w1")).toBe(0);
  releases[0]?.();
  expect(free("w1")).toBe(0);
  releases[1]?.();
  expect(free("w1")).toBe(1);
});

test("a snapshot does not change with what comes later", () => {
  const { fleet, book, join } = room();
  join("w1");
  const then = fleet.snapshot();
  expect(fleet.snapshot()).toBe(then);
  book("w1", "inline");
  expect(then.workers[0]?.free.inline).toBe(2);
  expect(fleet.snapshot().workers[0]?.free.inline).toBe(1);
});

test("a link that breaks takes its worker and its bookings with it, and who waited hears of it", () => {
  const { fleet, book, join, free, told } = room();
  join("w1");
  const release = book("w1", "inline");
  const before = told.count;
  fleet.left("w1");
  expect([fleet.snapshot().workers, told.count - before]).toEqual([[], 1]);
  join("w1");
  release();
  expect(free("w1")).toBe(2);
});

test("what comes late from a link that is gone changes nothing", () => {
  const { fleet, book, told } = room();
  fleet.credits("w1", freeOf(1));
  fleet.draining("w1", true);
  fleet.load("w1", { running: 1, prefillTokensPerSecond: 1, stepMs: 1, prefillBacklogTokens: 1 });
  fleet.left("w1");
  expect([fleet.snapshot().workers, told.count]).toEqual([[], 0]);
  expect(() => book("w1", "inline")()).not.toThrow();
});

test("a worker that came back at another address is there once, by its newest link", () => {
  const { fleet, book, join, free } = room();
  join("old", { name: "w1" });
  join("new", { name: "w1" });
  fleet.credits("old", freeOf(9));
  expect(fleet.snapshot().workers).toHaveLength(1);
  expect([fleet.address("w1"), free("w1")]).toEqual(["new", 2]);
  const release = book("w1", "inline");
  expect(free("w1")).toBe(1);
  fleet.left("old");
  expect(free("w1")).toBe(1);
  release();
  join("old", { name: "w1" });
  expect(fleet.address("w1")).toBe("old");
  fleet.left("old");
  expect([fleet.address("w1"), free("w1")]).toEqual(["new", 2]);
});

test("load and draining show in the view; only what may be capacity is told", () => {
  const { fleet, join, told } = room();
  join("w1");
  const before = told.count;
  fleet.load("w1", { running: 3, prefillTokensPerSecond: 1_000, stepMs: 5, prefillBacklogTokens: 70 });
  expect(told.count).toBe(before);
  fleet.draining("w1", true);
  expect(fleet.snapshot().workers[0]).toMatchObject({ running: 3, stepMs: 5, prefillBacklogTokens: 70, draining: true });
  fleet.draining("w1", false);
  expect(fleet.snapshot().workers[0]?.draining).toBe(false);
  expect(told.count).toBeGreaterThan(before);
});

test.each<[asked: string, model: string | undefined, rate: number | undefined]>([
  ["", "small", 2_000],
  ["small", "small", 2_000],
  ["large", "large", 500],
  ["inline-pool", "small", 2_000],
  ["chat-pool", "large", 500],
  ["unheard-of", undefined, undefined],
])("asked for %j the fleet serves %s, at its fastest worker's rate", (asked, name, rate) => {
  const { fleet, join } = room();
  const load = (prefillTokensPerSecond: number) => ({ running: 0, prefillTokensPerSecond, stepMs: 0, prefillBacklogTokens: 0 });
  join("w1", { pool: "inline-pool", models: [modelOf({ name: "small" })] });
  join("w2", { pool: "inline-pool", models: [modelOf({ name: "small" })] });
  join("w3", { pool: "chat-pool", models: [modelOf({ name: "large" })] });
  fleet.load("w1", load(1_000));
  fleet.load("w2", load(2_000));
  fleet.load("w3", load(500));
  expect([fleet.model(asked)?.name, fleet.model(asked)?.prefillTokensPerSecond]).toEqual([name, rate]);
});

test("asked for a pool the fleet serves what its own workers take, also while they are away", () => {
  const { fleet, join } = room();
  join("w1", { pool: "a", models: [modelOf({ promptBytesMax: 900 })] });
  join("w2", { pool: "b", models: [modelOf({ promptBytesMax: 500 })] });
  const asked = () => ["a", "b", "m"].map((name) => [fleet.model(name)?.pool, fleet.model(name)?.promptBytesMax]);
  expect(asked()).toEqual([
    ["a", 900],
    ["b", 500],
    [undefined, 500],
  ]);
  for (const worker of ["w1", "w2"]) fleet.left(worker);
  expect(["a", "b", "m"].map((name) => fleet.model(name)?.pool)).toEqual(["a", "b", undefined]);
});

test("a session's worker has room for it while it has a credit and a slot", () => {
  const { fleet, join, book } = room();
  join("w1", { slots: 2 });
  const has = (session: string, given = {}) => fleet.hasRoom(session, "inline", { model: "m", ...given });
  expect(has("s1")).toBe(false);
  const release = book("w1", "inline", { lease: "home" });
  expect([has("s1"), has("s2")]).toEqual([true, false]);
  expect([has("s1", { pool: "p" }), has("s1", { pool: "q" }), has("s1", { model: "n" })]).toEqual([true, false, false]);
  book("w1", "chat", { session: "s2", lease: "home" });
  expect(has("s1")).toBe(false);
  release();
  fleet.draining("w1", true);
  expect(has("s1")).toBe(false);
});

test("an empty fleet serves no model", () => {
  expect(room().fleet.model("")).toBeUndefined();
});

test("what is derived from a roster stays good until workers come or go", () => {
  const { fleet, join, book } = room();
  join("w1");
  const { roster } = fleet.snapshot();
  book("w1", "inline");
  fleet.draining("w1", true);
  expect(fleet.snapshot().roster).toBe(roster);
  join("w2");
  expect(fleet.snapshot().roster).not.toBe(roster);
});

test("free credits of all workers are known, those of who drains are not free", () => {
  const { fleet, join, book } = room();
  join("w1");
  join("w2");
  book("w1", "chat");
  expect(fleet.snapshot().free).toEqual({ ...freeOf(4), chat: 3 });
  fleet.draining("w2", true);
  expect(fleet.snapshot().free).toEqual({ ...freeOf(2), chat: 1 });
});

test("prompts that were booked count as backlog until the worker says what is left of them", async () => {
  const { fleet, join, book, clock } = room();
  join("w1");
  book("w1", "inline", { freshTokens: 500 });
  expect(fleet.snapshot().workers[0]).toMatchObject({ bookedTokens: 500, prefillBacklogTokens: 0 });
  await clock.advance(30);
  fleet.load("w1", { running: 1, prefillTokensPerSecond: 1_000, stepMs: 5, prefillBacklogTokens: 200 });
  expect(fleet.snapshot().workers[0]).toMatchObject({ bookedTokens: 0, prefillBacklogTokens: 200, loadMs: clock.now() });
});

test("how long a generation is outstanding is learned lane by lane", async () => {
  const { fleet, join, book, clock } = room();
  join("w1");
  const release = book("w1", "inline");
  await clock.advance(80);
  release();
  expect(fleet.snapshot().workers[0]?.serviceMs).toEqual({ ...freeOf(0), inline: 80 });
});

test("a session's lease is where it was placed, and counts there; it goes with the session", async () => {
  const { fleet, join, book, clock } = room();
  join("w1");
  join("w2");
  const leases = () => fleet.snapshot().workers.map((worker) => worker.leases);
  const holder = (session: string) => fleet.remembered({ session, document: "d", prompt: promptOf(1) }).lease;
  book("w1", "inline", { session: "s1", lease: "home" });
  book("w1", "inline", { session: "s2", lease: "home" });
  expect([holder("s1"), leases()]).toEqual(["w1", [2, 0]]);
  book("w2", "inline", { session: "s1", lease: "moved" });
  expect([holder("s1"), leases()]).toEqual(["w2", [1, 1]]);
  // One more than there is room for: whoever was not used for longest leaves.
  book("w1", "inline", { session: "s3", lease: "home" });
  book("w1", "inline", { session: "s4", lease: "home" });
  expect([holder("s2"), leases()]).toEqual([undefined, [2, 1]]);
  await clock.advance(10_001);
  expect([holder("s1"), holder("s4")]).toEqual([undefined, undefined]);
  book("w1", "inline", { session: "s5", lease: "home" });
  expect(leases()).toEqual([1, 0]);
});

test("other routers are told of exceptions alone: again before they forget, and when it is none any more", async () => {
  const { join, book, clock, leased } = room();
  join("w1");
  join("w2");
  book("w1", "inline", { lease: "home" });
  expect(leased).toEqual([]);
  book("w2", "inline", { lease: "moved" });
  book("w2", "inline", { lease: "kept" });
  expect(leased).toEqual([{ session: "s1", worker: "w2", ttlMs: 1_000, cause: "moved" }]);
  await clock.advance(600);
  book("w2", "inline", { lease: "kept" });
  expect(leased).toHaveLength(2);
  book("w3", "inline", { session: "s2", lease: "overflowed" });
  expect(leased).toHaveLength(2);
  book("w2", "inline", { session: "s2", lease: "overflowed" });
  await clock.advance(600);
  // The cause of then, as often as it is said.
  book("w2", "inline", { session: "s2", lease: "kept" });
  expect(leased.slice(2)).toEqual(
    Array.from({ length: 2 }, () => ({ session: "s2", worker: "w2", ttlMs: 1_000, cause: "overflowed" })),
  );
  book("w1", "inline", { lease: "home" });
  expect(leased.at(-1)).toEqual({ session: "s1", worker: "w1", ttlMs: 0 });
});

test("who leaves says every exception of its own once more, and none that another told it", async () => {
  const { fleet, join, book, clock, leased } = room();
  join("w1");
  join("w2");
  book("w2", "inline", { session: "s1", lease: "moved" });
  book("w1", "inline", { session: "s2", lease: "home" });
  fleet.leaseElsewhere({ session: "s3", worker: "w2", ttlMs: 1_000 });
  leased.length = 0;
  fleet.handOver();
  expect(leased).toEqual([{ session: "s1", worker: "w2", ttlMs: 1_000, cause: "moved" }]);
  // It comes here: this one's word counts from then on.
  book("w2", "inline", { session: "s3", lease: "kept" });
  leased.length = 0;
  fleet.handOver();
  expect(leased.map(({ session }) => session)).toEqual(["s1", "s3"]);
  await clock.advance(10_001);
  leased.length = 0;
  fleet.handOver();
  expect(leased).toEqual([]);
});

test("a session is known to be at home by the roster of then; one placed while its owner is away is told to others", () => {
  const { fleet, join, book, leased } = room();
  join("w1");
  join("w2");
  const remembered = () => fleet.remembered({ session: "s1", document: "d", prompt: promptOf(1) });
  book("w2", "inline", { lease: "home" });
  expect([remembered(), fleet.snapshot()]).toMatchObject([{ lease: "w2", home: fleet.snapshot().rosters }, { away: [] }]);
  fleet.left("w1");
  expect(fleet.snapshot().away).toMatchObject([{ name: "w1" }]);
  expect(remembered().home).toBeLessThan(fleet.snapshot().rosters);
  book("w2", "inline", { lease: "moved" });
  expect(leased).toEqual([{ session: "s1", worker: "w2", ttlMs: 1_000, cause: "moved" }]);
  expect(remembered()).not.toHaveProperty("home");
  const { rosters } = fleet.snapshot();
  fleet.gone("w1");
  expect([fleet.snapshot().away, fleet.snapshot().rosters > rosters]).toEqual([[], true]);
});

test("what another router says of a session holds here, until it says that it is over", () => {
  const { fleet, join, leased } = room();
  join("w1");
  const lease = () => fleet.remembered({ session: "s1", document: "d", prompt: promptOf(1) }).lease;
  fleet.leaseElsewhere({ session: "s1", worker: "w1", ttlMs: 1_000 });
  expect([lease(), fleet.snapshot().workers[0]?.leases]).toEqual(["w1", 1]);
  fleet.leaseElsewhere({ session: "s1", worker: "w1", ttlMs: 0 });
  expect([lease(), leased]).toEqual([undefined, []]);
});

test.each<[name: string, sent: number[], asked: number[], freshBytes: number]>([
  ["the same prompt", [1, 2, 3], [1, 2, 3], 0],
  ["a longer one", [1, 2], [1, 2, 3], 64],
  ["another end", [1, 2, 3, 4], [1, 2, 5, 6], 128],
  ["another beginning", [1, 2, 3], [4, 5, 6], 192],
  ["an empty one", [1, 2, 3], [], 0],
])("of %s a worker that was sent one before has the common beginning", (_, sent, asked, freshBytes) => {
  const { fleet, join, book } = room();
  join("w1");
  book("w1", "inline", { prompt: promptOf(...sent) });
  expect(fleet.remembered({ session: "s1", document: "s1 d", prompt: promptOf(...asked) }).warm).toEqual([
    { worker: "w1", freshBytes },
  ]);
  expect(fleet.remembered({ session: "s1", document: "s1 e", prompt: promptOf(...asked) }).warm).toEqual([]);
});

test("what a model's workers take at most is the least of them, and a worker that left is waited for until it is gone", () => {
  const { fleet, join } = room();
  join("w1", { models: [{ ...modelOf(), promptBytesMax: 900, maxTokensMax: 64 }] });
  join("w2", { models: [{ ...modelOf(), promptBytesMax: 700 }] });
  join("w3");
  expect(fleet.model("m")).toMatchObject({ promptBytesMax: 700, maxTokensMax: 64 });
  for (const worker of ["w1", "w2", "w3"]) fleet.left(worker);
  expect([fleet.model("m")?.name, fleet.snapshot().workers]).toEqual(["m", []]);
  for (const worker of ["w1", "w2", "w3"]) fleet.gone(worker);
  expect(fleet.model("m")).toBeUndefined();
});

const said = { prefillTokensPerSecond: 1, stepMs: 1, prefillBacklogTokens: 0 };

test("a worker is in use while one slot of it works for people; what is asked ahead of them is not theirs", async () => {
  const { clock, fleet, book, join } = room();
  join("w1", { slots: 16 });
  const ahead = book("w1", "speculative");
  // The worker counts it as well.
  fleet.load("w1", { ...said, running: 1 });
  await clock.advance(60_000);
  expect(fleet.inUse("m")).toBe(0);
  const release = book("w1", "inline");
  await clock.advance(60_000);
  expect(fleet.inUse("m")).toBeCloseTo(1, 2);
  ahead();
  release();
  fleet.load("w1", { ...said, running: 0 });
  await clock.advance(5_000);
  expect(fleet.inUse("m")).toBeCloseTo(0.5, 2);
});

test("what other routers run there is in use too, until the worker says that it is over", async () => {
  const { clock, fleet, join } = room();
  join("w1");
  fleet.load("w1", { ...said, running: 1 });
  await clock.advance(60_000);
  expect(fleet.inUse("m")).toBeCloseTo(1, 2);
  fleet.load("w1", { ...said, running: 0 });
  await clock.advance(60_000);
  expect(fleet.inUse("m")).toBeCloseTo(0, 2);
});

test("of a model or a pool the workers count that serve it and stay, in the mean", async () => {
  const { clock, fleet, book, join } = room();
  for (const name of ["w1", "w2"]) join(name);
  join("w3", { pool: "q", models: [modelOf({ name: "n" })] });
  expect(fleet.inUse("nobody's")).toBe(0);
  for (const worker of ["w1", "w3"]) book(worker, "inline");
  await clock.advance(60_000);
  const shares = () => ["m", "p", "n", "q", ""].map((model) => Number(fleet.inUse(model).toFixed(2)));
  expect(shares()).toEqual([0.5, 0.5, 1, 1, 0.67]);
  fleet.draining("w1", true);
  expect(shares()).toEqual([0, 0, 1, 1, 0.5]);
});
