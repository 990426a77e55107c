import { expect, test } from "vitest";
import { type Rollout, shareOut } from "./rollout.ts";

const rev = (name: string, replicas: number, ready = replicas, pods = replicas) => ({ name, replicas, ready, pods });

test.each<[string, Partial<Rollout>, string]>([
  ["a first revision has all", { revisions: [] }, "new 4"],
  ["one more is started before an old one leaves", { revisions: [rev("old", 4)] }, "old 4, new 1"],
  ["an old one leaves as a new one serves", { revisions: [rev("old", 4), rev("new", 1)] }, "old 3, new 2"],
  ["nothing leaves while the new one only starts", { revisions: [rev("old", 4), rev("new", 1, 0)] }, "old 4, new 1"],
  ["without surge one leaves first", { maxSurge: 0, maxUnavailable: 1, revisions: [rev("old", 4)] }, "old 3, new 1"],
  ["and waits for the new one", { maxSurge: 0, maxUnavailable: 1, revisions: [rev("old", 3), rev("new", 1, 0)] }, "old 3, new 1"],
  ["two at a time", { maxSurge: 2, revisions: [rev("old", 4)] }, "old 4, new 2"],
  ["a share of surge rounds up", { maxSurge: "25%", revisions: [rev("old", 4)] }, "old 4, new 1"],
  [
    "a share of what may be missing rounds down, and one may always move",
    { maxSurge: "0%", maxUnavailable: "10%", revisions: [rev("old", 4)] },
    "old 3, new 1",
  ],
  ["an old one that does not serve is given up first", { revisions: [rev("old", 4, 2)] }, "old 2, new 3"],
  ["the end: the old one has none", { revisions: [rev("old", 1), rev("new", 4)] }, "old 0, new 4"],
  ["and is gone when its pods are", { revisions: [rev("old", 0, 0, 0), rev("new", 4)] }, "new 4, gone old"],
  [
    "a third revision on the way: the oldest leave first",
    { revisions: [rev("older", 2), rev("old", 2), rev("new", 1, 0)] },
    "older 2, old 2, new 1",
  ],
  [
    "of two old ones the younger serves longer",
    { revisions: [rev("older", 2), rev("old", 2), rev("new", 2)] },
    "older 0, old 2, new 3",
  ],
  ["back to the one before", { newest: "old", revisions: [rev("old", 3), rev("new", 1, 0)] }, "new 0, old 4"],
  ["fewer are wanted", { wanted: 1, revisions: [rev("new", 4)] }, "new 1"],
  ["none is wanted", { wanted: 0, revisions: [rev("old", 2), rev("new", 2)] }, "old 0, new 0"],
])("%s", (_, more, says) => {
  const { shares, retired } = shareOut({ wanted: 4, newest: "new", maxSurge: 1, maxUnavailable: 0, revisions: [], ...more });
  expect(
    [...shares.map(({ revision, replicas }) => `${revision} ${replicas}`), ...retired.map((name) => `gone ${name}`)].join(", "),
  ).toBe(says);
});

test("step by step, at no moment fewer serve than may be missing, nor are more asked for than surge allows", () => {
  for (const [maxSurge, maxUnavailable] of [
    [1, 0],
    [0, 1],
    [2, 1],
    ["50%", "25%"],
  ] as const) {
    let old = rev("old", 6);
    let fresh = rev("new", 0);
    for (let step = 0; step < 40 && (old.replicas > 0 || fresh.ready < 6); step++) {
      const { shares } = shareOut({ wanted: 6, newest: "new", maxSurge, maxUnavailable, revisions: [old, fresh] });
      const of = (name: string) => shares.find(({ revision }) => revision === name)?.replicas ?? 0;
      expect(of("old") + of("new")).toBeLessThanOrEqual(6 + (maxSurge === "50%" ? 3 : maxSurge));
      old = rev("old", of("old"));
      expect(old.ready + fresh.ready).toBeGreaterThanOrEqual(
        6 - Math.max(maxUnavailable === "25%" ? 1 : maxUnavailable, maxSurge === 0 ? 1 : 0),
      );
      fresh = rev("new", of("new"), Math.min(of("new"), fresh.ready + 1));
    }
    expect([old.replicas, fresh.ready]).toEqual([0, 6]);
  }
});
