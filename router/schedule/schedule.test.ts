import { expect, test } from "vitest";
import { seeded } from "../../lib/random.ts";
import { fleetOf, freeOf, modelOf, workerOf } from "../../test/support/router.ts";
import type { Asking, Hold, Late, Placement, Remembered, WorkerView } from "../completion.ts";
import { place, predict } from "./schedule.ts";

const options = {
  boundedLoad: 1.25,
  spareShare: 0.5,
  patienceMs: 20,
  rampMs: 10_000,
  coldWeight: 2,
  coldDoublesMs: 100,
  guessTokensMax: 64,
  replicasMax: 3,
  margin: 1.25,
};
const now = 100_000;

interface Given extends Partial<Omit<Asking, "ahead">>, Partial<Remembered> {
  readonly avoid?: readonly string[];
  readonly seed?: number;
  readonly ahead?: Readonly<Record<string, number>>;
  /** Of an answer, as the fleet knows it. */
  readonly tokens?: number;
  /** Workers whose link is being made anew. */
  readonly away?: readonly string[];
}

function askingOf({ ahead = {}, ...given }: Given): Asking {
  const plain = { session: "s1", document: "d", lane: "inline", model: "m", prompt: promptOf(600), waitedMs: 0 } as const;
  return { ...plain, maxTokens: 64, greedy: false, dueMs: now + 10_000, ahead: (worker) => ahead[worker] ?? 0, ...given };
}

function put(workers: readonly WorkerView[], given: Given = {}): Placement | Hold | Late {
  const { lease, home, shared, warm = [], avoid = [], away = [], seed = 1, tokens = 0, ...asking } = given;
  const moment = { now, random: seeded(seed) };
  const remembered = { lease, warm, ...(shared && { shared }), ...(home === undefined ? {} : { home }) };
  const fleet = { ...fleetOf(workers, tokens), away: away.map((name) => ({ name, pool: "p", models: [modelOf()] })) };
  return place(options, askingOf(asking), remembered, fleet, moment, new Set(avoid));
}
/** 3 bytes a token. */
const promptOf = (tokens: number) => ({ bytes: 3 * tokens, blocks: new Uint8Array() });
const nameOf = (placed: Placement | Hold | Late) => {
  if ("worker" in placed) return placed.worker;
  return "lateByMs" in placed ? "late" : placed.hold === undefined ? undefined : `hold ${placed.hold}`;
};

const names = ["w1", "w2", "w3", "w4"];
/** A worker that computes a token in 0.1 ms: the prompt above takes 60 ms anew. */
const fleet = (given: (name: string) => Partial<WorkerView> = () => ({})) =>
  names.map((name) => workerOf(name, { loadMs: now, prefillTokensPerSecond: 10_000, serviceMs: freeOf(100), ...given(name) }));
/** Who owns the session among idle workers, and two of the others. */
const owner = nameOf(put(fleet())) as string;
const [other, third, last] = names.filter((name) => name !== owner) as [string, string, string];
const only = (name: string, given: Partial<WorkerView>) => (each: string) => (each === name ? given : {});
/** No credit left, of so many held. */
const full = (held: number) => ({ free: freeOf(0), held: freeOf(held), outstanding: held });
const warm = (worker: string, freshBytes: number) => ({ worker, freshBytes });

