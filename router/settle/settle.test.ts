import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { FakeClock, settle as letRun } from "../../lib/clock.fake.ts";
import { recordedMetrics, triggerAt } from "../../test/support/router.ts";
import { Retired, type Trigger } from "../completion.ts";
import type { Rank } from "../rank.ts";
import { Settle } from "./settle.ts";

/** Everyone types so that the pause is 100 ms, as long as workers are full and answers late. */
function room(load = { busy: 1, answerMs: 2_000 }, pauseMaxMs = 100, router = "a", wallStartMs = 1_700_000_000_000) {
  const clock = new FakeClock({ wallStartMs });
  const asked: string[] = [];
  const told: { id: string; rank: Rank }[] = [];
  const settle = new Settle(
    { pauseMaxMs, sessionsMax: 10, router },
    {
      clock,
      metrics: recordedMetrics().metrics,
      taken: ({ id }, rank) => told.push({ id, rank }),
      load: (model) => {
        asked.push(model);
        return load;
      },
    },
  );
  for (let i = 0; i < 400; i++) settle.key("default/s1", i * 88);
  return {
    ...{ clock, settle, asked, told },
    now: (given: Partial<Trigger> = {}) => triggerAt("a|", { receivedMs: clock.now(), deadlineMs: clock.now() + 3_000, ...given }),
  };
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

test("who has the turn may take it again, and keeps it to the end of the first", () => {
  const { settle, now } = room();
  const trigger = now();
  const first = settle.take(trigger);
  settle.take(trigger)[Symbol.dispose]();
  expect([endOf(trigger), settle.size]).toEqual([undefined, 1]);
  settle.take(now());
  expect(endOf(trigger)).toBe("superseded");
  first[Symbol.dispose]();
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
  const { clock, settle, now, asked } = room();
  const turn = settle.take(now({ model: "m" }));
  await clock.advance(60);
  const wait = watch(turn.settled());
  await clock.advance(39);
  expect(wait.state).toBe("waiting");
  await clock.advance(1);
  expect(wait.state).toBe("settled");
  expect(clock.waiting).toBe(0);
  expect(asked).toEqual(["m"]);
});

test("the pause counts from the key, which may be older than the trigger", async () => {
  const { clock, settle, now } = room();
  await clock.advance(1_000);
  const wait = watch(settle.take(now({ previousKeyMs: clock.now() - 60 })).settled());
  await clock.advance(39);
  expect(wait.state).toBe("waiting");
  await clock.advance(1);
  expect(wait.state).toBe("settled");
  // The cursor moved, nobody typed.
  expect(await settle.take(now({ previousKeyMs: clock.now() - 5_000 })).settled()).toBeUndefined();
});

test("calls without a session's edits type where they ask", async () => {
  const { clock, settle, now } = room({ busy: 1, answerMs: 2_000 }, 250);
  const other = { session: "default/call", stateless: true };
  for (let i = 0; i < 400; i++) {
    settle.take(now(other))[Symbol.dispose]();
    await clock.advance(40);
  }
  const wait = watch(settle.take(now(other)).settled());
  await clock.advance(60);
  expect(wait.state).toBe("settled");
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

test.each<[name: string, room: ReturnType<typeof room>]>([
  ["none is allowed", room(undefined, 0)],
  ["workers are idle", room({ busy: 0.4, answerMs: 2_000 })],
  ["answers come before the next key", room({ busy: 1, answerMs: 20 })],
])("no pause is waited where %s", async (_, { clock, settle, now }) => {
  const wait = watch(settle.take(now()).settled());
  await letRun();
  expect([wait.state, clock.waiting]).toEqual(["settled", 0]);
});

test("no pause is waited where it is over", async () => {
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

const roaming = { roams: true, document: "d" } as const;

test("a newer trigger at another router retires the older one here; an older one does not", () => {
  const { settle, now, told } = room();
  const here = now({ ...roaming, sequence: 5 });
  settle.take(here);
  expect(told).toMatchObject([{ rank: { sequence: 5, router: "a" } }]);
  expect(settle.superseded("d", { sequence: 4, unixMs: 9e12, router: "b" })).toBe(false);
  expect(settle.superseded("other", { sequence: 6, unixMs: 0, router: "b" })).toBe(false);
  expect(endOf(here)).toBeUndefined();
  expect(settle.superseded("d", { sequence: 6, unixMs: 0, router: "b" })).toBe(true);
  expect([endOf(here), settle.superseded("d", { sequence: 7, unixMs: 0, router: "b" })]).toEqual(["superseded", false]);
});

test("a trigger that comes after its successor came elsewhere ends as superseded, and tells nobody", async () => {
  const { settle, now, told, clock } = room();
  settle.superseded("d", { sequence: 6, unixMs: 0, router: "b" });
  const late = now({ ...roaming, sequence: 5 });
  const turn = settle.take(late);
  await expect(turn.settled()).rejects.toMatchObject({ outcome: "superseded" });
  expect(told).toEqual([]);
  await clock.advance(11_000);
  const again = now({ ...roaming, sequence: 5 });
  settle.take(again);
  expect(endOf(again)).toBeUndefined();
});

test("two triggers that cross on the way retire one of each other, never both, whatever the clocks", () => {
  for (const [skewMs, sequences] of [
    [0, [0, 0]],
    [-5_000, [0, 0]],
    [5_000, [0, 0]],
    [5_000, [1, 2]],
    [-5_000, [2, 1]],
  ] as const) {
    const a = room(undefined, 100, "a");
    const b = room(undefined, 100, "b", 1_700_000_000_000 + skewMs);
    const [first, second] = [a.now({ ...roaming, sequence: sequences[0] }), b.now({ ...roaming, sequence: sequences[1] })];
    a.settle.take(first);
    b.settle.take(second);
    a.settle.superseded("d", b.told[0]?.rank as Rank);
    b.settle.superseded("d", a.told[0]?.rank as Rank);
    expect([endOf(first), endOf(second)].filter((end) => end === "superseded")).toHaveLength(1);
    if (sequences[0] !== sequences[1]) expect(endOf(sequences[0] > sequences[1] ? first : second)).toBeUndefined();
  }
});

test("a router whose clock is behind knows its trigger as the newer of one that it has heard of", () => {
  const a = room(undefined, 100, "a");
  const b = room(undefined, 100, "b", 1_700_000_000_000 - 60_000);
  const first = a.now(roaming);
  a.settle.take(first);
  b.settle.superseded("d", a.told[0]?.rank as Rank);
  const second = b.now(roaming);
  b.settle.take(second);
  expect(a.settle.superseded("d", b.told[0]?.rank as Rank)).toBe(true);
  expect([endOf(first), endOf(second)]).toEqual(["superseded", undefined]);
});

test("work ahead of the person, and what nobody else can name, is told to nobody", () => {
  const { settle, now, told } = room();
  settle.take(now({ ...roaming, lane: "speculative", kind: "speculative" }));
  settle.take(now({ document: "call-1" }));
  expect(told).toEqual([]);
});
