import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { FakeClock, settle } from "../../lib/clock.fake.ts";
import type { SlipstreamError } from "../../lib/errors.ts";
import { below, seeded } from "../../lib/random.ts";
import { recordedMetrics, triggerAt } from "../../test/support/router.ts";
import { type Booking, type Hold, type Lane, lanes, Retired, type Trigger } from "../completion.ts";
import { Queue, type Waited } from "./queue.ts";

const one = { bytes: 1, costMs: 100, model: "m" };

/** A queue before workers with `free` credits in all; who gets one is noted in `served`. */
function room(given: { free?: number; max?: number; bytesMax?: number; triesMax?: number; slots?: number } = {}) {
  const clock = new FakeClock();
  const metrics = recordedMetrics();
  const depths: Record<Lane, number>[] = [];
  const state = { free: given.free ?? 0, booked: 0, released: 0, served: [] as string[], ended: [] as string[] };
  const queue = new Queue(
    { max: given.max ?? 100, bytesMax: given.bytesMax ?? 1_000, triesMax: given.triesMax ?? 64, quantumMs: 100 },
    {
      clock,
      metrics: metrics.metrics,
      depths: (now) => depths.push({ ...now }),
      slots: () => ({ all: given.slots ?? 0, used: state.booked - state.released }),
    },
  );
  const placeOf = (fits: () => boolean) => (): Booking | Hold => {
    if (state.free === 0 || !fits()) return { againMs: Number.POSITIVE_INFINITY };
    state.free -= 1;
    state.booked += 1;
    return {
      placement: { worker: "w1", why: "lease" },
      release: () => {
        state.released += 1;
        state.free += 1;
        queue.pump();
      },
    };
  };
  const ask = (id: string, trigger: Partial<Trigger> = {}, fits = () => true, size = one) => {
    const made = triggerAt("a|", { id, session: `of ${id}`, ...trigger });
    const booking = queue.next(made, size, placeOf(fits));
    booking.then(
      () => state.served.push(id),
      (thrown: unknown) =>
        state.ended.push(`${id} ${thrown instanceof Retired ? thrown.outcome : (thrown as SlipstreamError).code}`),
    );
    return { trigger: made, booking };
  };
  const offer = async (count: number) => {
    state.free += count;
    queue.pump();
    await settle();
  };
  return { clock, metrics, depths, state, queue, ask, offer };
}

test("with a free credit nobody waits", async () => {
  const { ask, state, queue } = room({ free: 2 });
  ask("a");
  ask("b", { lane: "batch" });
  await settle();
  expect([state.served, queue.length]).toEqual([["a", "b"], 0]);
});

test("capacity goes to the best lane first, and to the earliest deadline in it", async () => {
  const { ask, state, offer, queue } = room();
  ask("batch", { lane: "batch", deadlineMs: 1_001 });
  ask("speculative", { lane: "speculative" });
  ask("chat", { lane: "chat" });
  ask("late", { deadlineMs: 3_000 });
  ask("early", { deadlineMs: 2_000 });
  ask("as early", { deadlineMs: 2_000 });
  for (let i = 0; i < 6; i++) await offer(1);
  expect(state.served).toEqual(["early", "as early", "late", "chat", "speculative", "batch"]);
  expect([queue.length, state.free, state.booked]).toEqual([0, 0, 6]);
});

test("who comes while others wait for something else is served at once", async () => {
  const { ask, state, queue } = room({ free: 1 });
  ask("other model", {}, () => false);
  ask("this model");
  await settle();
  expect([state.served, queue.length]).toEqual([["this model"], 1]);
});

test("one that nothing fits does not hold up those behind it", async () => {
  const { ask, state, offer } = room();
  ask("stuck", { deadlineMs: 1_001 }, () => false);
  ask("a");
  ask("b");
  await offer(2);
  expect(state.served).toEqual(["a", "b"]);
});

test("at one change of capacity only so many are tried", async () => {
  const { ask, state, offer } = room({ triesMax: 3 });
  for (let i = 0; i < 3; i++) ask(`stuck${i}`, { deadlineMs: 1_001 }, () => false);
  ask("a");
  await offer(1);
  expect(state.served).toEqual([]);
});

test.each<[lane: Lane, refused: string]>([
  ["inline", "s2"],
  ["chat", "s2"],
  ["speculative", "new"],
  ["batch", "new"],
])("when a queue full of speculative work is asked for %s work, %s is refused", async (lane, refused) => {
  const { ask, state, metrics, queue } = room({ max: 3 });
  for (let i = 0; i < 3; i++) ask(`s${i}`, { lane: "speculative" });
  ask("new", { lane });
  await settle();
  expect([state.ended, queue.length]).toEqual([[`${refused} overloaded`], 3]);
  expect(metrics.count("queue_refused_total", { why: "full", lane: refused === "new" ? lane : "speculative" })).toBe(1);
});

