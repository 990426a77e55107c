import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { MemoryBus } from "../../lib/bus/memory.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import { type PoolLoad, PoolLoadSchema } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { Lane } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { recordedMetrics, triggerAt } from "../../test/support/router.ts";
import { type LeaseElsewhere, Peers } from "./peers.ts";

function peer(router: string, bus: MemoryBus, clock = new FakeClock()) {
  const superseded: string[] = [];
  const leased: LeaseElsewhere[] = [];
  const metrics = recordedMetrics();
  const peers = new Peers(
    { router, shards: 8, shardIdleMs: 60_000, loadEveryMs: 1_000, sessionsMax: 10, routersMax: 10 },
    {
      clock,
      bus,
      metrics: metrics.metrics,
      superseded: (document, rank) => superseded.push(`${document} ${rank.sequence} ${rank.router}`) > 0,
      leased: (lease) => leased.push(lease),
      pools: () => [{ pool: "p", workers: 2 }],
      poolOf: () => "p",
      revisionOf: (worker) => (worker === "gone" ? "" : `of-${worker[0]}`),
    },
  );
  return { peers, superseded, leased, metrics, clock };
}

const rank = (sequence: number, router: string) => ({ sequence, unixMs: 1_000, router });
const trigger = triggerAt("a|", { session: "t/s", document: "t/s d" });

test("a trigger here is told to the routers that serve its session, in the tick it was taken, and not to itself", () => {
  const bus = new MemoryBus({ shared: true });
  const [a, b, c] = [peer("a", bus), peer("b", bus), peer("c", bus)];
  b.peers.taken(triggerAt("a|", { session: "t/s", document: "t/s other" }), rank(1, "b"));
  a.peers.taken(trigger, rank(7, "a"));
  expect([a.superseded, b.superseded, c.superseded]).toEqual([[], ["t/s d 7 a"], []]);
});

test("a shard that no session uses is heard no more", async () => {
  const bus = new MemoryBus({ shared: true });
  const [a, b] = [peer("a", bus), peer("b", bus)];
  b.peers.taken(trigger, rank(1, "b"));
  await b.clock.advance(59_000);
  b.peers.taken(trigger, rank(2, "b"));
  await b.clock.advance(2_000);
  a.peers.taken(trigger, rank(3, "a"));
  await b.clock.advance(120_000);
  a.peers.taken(trigger, rank(4, "a"));
  expect(b.superseded).toEqual(["t/s d 3 a"]);
});

test("of two leases said at once both routers apply the same", () => {
  const bus = new MemoryBus({ shared: true });
  const [a, b] = [peer("a", bus), peer("b", bus)];
  bus.connected = false;
  a.peers.lease({ session: "s", worker: "w1", ttlMs: 60_000 });
  bus.connected = true;
  b.peers.lease({ session: "s", worker: "w2", ttlMs: 60_000, cause: "overflowed" });
  expect([a.leased, b.leased]).toEqual([[{ session: "s", worker: "w2", ttlMs: 60_000, cause: "overflowed" }], []]);
  // What a says next is later than what it has heard, though its clock stands still.
  a.peers.lease({ session: "s", worker: "w3", ttlMs: 0 });
  expect(b.leased).toEqual([{ session: "s", worker: "w3", ttlMs: 0 }]);
});

test("of workers that say their revision it is told what each did: first texts, deadlines that passed, generations that failed", async () => {
  const bus = new MemoryBus({ shared: true });
  const clock = new FakeClock();
  const { peers } = peer("a", bus, clock);
  const loads: PoolLoad[] = [];
  bus.listen("slipstream.v1.load.*", ({ data }) => loads.push(fromBinary(PoolLoadSchema, data)));
  const ends = (worker: string, outcome: "generated" | "expired", firstTextMs?: number) => {
    const at = firstTextMs === undefined ? { worker } : { firstTextMs: clock.now() + firstTextMs };
    const of = firstTextMs === undefined ? {} : { worker };
    peers.met(triggerAt("a|", { receivedMs: clock.now() }), at)({ outcome, ...of, usage: {} as never });
  };
  for (const ms of [30, 40, 50]) ends("a1", "generated", ms);
  ends("b1", "generated", 200);
  ends("b2", "expired");
  ends("gone", "generated", 10);
  ends("", "expired");
  peers.failed("m", "inline", "b1");
  for (let i = 0; i < 20; i++) peers.failed("m", "inline", `${String.fromCharCode(99 + i)}1`);
  await clock.advance(1_000);
  const [lane] = loads.find(({ router }) => router === "a")?.lanes ?? [];
  expect(lane?.revisions.slice(0, 3)).toMatchObject([
    { revision: "of-a", firstTexts: 3, firstTextP95Ms: 49, expired: 0, failed: 0 },
    { revision: "of-b", firstTexts: 1, firstTextP95Ms: 200, expired: 1, failed: 1 },
    { revision: "of-c", firstTexts: 0, failed: 1 },
  ]);
  expect(lane?.revisions).toHaveLength(8);
  expect([lane?.refused, lane?.shed]).toEqual([2, 0]);
  await clock.advance(1_000);
  expect(loads.filter(({ router }) => router === "a")[1]?.lanes.flatMap(({ revisions }) => revisions)).toEqual([]);
});

