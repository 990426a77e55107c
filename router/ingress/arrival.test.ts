import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { seeded } from "../../lib/random.ts";
import { triggerAt } from "../../test/support/router.ts";
import { Retired } from "../completion.ts";
import { Arrivals } from "./arrival.ts";

function arrive(given: { deadlineAfterMs?: number; id?: string; caller?: AbortController } = {}) {
  const clock = new FakeClock();
  const caller = given.caller ?? new AbortController();
  const { deadlineAfterMs = 100, id = "" } = given;
  const { receivedMs: _, deadlineMs: __, signal: ___, retire: ____, release: _____, released: ______, ...fields } = triggerAt("a|");
  const trigger = new Arrivals({ clock, random: seeded(1) }).trigger({ ...fields, id, deadlineAfterMs }, caller.signal);
  const listeners = () => getEventListeners(caller.signal, "abort").length;
  const ended = () => (trigger.signal.aborted ? (trigger.signal.reason as Retired).outcome : undefined);
  return { clock, caller, trigger, listeners, ended };
}

test("a trigger expires at its deadline and not before", async () => {
  const { clock, ended, trigger } = arrive();
  expect(trigger.deadlineMs - trigger.receivedMs).toBe(100);
  await clock.advance(99);
  expect(ended()).toBeUndefined();
  await clock.advance(1);
  expect(ended()).toBe("expired");
});

test("a caller that leaves cancels it", () => {
  const { caller, ended } = arrive();
  caller.abort();
  expect(ended()).toBe("cancelled");
});

test("a caller that had left before is cancelled at once", () => {
  const caller = new AbortController();
  caller.abort();
  expect(arrive({ caller }).ended()).toBe("cancelled");
});

test("what ends it first stands", async () => {
  const { clock, caller, trigger, ended } = arrive();
  trigger.retire(new Retired("superseded"));
  caller.abort();
  await clock.advance(1_000);
  expect(ended()).toBe("superseded");
});

test("release gives back the timer and the tie to the caller", async () => {
  const { clock, caller, trigger, listeners, ended } = arrive();
  expect([clock.waiting, listeners()]).toEqual([1, 1]);
  trigger.release();
  trigger.release();
  expect([clock.waiting, listeners()]).toEqual([0, 0]);
  caller.abort();
  await clock.advance(1_000);
  expect(ended()).toBeUndefined();
});

test("a trigger without an id gets one of its own", () => {
  expect(arrive({ id: "mine" }).trigger.id).toBe("mine");
  expect(arrive().trigger.id).toMatch(/^[0-9a-f]{16}$/);
});