test("bytes are bounded as well, and what is larger than the queue is refused", async () => {
  const { ask, state, queue } = room({ bytesMax: 100 });
  ask("a", { lane: "chat" }, () => true, { bytes: 60, costMs: 1, model: "m" });
  ask("b", { lane: "chat" }, () => true, { bytes: 50, costMs: 1, model: "m" });
  ask("c", {}, () => true, { bytes: 50, costMs: 1, model: "m" });
  ask("d", {}, () => true, { bytes: 101, costMs: 1, model: "m" });
  await settle();
  expect([state.ended, queue.bytes]).toEqual([["b overloaded", "a overloaded", "d overloaded"], 50]);
});

test("a tenant's flood fills the queue only as long as nobody else comes", async () => {
  const { ask, state } = room({ max: 4 });
  for (let i = 0; i < 5; i++) ask(`flood${i}`, { tenant: "flood", deadlineMs: 2_000 + i });
  for (let i = 0; i < 3; i++) ask(`quiet${i}`, { tenant: "quiet" });
  await settle();
  // Each keeps half.
  expect(state.ended).toEqual(["flood4 overloaded", "flood3 overloaded", "flood2 overloaded", "quiet2 overloaded"]);
});

test("tenants take turns, whatever the flood of one; who comes new is first", async () => {
  const { ask, state, offer } = room();
  for (let i = 0; i < 6; i++) ask(`f${i}`, { tenant: "flood", deadlineMs: 1_500 });
  await offer(1);
  for (let i = 0; i < 2; i++) ask(`q${i}`, { tenant: "quiet", deadlineMs: 9_000 });
  for (let i = 0; i < 5; i++) await offer(1);
  expect(state.served).toEqual(["f0", "q0", "f1", "q1", "f2", "f3"]);
});

test("turns are counted in worker time", async () => {
  const { ask, state, offer } = room();
  const size = (costMs: number) => ({ ...one, costMs });
  for (let i = 0; i < 4; i++) ask(`long${i}`, { tenant: "long" }, () => true, size(200));
  for (let i = 0; i < 8; i++) ask(`short${i}`, { tenant: "short" }, () => true, size(50));
  for (let i = 0; i < 9; i++) await offer(1);
  const served = (tenant: string) => state.served.filter((id) => id.startsWith(tenant)).length;
  expect([served("long"), served("short")]).toEqual([2, 7]);
});

test("within a session the newest is first, whatever its deadline", async () => {
  const { ask, state, offer } = room();
  ask("old", { session: "s", deadlineMs: 2_000 });
  ask("other", { session: "t", deadlineMs: 2_500 });
  ask("new", { session: "s", deadlineMs: 3_000 });
  for (let i = 0; i < 3; i++) await offer(1);
  expect(state.served).toEqual(["new", "old", "other"]);
});

test("what cannot be in time is refused at once, or as soon as that is known, and never served", async () => {
  const { queue, offer, clock, metrics } = room();
  const late = { late: false };
  const place = () => (late.late ? { lateByMs: 70 } : { againMs: 30 });
  const ends: string[] = [];
  const ask = () =>
    queue.next(triggerAt("a|"), one, place).catch((thrown: SlipstreamError) => ends.push(`${thrown.code} ${thrown.retryAfterMs}`));
  void ask();
  await offer(0);
  expect(ends).toEqual([]);
  late.late = true;
  await clock.advance(30);
  await ask();
  expect(ends).toEqual(["too_late 120", "too_late 120"]);
  expect([queue.length, metrics.count("queue_refused_total", { why: "late" })]).toEqual([0, 2]);
});