test.each<[name: string, workers: WorkerView[], given: Given, expected: string | undefined]>([
  ["an idle owner has its session", fleet(), {}, owner],
  ["who holds the lease has it, whoever the hash says", fleet(), { lease: third }, third],
  ["a busy owner keeps it while it has a slot", fleet(only(owner, { outstanding: 3, held: freeOf(3) })), {}, owner],
  ["it is worth 17 ms of waiting for a credit", fleet(only(owner, { ...full(6), slots: 6 })), {}, `hold ${owner}`],
  [
    "not longer than that in all",
    fleet(only(owner, full(6))),
    { waitedMs: 10, lease: owner, warm: [warm(owner, 1_800)] },
    "elsewhere",
  ],
  ["a backlog of 10 ms of prompts is waited for", fleet(only(owner, { prefillBacklogTokens: 100 })), {}, owner],
  ["one of 30 ms is not", fleet(only(owner, { prefillBacklogTokens: 300 })), {}, "elsewhere"],
  ["what was booked since counts as well", fleet(only(owner, { prefillBacklogTokens: 100, bookedTokens: 200 })), {}, "elsewhere"],
  ["what was computed since does not", fleet(only(owner, { prefillBacklogTokens: 300, loadMs: now - 25 })), {}, owner],
  [
    "a long wait is worth it where all else would compute the prompt anew",
    fleet(only(owner, full(4))),
    { warm: [warm(owner, 30)] },
    `hold ${owner}`,
  ],
  [
    "unless others wait there already",
    fleet(only(owner, full(4))),
    { warm: [warm(owner, 30)], ahead: { [owner]: 5 } },
    "elsewhere",
  ],
  [
    "who had the session before finds its prefix",
    fleet(only(owner, full(1))),
    { warm: [warm(owner, 30), warm(third, 300)] },
    third,
  ],
  [
    "without it, who has the shortest backlog",
    fleet((name) => (name === owner ? full(1) : { prefillBacklogTokens: name === other ? 0 : 200 })),
    {},
    other,
  ],
  [
    "a full worker costs the wait for its slot",
    fleet((name) => (name === owner ? full(1) : name === other ? { outstanding: 3 } : { outstanding: 4 })),
    {},
    other,
  ],
  [
    "a tenant with more than its share leaves a slot to others",
    fleet(only(owner, { outstanding: 3, held: freeOf(3) })),
    { greedy: true },
    "elsewhere",
  ],
  [
    "and takes none where each has but one left",
    fleet(() => ({ outstanding: 3, held: freeOf(3) })),
    { greedy: true },
    `hold ${owner}`,
  ],
  [
    "a credit that is waited for is no better a place than the last one that is free",
    fleet((name) => (name === owner ? full(5) : { outstanding: 4, held: freeOf(4) })),
    { waitedMs: 10, warm: [warm(owner, 30), warm(other, 30)] },
    other,
  ],
  ["without any credit nobody is placed", fleet(() => ({ free: freeOf(0) })), {}, undefined],
  ["credits of another lane are none", fleet(() => ({ free: { ...freeOf(3), inline: 0 } })), {}, undefined],
  ["a worker without the model is none", [workerOf("w1", { models: [modelOf({ name: "n" })] })], {}, undefined],
  ["a worker of another pool is none, whatever it serves", fleet(), { pool: "q" }, undefined],
  [
    "what is for one pool goes to its workers alone, however busy they are",
    fleet(only(third, { pool: "q", outstanding: 4, prefillBacklogTokens: 9_000 })),
    { pool: "q", lease: owner },
    third,
  ],
  [
    "a prompt that would be computed anew is worth twice its time of waiting",
    fleet(only(owner, { prefillBacklogTokens: 1_000 })),
    { warm: [warm(owner, 30)] },
    owner,
  ],
  ["and no more", fleet(only(owner, { prefillBacklogTokens: 1_250 })), { warm: [warm(owner, 30)] }, "elsewhere"],
  [
    "the longer it has waited the more, for the next key comes the sooner",
    fleet(only(owner, { prefillBacklogTokens: 1_250 })),
    { warm: [warm(owner, 30)], waitedMs: 50 },
    owner,
  ],
  [
    "unless that is too late, and there it is in time",
    fleet(only(owner, { prefillBacklogTokens: 1_000, outstanding: 1 })),
    { warm: [warm(owner, 30)], dueMs: now + 90 },
    "elsewhere",
  ],
  [
    "a beginning that others have is known to be where they are",
    fleet(only(owner, full(1))),
    { shared: () => ({ name: "b", bytes: 900, holders: [third] }) },
    third,
  ],
  [
    "where that is most of a prompt, they have it, whatever the session's hash says",
    fleet(),
    { shared: () => ({ name: "b", bytes: 1_500, holders: [last] }) },
    last,
  ],
  [
    "but a session's lease comes first",
    fleet(),
    { lease: third, shared: () => ({ name: "b", bytes: 1_500, holders: [last] }) },
    third,
  ],
  ["no workers place nobody", [], {}, undefined],
  ["a worker whose credits are not known to come back is not waited for", fleet(only(owner, { free: freeOf(0) })), {}, "elsewhere"],
])("%s", (_, workers, given, expected) => {
  const placed = put(workers, given);
  if (expected === "elsewhere") {
    expect(placed).toMatchObject({ why: "least_cost", lease: "moved" });
    expect(nameOf(placed)).not.toBe(owner);
  } else expect(nameOf(placed)).toBe(expected);
});

test.each<[name: string, workers: WorkerView[], given: Given, lease: Placement["lease"]]>([
  ["by hash, its lease is at home", fleet(), {}, "home"],
  ["while its owner drains, it is at home with the next", fleet(only(owner, { draining: true })), {}, "home"],
  ["while this router alone avoids its owner, others must know where it is", fleet(), { avoid: [owner] }, "moved"],
  [
    "while its owner's link is made anew, they must as well",
    fleet().filter(({ name }) => name !== owner),
    { away: [owner] },
    "moved",
  ],
  ["but not for one that is away and owns another", fleet(), { away: ["w9"] }, "home"],
  ["what is held is kept while nobody comes or goes", fleet(), { lease: owner, home: 1 }, "kept"],
  ["it is at home when the roster changed, and its hash says the same", fleet(), { lease: owner, home: 0 }, "home"],
  ["an exception from when its owner is back", fleet(), { lease: other, home: 0 }, "moved"],
  ["and an exception stays one", fleet(), { lease: other }, "kept"],
])("of a session that is placed %s", (_, workers, given, lease) => {
  expect(put(workers, given)).toMatchObject({ lease });
});

