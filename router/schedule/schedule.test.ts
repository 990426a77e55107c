import { expect, test } from "vitest";
import { seeded } from "../../lib/random.ts";
import { freeOf, modelOf, workerOf } from "../../test/support/router.ts";
import type { WorkerView } from "../completion.ts";
import { place } from "./schedule.ts";

const options = { boundedLoad: 1.25, spareShare: 0.5 };
const put = (workers: readonly WorkerView[], session = "s1", avoid: readonly string[] = [], seed = 1) =>
  place(options, { session, lane: "inline", model: "m" }, { workers }, seeded(seed), new Set(avoid));

const names = ["w1", "w2", "w3", "w4"];
const fleet = (given: (name: string) => Partial<WorkerView> = () => ({})) => names.map((name) => workerOf(name, given(name)));
/** Who owns the session among idle workers, and two of the others. */
const owner = put(fleet())?.worker as string;
const [other, third] = names.filter((name) => name !== owner) as [string, string];
const only = (name: string, given: Partial<WorkerView>) => (each: string) => (each === name ? given : {});

test.each<[name: string, workers: WorkerView[], expected: string | undefined, why: string | undefined]>([
  ["an idle owner keeps its session", fleet(), owner, "lease"],
  ["an owner within its bound keeps it", fleet(() => ({ outstanding: 3 })), owner, "lease"],
  ["an owner over its bound gives it away", fleet(only(owner, { outstanding: 2 })), undefined, "least_cost"],
  ["so does an owner without a credit", fleet(only(owner, { free: freeOf(0) })), undefined, "least_cost"],
  [
    "to the one with the least outstanding work",
    fleet((name) => ({ outstanding: name === owner ? 9 : name === other ? 0 : 2 })),
    other,
    "least_cost",
  ],
  [
    "work is counted by slots",
    fleet((name) => (name === owner ? { free: freeOf(0) } : name === other ? { outstanding: 4, slots: 16 } : { outstanding: 2 })),
    other,
    "least_cost",
  ],
  [
    "a backlog of prompts is work too",
    fleet((name) =>
      name === owner
        ? { free: freeOf(0) }
        : { prefillTokensPerSecond: 1_000, prefillBacklogTokens: name === other ? 100 : 2_000, outstanding: 1 },
    ),
    other,
    "least_cost",
  ],
  ["without any credit nobody is placed", fleet(() => ({ free: freeOf(0) })), undefined, undefined],
  ["credits of another lane are none", fleet(() => ({ free: { ...freeOf(3), inline: 0 } })), undefined, undefined],
  ["a worker without the model is none", [workerOf("w1", { models: [modelOf({ name: "n" })] })], undefined, undefined],
  ["no workers place nobody", [], undefined, undefined],
])("%s", (_, workers, expected, why) => {
  const placement = put(workers);
  if (expected !== undefined || why === undefined) expect(placement?.worker).toBe(expected);
  expect(placement?.why).toBe(why);
  if (why === "least_cost") expect(placement?.worker).not.toBe(owner);
});

test("a draining owner's sessions go to one new owner, and come back when it stays", () => {
  const without = put(fleet(only(owner, { draining: true })));
  expect(without).toMatchObject({ why: "lease" });
  expect(without?.worker).not.toBe(owner);
  expect(without?.worker).toBe(put(fleet().filter(({ name }) => name !== owner))?.worker);
  expect(put(fleet())?.worker).toBe(owner);
});

test("a worker that failed this trigger is avoided, and nobody is left where all did", () => {
  expect(put(fleet(), "s1", [owner])?.worker).not.toBe(owner);
  expect(put(fleet(), "s1", [owner, other, third])?.worker).toBe(names.find((name) => ![owner, other, third].includes(name)));
  expect(put(fleet(), "s1", names)).toBeUndefined();
});

test("the owner does not depend on the order in which workers joined", () => {
  for (let i = 0; i < 50; i++) expect(put(fleet().reverse(), `s${i}`)?.worker).toBe(put(fleet(), `s${i}`)?.worker);
});

test("equals are chosen by chance: the same seed the same, over many seeds all of them", () => {
  const workers = fleet(only(owner, { free: freeOf(0) }));
  const chosen = Array.from({ length: 60 }, (_, seed) => put(workers, "s1", [], seed)?.worker);
  expect(new Set(chosen)).toEqual(new Set(names.filter((name) => name !== owner)));
  expect(Array.from({ length: 60 }, (_, seed) => put(workers, "s1", [], seed)?.worker)).toEqual(chosen);
});

const sessions = Array.from({ length: 1_000 }, (_, i) => `session-${i}`);

test("sessions spread over workers, and few move when one joins", () => {
  const before = sessions.map((session) => put(fleet(), session)?.worker);
  for (const name of names) {
    const share = before.filter((worker) => worker === name).length / sessions.length;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
  }
  const after = sessions.map((session) => put([...fleet(), workerOf("w5")], session)?.worker);
  const moved = sessions.filter((_, i) => before[i] !== after[i]);
  expect(moved.every((session) => after[sessions.indexOf(session)] === "w5")).toBe(true);
  expect(moved.length / sessions.length).toBeGreaterThan(0.15);
  expect(moved.length / sessions.length).toBeLessThan(0.25);
});

test("work put one after another stays within the bound on every worker", () => {
  const held = new Map(names.map((name) => [name, 0]));
  for (const [i, session] of sessions.slice(0, 200).entries()) {
    const workers = fleet((name) => ({ outstanding: held.get(name) ?? 0, free: freeOf(200) }));
    // Everyone is of one session at first: the hardest case for its owner.
    const worker = put(workers, i < 100 ? "s1" : session, [], i)?.worker as string;
    held.set(worker, (held.get(worker) ?? 0) + 1);
    expect(Math.max(...held.values())).toBeLessThanOrEqual(Math.ceil((1.25 * (i + 1)) / names.length));
  }
});

test.each<[name: string, workers: WorkerView[], expected: string | undefined]>([
  ["goes to the owner that stands idle", fleet(), owner],
  ["goes nowhere else when the owner is busy", fleet(only(owner, { outstanding: 3, running: 3 })), undefined],
  ["nor when the owner has no credit", fleet(only(owner, { free: freeOf(0) })), undefined],
])("what is asked ahead %s", (_, workers, expected) => {
  const placed = place(options, { session: "s1", lane: "speculative", model: "m" }, { workers }, seeded(1));
  expect(placed?.worker).toBe(expected);
});
