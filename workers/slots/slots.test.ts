import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { SlipstreamError } from "../../lib/errors.ts";
import type { Generation, Lane } from "../generation.ts";
import { type Slot, Slots } from "./slots.ts";

const never = new AbortController().signal;

function work(lane: Lane, clock: FakeClock, deadlineMs = Number.POSITIVE_INFINITY): Generation {
  return {
    id: 1n,
    link: "r",
    affinity: "",
    lane,
    model: "m",
    segments: [],
    sampling: { maxTokens: 1, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "off" },
    stopAtNewline: false,
    deadlineMs: clock.now() + deadlineMs,
    receivedMs: clock.now(),
    cacheSalt: "",
    blockDigests: new Uint8Array(),
    draftDepthHint: 0,
    traceparent: "",
  };
}

/** Enters by name and writes down what happens. */
function room(slots: number, waitingMax = 10) {
  const clock = new FakeClock();
  const made = new Slots({ slots, waitingMax, routersMax: 4 }, { clock });
  const log: string[] = [];
  const held = new Map<string, Slot>();
  const enter = (name: string, lane: Lane = "inline", deadlineMs?: number, signal = never) => {
    void made
      .enter(work(lane, clock, deadlineMs), signal, () => log.push(`retire ${name}`))
      .then(
        (slot) => {
          log.push(slot ? `${name} in` : `${name} left`);
          if (slot) held.set(name, slot);
        },
        (error: SlipstreamError) => log.push(`${name} ${error.code}`),
      );
  };
  const leave = (name: string) => held.get(name)?.[Symbol.dispose]();
  return { clock, slots: made, log, enter, leave };
}

test("who waits enters by lane, then by deadline, then by arrival", async () => {
  const { clock, slots, log, enter, leave } = room(1);
  enter("first");
  for (const [name, lane, deadlineMs] of [
    ["batch", "batch"],
    ["late", "inline", 900],
    ["soon", "inline", 300],
    ["patient", "inline"],
    ["chat", "chat", 10_000],
  ] as const)
    enter(name, lane, deadlineMs);
  await clock.advance(0);
  expect([slots.running, slots.waiting]).toEqual([1, 5]);
  for (const name of ["first", "soon", "late", "patient", "chat", "batch"]) {
    leave(name);
    await clock.advance(1);
  }
  expect(log).toEqual(["first in", "soon in", "late in", "patient in", "chat in", "batch in"]);
  expect([slots.running, slots.waiting]).toEqual([0, 0]);
});

test("a slot given back twice is free once", async () => {
  const { clock, slots, enter, leave } = room(1);
  for (const name of ["a", "b", "c"]) enter(name);
  await clock.advance(0);
  leave("a");
  leave("a");
  await clock.advance(0);
  expect([slots.running, slots.waiting]).toEqual([1, 1]);
});

test("what expires while it waits is refused then, and not started even if its timer is late", async () => {
  const { clock, log, enter, leave } = room(1);
  enter("first");
  enter("short", "inline", 20);
  await clock.advance(20);
  expect(log).toEqual(["first in", "short deadline_exceeded"]);
  enter("over", "inline", 0);
  leave("first");
  await clock.advance(0);
  expect(log.at(-1)).toBe("over deadline_exceeded");
  expect(clock.next()).toBeUndefined();
});

test("an abort while waiting leaves the queue at once", async () => {
  const { clock, slots, log, enter } = room(1);
  const gone = new AbortController();
  enter("first");
  enter("second", "inline", 500, gone.signal);
  enter("third", "inline", 500, AbortSignal.abort());
  gone.abort();
  await clock.advance(0);
  expect([log.includes("second left"), log.includes("third left")]).toEqual([true, true]);
  expect(slots.waiting).toBe(0);
  expect(clock.next()).toBeUndefined();
});

test("an inline arrival retires batch before speculative, the youngest first, one for one; chat arrivals retire nobody", async () => {
  const { clock, log, enter, leave } = room(4);
  for (const [name, lane] of [
    ["spec 1", "speculative"],
    ["spec 2", "speculative"],
    ["batch", "batch"],
    ["chat", "chat"],
  ] as const)
    enter(name, lane);
  await clock.advance(0);
  log.length = 0;
  enter("other chat", "chat");
  await clock.advance(0);
  expect(log).toEqual([]);
  enter("key 1");
  enter("key 2");
  await clock.advance(0);
  expect(log).toEqual(["retire batch", "retire spec 2"]);
  leave("spec 2");
  leave("batch");
  await clock.advance(0);
  expect(log.slice(2)).toEqual(["key 1 in", "key 2 in"]);
  enter("key 3");
  enter("key 4");
  await clock.advance(0);
  expect(log.slice(4)).toEqual(["retire spec 1"]);
});

test("the queue has a most", async () => {
  const { clock, log, enter } = room(1, 2);
  for (const name of ["a", "b", "c", "d"]) enter(name);
  await clock.advance(0);
  expect(log).toContain("d overloaded");
});

test("a drain refuses what waits and what comes; what runs keeps its slot; resume takes work again", async () => {
  const { clock, slots, log, enter } = room(1);
  enter("a");
  enter("b");
  await clock.advance(0);
  slots.drain();
  enter("c");
  await clock.advance(0);
  expect(log).toEqual(["a in", "b draining", "c draining"]);
  expect(slots.running).toBe(1);
  slots.resume();
  enter("d");
  await clock.advance(0);
  expect(slots.waiting).toBe(1);
});