test("who waits in vain is refused when others come before it or slots turn over slower, not at its latest start", async () => {
  const { queue, clock } = room({ slots: 1 });
  const ends: string[] = [];
  let free = true;
  const ask = (id: string, deadlineMs: number, given: { readonly due?: () => number } = {}) => {
    const place = () => {
      const startByMs = (given.due?.() ?? deadlineMs) - 50;
      if (!free) return { againMs: startByMs - clock.now() + 1, startByMs };
      free = false;
      const placement = { worker: "w1", why: "lease" } as const;
      return {
        placement,
        release: () => {
          free = true;
        },
      };
    };
    const work = { ...triggerAt("a|", { session: id, deadlineMs }), ...given };
    const booking = queue.next(work, one, place);
    booking.catch((thrown: SlipstreamError) => ends.push(`${id} ${thrown.code} at ${clock.now()}`));
    return booking;
  };
  // A slot is held for 100 ms.
  const first = await ask("first", 1_000);
  await clock.advance(100);
  const nowMs = clock.now();
  first.release();
  await ask("holder", nowMs + 1_000);
  for (const [id, afterMs] of [
    ["a", 420],
    ["b", 430],
  ] as const)
    ask(id, nowMs + afterMs).catch(() => {});
  await clock.advance(10);
  expect(ends).toEqual([]);
  for (const id of ["x", "y", "z"]) ask(id, nowMs + 400).catch(() => {});
  await settle();
  expect(ends).toEqual(["b", "a"].map((id) => `${id} too_late at ${nowMs + 10}`));
});

test("another tenant's flood does not make a tenant's wait longer than its turns", async () => {
  const { ask, offer, clock, queue } = room({ slots: 2 });
  const first = ask("first", { tenant: "flood" });
  await offer(1);
  await clock.advance(100);
  (await first.booking).release();
  ask("holder", { tenant: "flood" });
  for (let i = 0; i < 9; i++) ask(`f${i}`, { tenant: "flood" });
  expect([queue.predictedWaitMs("inline", "flood"), queue.predictedWaitMs("inline", "quiet")]).toEqual([1_000, 200]);
  expect([queue.busyShare("flood"), queue.busyShare("quiet")]).toEqual([Number.POSITIVE_INFINITY, 0]);
});

test("a tenant that has its share is told so as long as others had a slot of late", async () => {
  const { clock, queue } = room({ slots: 4 });
  const seen: boolean[] = [];
  const held: Booking[] = [];
  const take = async (tenant: string) => {
    const booking = await queue.next(triggerAt("a|", { tenant, session: `${held.length}` }), one, ({ greedy }) => {
      seen.push(greedy);
      return { placement: { worker: "w1", why: "lease" }, release: () => {} };
    });
    held.push(booking);
  };
  for (let i = 0; i < 3; i++) await take("flood");
  await take("quiet");
  held.pop()?.release();
  await take("flood");
  await take("quiet");
  expect(seen).toEqual([false, false, false, false, true, false]);
  held.pop()?.release();
  await clock.advance(11_000);
  await take("flood");
  expect(seen.at(-1)).toBe(false);
});

test("slots that stand idle while something waits are told apart from those that nobody wants", async () => {
  const { ask, clock, queue, metrics } = room({ slots: 2 });
  queue.pump();
  await clock.advance(1_000);
  const { trigger } = ask("a");
  await clock.advance(3_000);
  trigger.retire(new Retired("cancelled"));
  const seconds = (state: string) => metrics.count("slot_seconds_total", { state });
  expect([seconds("idle"), seconds("wanted"), seconds("used")]).toEqual([2, 6, 0]);
  expect(queue.idleShare).toBeGreaterThan(0.7);
});

test("a refusal says when to ask again, and leaves nothing behind", async () => {
  const { ask, queue } = room({ max: 1 });
  ask("a");
  const { booking, trigger } = ask("b");
  expect(((await booking.catch((thrown: unknown) => thrown)) as SlipstreamError).retryAfterMs).toBeGreaterThanOrEqual(50);
  expect([queue.length, getEventListeners(trigger.signal, "abort").length]).toEqual([1, 0]);
});

test.each(["superseded", "cancelled", "expired"] as const)("a trigger that is %s leaves the queue at once", async (outcome) => {
  const { ask, state, offer, queue, metrics, depths } = room();
  ask("a");
  const { trigger } = ask("b");
  ask("c");
  trigger.retire(new Retired(outcome));
  expect(queue.length).toBe(2);
  await settle();
  expect(state.ended).toEqual([`b ${outcome}`]);
  await offer(3);
  expect([state.served, state.booked, state.free]).toEqual([["a", "c"], 2, 1]);
  expect(depths.map(({ inline }) => inline)).toEqual([1, 2, 3, 2, 1, 0]);
  expect(metrics.unrest(["queued"])).toEqual([]);
});

test("one that had ended before is not let in", async () => {
  const { queue, state } = room({ free: 1 });
  const trigger = triggerAt("a|");
  trigger.retire(new Retired("superseded"));
  await expect(queue.next(trigger, one, () => expect.unreachable())).rejects.toBe(trigger.signal.reason);
  expect([queue.length, state.booked]).toEqual([0, 0]);
});

