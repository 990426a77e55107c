import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { FakeClock, settle as letRun } from "../../lib/clock.fake.ts";
import { recordedMetrics, triggerAt } from "../../test/support/router.ts";
import { Retired, type Trigger } from "../completion.ts";
import { Settle } from "./settle.ts";

function room(pauseMs = 15) {
  const clock = new FakeClock();
  const settle = new Settle({ pauseMs }, { clock, metrics: recordedMetrics().metrics });
  return { clock, settle, now: (given: Partial<Trigger> = {}) => triggerAt("a|", { receivedMs: clock.now(), ...given }) };
}

const endOf = (trigger: Trigger) => (trigger.signal.aborted ? (trigger.signal.reason as Retired).outcome : undefined);
/** What became of a wait so far. */
function watch(wait: Promise<void>) {
  const seen: { state: string } = { state: "waiting" };
  wait.then(
    () => {
      seen.state = "settled";
    },
    (thrown: unknown) => {
      seen.state = thrown instanceof Retired ? thrown.outcome : String(thrown);
    },
  );
  return seen;
}

test("a newer trigger of the same document retires the older one in that moment", () => {
  const { settle, now } = room();
  const [first, other, second] = [now(), now({ document: "d2" }), now()];
  for (const trigger of [first, other]) settle.take(trigger);
  expect(endOf(first)).toBeUndefined();
  settle.take(second);
  expect([endOf(first), endOf(other), endOf(second)]).toEqual(["superseded", undefined, undefined]);
  expect(settle.size).toBe(2);
});

test("a turn ends with its trigger, and an older one's end leaves the newer its turn", () => {
  const { settle, now } = room();
  const first = settle.take(now());
  const newer = now();
  const second = settle.take(newer);
  first[Symbol.dispose]();
  expect(settle.size).toBe(1);
  settle.take(now());
  expect(endOf(newer)).toBe("superseded");
  second[Symbol.dispose]();
  expect(settle.size).toBe(1);
});

test("work ahead of the person takes turns of its own", () => {
  const { settle, now } = room();
  const [waited, ahead, newerAhead] = [now(), now({ lane: "speculative" }), now({ lane: "speculative" })];
  for (const trigger of [waited, ahead]) settle.take(trigger);
  expect(endOf(waited)).toBeUndefined();
  settle.take(newerAhead);
  expect([endOf(waited), endOf(ahead)]).toEqual([undefined, "superseded"]);
  settle.take(now());
  expect([endOf(waited), endOf(newerAhead)]).toEqual(["superseded", undefined]);
});

test("only what is left of the pause is waited", async () => {
  const { clock, settle, now } = room();
  const turn = settle.take(now());
  await clock.advance(10);
  const wait = watch(turn.settled());
  await clock.advance(4);
  expect(wait.state).toBe("waiting");
  await clock.advance(1);
  expect(wait.state).toBe("settled");
  expect(clock.waiting).toBe(0);
});

test.each<[name: string, given: Partial<Trigger>]>([
  ["who asks", { kind: "invoked" }],
  ["chat", { kind: "invoked", lane: "chat" }],
  ["work ahead", { kind: "speculative", lane: "speculative" }],
])("%s does not wait", async (_, given) => {
  const { clock, settle, now } = room();
  const wait = watch(settle.take(now(given)).settled());
  await letRun();
  expect(wait.state).toBe("settled");
  expect(clock.waiting).toBe(0);
});

test("no pause is waited where none is set, or where it is over", async () => {
  const quick = room(0);
  expect(await quick.settle.take(quick.now()).settled()).toBeUndefined();
  const { clock, settle, now } = room();
  const turn = settle.take(now());
  await clock.advance(100);
  expect(await turn.settled()).toBeUndefined();
});

test.each(["superseded", "cancelled", "expired"] as const)(
  "a pause ends as %s with its trigger, leaving nothing behind",
  async (outcome) => {
    const { clock, settle, now } = room();
    const trigger = now();
    using turn = settle.take(trigger);
    const wait = watch(turn.settled());
    trigger.retire(new Retired(outcome));
    await letRun();
    expect(wait.state).toBe(outcome);
    expect([clock.waiting, getEventListeners(trigger.signal, "abort").length]).toEqual([0, 0]);
    // A trigger that had ended before does not begin to wait.
    expect(await turn.settled().catch((thrown: Retired) => thrown.outcome)).toBe(outcome);
  },
);