test("a placement says what becomes of the lease, and what will have to be computed", () => {
  expect(put(fleet())).toEqual({ worker: owner, why: "lease", lease: "home", freshTokens: 600, freshMs: 60 });
  expect(put(fleet(), { lease: third, warm: [warm(third, 30)] })).toMatchObject({ why: "lease", lease: "kept", freshTokens: 10 });
});

/** A pace of 5 ms a token, so that ten take 50 ms, and the margin makes 62.5 of them. */
const paced = { tokenMs: 5, pacedMs: now, outstanding: 1 };

test.each<[name: string, workers: WorkerView[], given: Given, expected: string]>([
  ["what can just be in time is placed", fleet(() => paced), { dueMs: now + 63 }, owner],
  ["what cannot is late", fleet(() => paced), { dueMs: now + 62 }, "late"],
  ["fewer tokens take less", fleet(() => paced), { dueMs: now + 40, maxTokens: 6 }, owner],
  [
    "so does another worker that is quicker",
    fleet((name) => ({ ...paced, ...(name === other ? { tokenMs: 2 } : {}) })),
    { dueMs: now + 40 },
    other,
  ],
  ["a worker that stands idle is tried", fleet(() => ({ ...paced, outstanding: 0 })), { dueMs: now + 10 }, owner],
  ["a pace of long ago says nothing", fleet(() => ({ ...paced, pacedMs: now - 6_000 })), { dueMs: now + 10 }, owner],
  [
    "with nothing free what cannot be in time is late as well",
    fleet(() => ({ ...paced, ...full(2) })),
    { dueMs: now + 62 },
    "late",
  ],
  [
    "waiting for a slot takes its time",
    fleet(only(owner, { ...paced, ...full(2) })),
    { dueMs: now + 80, avoid: [other, third, last] },
    "late",
  ],
])("%s", (_, workers, given, expected) => {
  const warmed = names.map((name) => warm(name, 0));
  expect(nameOf(put(workers, { tokens: 10, warm: warmed, ...given }))).toBe(expected);
});

test.each([
  ["one slot of four in use, and in time without its prompt", { outstanding: 1 }, 70, owner],
  ["late with or without it", { outstanding: 1 }, 60, "late"],
  ["half of its slots in use", { outstanding: 2 }, 70, "late"],
])("what its own prompt makes late is tried where slots stand empty: %s", (_, given, dueMs, expected) => {
  expect(
    nameOf(
      put(
        fleet(() => ({ ...paced, ...given })),
        { tokens: 10, dueMs: now + dueMs },
      ),
    ),
  ).toBe(expected);
});

test("with nothing free one is asked again when it can no longer be in time", () => {
  const workers = fleet(() => ({ ...paced, ...full(2) }));
  const hold = put(workers, { tokens: 10, warm: [warm(owner, 0)], dueMs: now + 100 });
  expect(hold).toMatchObject({ againMs: expect.closeTo(100 / 1.25 - 50 + 1, 0) });
});

test("a prediction tells the wait, the prompt and the pace apart", () => {
  const workers = fleet(() => ({ ...paced, prefillBacklogTokens: 100 }));
  const predicted = predict(options, askingOf({}), { lease: undefined, warm: [] }, fleetOf(workers, 10), now);
  expect(predicted).toEqual({ totalMs: (10 + 60 + 50) * 1.25, waitMs: 10, prefillMs: 60, tokenMs: 5, atEase: true });
  expect(predict(options, askingOf({ model: "n" }), { lease: undefined, warm: [] }, fleetOf(workers), now)).toBeUndefined();
});

test("a hold is thought over at the latest when patience ends", () => {
  expect(put(fleet(only(owner, { ...full(20), slots: 20 })), { waitedMs: 14 })).toMatchObject({ hold: owner, againMs: 6 });
});

test("a draining holder's sessions go to the next by hash, and a new session comes back when it stays", () => {
  const without = put(fleet(only(owner, { draining: true })), { lease: owner });
  expect(without).toMatchObject({ why: "lease", lease: "home" });
  expect(nameOf(without)).not.toBe(owner);
  expect(nameOf(without)).toBe(nameOf(put(fleet().filter(({ name }) => name !== owner))));
  expect(nameOf(put(fleet()))).toBe(owner);
});

test("a worker that failed this trigger is avoided, and nobody is left where all did", () => {
  expect(nameOf(put(fleet(), { avoid: [owner] }))).not.toBe(owner);
  expect(nameOf(put(fleet(), { avoid: [owner, other, third] }))).toBe(names.find((name) => ![owner, other, third].includes(name)));
  expect(nameOf(put(fleet(), { avoid: names }))).toBeUndefined();
});