test("a trigger that ends right after it was served keeps its booking, for the path to give back once", async () => {
  const { ask, offer, state } = room();
  const { trigger, booking } = ask("a");
  await offer(1);
  trigger.retire(new Retired("superseded"));
  const held = await booking;
  held.release();
  held.release();
  expect([state.released, state.free]).toEqual([1, 1]);
  expect(getEventListeners(trigger.signal, "abort")).toHaveLength(0);
});

test("who waits when the router goes is told so, and so is who comes then", async () => {
  const { ask, queue, state, metrics } = room();
  const waiting = ask("a");
  queue.close();
  ask("b", { lane: "batch" });
  await settle();
  expect([state.ended, queue.length]).toEqual([["a draining", "b draining"], 0]);
  expect(metrics.unrest(["queued"])).toEqual([]);
  expect(getEventListeners(waiting.trigger.signal, "abort")).toHaveLength(0);
});

test("who holds out for a busy worker is asked again in time, and counts before those behind it", async () => {
  const { clock, queue, offer } = room();
  const seen: string[] = [];
  const tried = (id: string) => (waited: Waited) => {
    seen.push(`${id} ${waited.waitedMs} ${waited.ahead("w1")}`);
    return { hold: "w1", againMs: 20 };
  };
  const [first, second] = [triggerAt("a|", { session: "a" }), triggerAt("a|", { session: "b" })];
  queue.next(first, one, tried("a")).catch(() => {});
  await clock.advance(5);
  queue.next(second, one, tried("b")).catch(() => {});
  expect(seen).toEqual(["a 0 0", "b 0 1"]);
  await clock.advance(15);
  expect(seen.slice(2)).toEqual(["a 20 0", "b 15 1"]);
  first.retire(new Retired("superseded"));
  seen.length = 0;
  await offer(0);
  expect(seen).toEqual(["b 15 0"]);
  second.retire(new Retired("superseded"));
  queue.close();
  await clock.advance(100);
  expect([seen.length, clock.waiting]).toEqual([1, 0]);
});

test("a released credit goes to the next who waits", async () => {
  const { ask, offer, state } = room();
  const first = ask("a");
  ask("b");
  await offer(1);
  expect(state.served).toEqual(["a"]);
  (await first.booking).release();
  await settle();
  expect(state.served).toEqual(["a", "b"]);
});

test("the predicted wait is that of the lane: its length, its service time, its bookings", async () => {
  const { ask, offer, clock, queue } = room();
  expect(queue.predictedWaitMs("inline", "default")).toBe(0);
  const chat = ask("slow", { lane: "chat" });
  const inline = ask("quick");
  await offer(2);
  await clock.advance(100);
  (await inline.booking).release();
  await clock.advance(9_900);
  (await chat.booking).release();
  await offer(-1);
  const holder = ask("holder");
  ask("waits");
  ask("chat waits", { lane: "chat" });
  expect(queue.predictedWaitMs("inline", "default")).toBe(200);
  expect(queue.predictedWaitMs("chat", "default")).toBe(20_000);
  expect(queue.predictedWaitMs("batch", "default")).toBe(0);
  (await holder.booking).release();
});

test("whatever comes and goes, no credit is lost or given twice and the order holds", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed);
    const { ask, offer, state, queue, metrics } = room({ free: below(random, 3), max: 20 });
    const open: { trigger: Trigger; booking: Promise<Booking> }[] = [];
    let credits = state.free;
    for (let turn = 0; turn < 60; turn++) {
      const [trigger, holder] = [open[below(random, open.length)], open[below(random, open.length)]];
      const what = below(random, 4);
      if (what === 0) {
        open.push(ask(`t${turn}`, { lane: lanes[below(random, 4)] as Lane, deadlineMs: 1_000 + below(random, 5) }));
      } else if (what === 1 && credits < 4) {
        credits += 1;
        await offer(1);
      } else if (what === 2) trigger?.trigger.retire(new Retired("superseded"));
      else if (holder) void holder.booking.then((booking) => booking.release()).catch(() => {});
      await settle();
      expect(state.free + state.booked - state.released, `seed ${seed}`).toBe(credits);
      // Whoever waits, waits because nothing is free.
      if (state.free > 0) expect(queue.length, `seed ${seed}`).toBe(0);
    }
    for (const { trigger, booking } of open) {
      trigger.retire(new Retired("cancelled"));
      await booking.then((held) => held.release()).catch(() => {});
    }
    expect([queue.length, state.free], `seed ${seed}`).toEqual([0, credits]);
    expect(metrics.unrest(["queued"])).toEqual([]);
    expect(open.every(({ trigger }) => getEventListeners(trigger.signal, "abort").length === 0)).toBe(true);
  }
});