test("what load turned away before a worker was asked is told apart from what was held back, or late with a worker", async () => {
  const bus = new MemoryBus({ shared: true });
  const clock = new FakeClock();
  const { peers } = peer("a", bus, clock);
  const loads: PoolLoad[] = [];
  bus.listen("slipstream.v1.load.*", ({ data }) => loads.push(fromBinary(PoolLoadSchema, data)));
  const usage = {} as never;
  peers.met(triggerAt("a|"), {})({ outcome: "gated", reason: "gated", usage });
  peers.met(triggerAt("a|"), {})({ outcome: "gated", reason: "brownout", usage });
  peers.met(triggerAt("a|"), { queuedMs: 1 })({ outcome: "expired", reason: "deadline", usage });
  peers.met(triggerAt("a|"), { queuedMs: 1, placedMs: 2 })({ outcome: "expired", reason: "deadline", usage });
  await clock.advance(1_000);
  expect(loads[0]?.lanes).toMatchObject([{ arrivals: 4, refused: 4, shed: 2 }]);
});

test("each second a router says its load, and another one shows it until it is silent", async () => {
  const bus = new MemoryBus({ shared: true });
  const clock = new FakeClock();
  const [a, b] = [peer("a", bus, clock), peer("b", bus, clock)];
  const loads: PoolLoad[] = [];
  bus.listen("slipstream.v1.load.*", ({ data }) => loads.push(fromBinary(PoolLoadSchema, data)));
  const at = { queuedMs: 1, firstTextMs: clock.now() + 40 };
  const over = a.peers.met(triggerAt("a|", { receivedMs: clock.now() }), at);
  a.peers.met(triggerAt("a|"), { queuedMs: 1, placedMs: 2 });
  a.peers.met(triggerAt("a|"), { queuedMs: 1 });
  await clock.advance(100);
  over({ outcome: "generated", usage: {} as never });
  await clock.advance(900);
  expect(loads.find(({ router }) => router === "a")).toMatchObject({
    pool: "p",
    workersSeen: 2,
    sequence: 1n,
    lanes: [
      {
        lane: Lane.INLINE,
        arrivals: 3,
        finished: 1,
        queued: 1,
        inFlight: 1,
        firstTextP50Ms: 40,
        firstTextP95Ms: 40,
        serviceMeanMs: 100,
      },
    ],
  });
  await clock.advance(1_000);
  expect(loads.filter(({ router }) => router === "a")[1]?.lanes).toMatchObject([
    { arrivals: 0, finished: 0, queued: 1, inFlight: 1 },
  ]);
  expect(b.peers.others).toEqual([{ router: "a", queued: 1, inFlight: 1 }]);
  expect(b.metrics.max("peers")).toBe(1);
  a.peers.close();
  await clock.advance(4_000);
  expect(b.peers.others).toEqual([]);
});

test("what is no message, and a bus that is away, change nothing", async () => {
  const bus = new MemoryBus({ shared: true });
  const a = peer("a", bus);
  a.peers.taken(trigger, rank(1, "a"));
  for (const subject of ["lease", "load.p", ...Array.from({ length: 8 }, (_, i) => `supersede.${i}`)])
    bus.publish(`slipstream.v1.${subject}`, new Uint8Array([255, 1, 2]));
  bus.connected = false;
  a.peers.taken(trigger, rank(2, "a"));
  await a.clock.advance(1_000);
  expect([a.superseded, a.leased]).toEqual([[], []]);
  expect(a.metrics.count("peer_messages_total", { kind: "supersede", fate: "not_sent" })).toBe(1);
  a.peers.close();
  expect(a.clock.waiting).toBe(0);
});