test("the owner does not depend on the order in which workers joined", () => {
  for (let i = 0; i < 50; i++)
    expect(nameOf(put(fleet().reverse(), { session: `s${i}` }))).toBe(nameOf(put(fleet(), { session: `s${i}` })));
});

test("equals are chosen by chance: the same seed the same, over many seeds all of them", () => {
  const workers = fleet(only(owner, { free: freeOf(0) }));
  const chosen = Array.from({ length: 60 }, (_, seed) => nameOf(put(workers, { seed })));
  expect(new Set(chosen)).toEqual(new Set(names.filter((name) => name !== owner)));
  expect(Array.from({ length: 60 }, (_, seed) => nameOf(put(workers, { seed })))).toEqual(chosen);
});

test("of two equals by chance the one with less to do", () => {
  const workers = fleet((name) => (name === owner ? { free: freeOf(0) } : { outstanding: name === other ? 0 : 2 }));
  const chosen = Array.from({ length: 60 }, (_, seed) => nameOf(put(workers, { seed })));
  expect(chosen.filter((name) => name === other).length).toBeGreaterThan(25);
});

const sessions = Array.from({ length: 1_000 }, (_, i) => `session-${i}`);

test("sessions spread over workers, and few move when one joins", () => {
  const before = sessions.map((session) => nameOf(put(fleet(), { session })));
  for (const name of names) {
    const share = before.filter((worker) => worker === name).length / sessions.length;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
  }
  const after = sessions.map((session) => nameOf(put([...fleet(), workerOf("w5")], { session })));
  const moved = sessions.filter((_, i) => before[i] !== after[i]);
  expect(moved.every((session) => after[sessions.indexOf(session)] === "w5")).toBe(true);
  expect(moved.length / sessions.length).toBeGreaterThan(0.15);
  expect(moved.length / sessions.length).toBeLessThan(0.25);
});

test("sessions by hash stay within the bound on every worker, and who is past it is said to be elsewhere", () => {
  const held = new Map(names.map((name) => [name, 0]));
  for (const [i, session] of sessions.slice(0, 200).entries()) {
    // Many of one hash at first: the hardest case for its owner.
    const placed = put(
      fleet((name) => ({ leases: held.get(name) ?? 0 })),
      { session: i < 100 ? "s1" : session },
    ) as Placement;
    held.set(placed.worker, (held.get(placed.worker) ?? 0) + 1);
    if (i < 100) expect(placed.lease).toBe(placed.worker === owner ? "home" : "overflowed");
    expect(Math.max(...held.values())).toBeLessThanOrEqual(Math.max(4, Math.ceil((1.25 * (i + 1)) / names.length)));
  }
});

test("a worker that has just joined an older fleet is given its slots little by little", () => {
  const workers = (age: number, outstanding: number) =>
    fleet((name) => (name === owner ? full(1) : name === other ? { joinedMs: now - age, outstanding } : { outstanding: 3 }));
  const chosen = (age: number, outstanding: number) =>
    Array.from({ length: 30 }, (_, seed) => nameOf(put(workers(age, outstanding), { seed }))).includes(other);
  expect([chosen(100, 0), chosen(100, 1), chosen(4_000, 1), chosen(4_000, 2), chosen(9_000, 3)]).toEqual([
    true,
    false,
    true,
    false,
    true,
  ]);
});

test.each<[name: string, workers: WorkerView[], expected: string | undefined, given?: Given]>([
  ["goes to the owner that stands idle", fleet(), owner],
  ["goes nowhere else when the owner is busy", fleet(only(owner, { outstanding: 3, running: 3 })), undefined],
  ["nor when the owner has no credit", fleet(only(owner, { free: freeOf(0) })), undefined],
  ["goes nowhere when its owner would have to compute its prompt", fleet(), undefined, { warm: [warm(owner, 300)] }],
  ["is computed all the same where the prompt is what is wanted", fleet(), owner, { warm: [], maxTokens: 1 }],
])("what is asked ahead %s", (_, workers, expected, given) => {
  const placed = put(workers, { lane: "speculative", warm: [warm(owner, 150)], ...given });
  expect(nameOf(placed)).toBe(expected);
  if (expected) expect(placed).toMatchObject({ lease: "none" });
});

test("batch work takes idle workers alone", () => {
  const batch = (outstanding: (name: string) => number) =>
    nameOf(
      put(
        fleet((name) => ({ outstanding: outstanding(name) })),
        { lane: "batch" },
      ),
    );
  expect(batch(() => 2)).toBeUndefined();
  expect(batch((name) => (name === third ? 1 : 2))).toBe(third);
});
