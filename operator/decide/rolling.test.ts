import { expect, test } from "vitest";
import { wallOf, writtenTime } from "../../lib/clock.ts";
import { cpuPool, type Loose, pool } from "../../test/support/cluster-objects.ts";
import { podOf, poolSeen } from "../../test/support/pool-seen.ts";
import type { PoolSeen, RolloutStatus } from "../pool.ts";
import { rollOut } from "./rolling.ts";
import type { Revision } from "./rollout.ts";

const rev = (name: string, replicas: number, ready = replicas, pods = replicas): Revision => ({ name, replicas, ready, pods });
const noon = wallOf("2026-01-05T12:00:00Z");
const at = (ms: number) => writtenTime(noon + ms);

interface Given {
  readonly rollout?: Loose;
  readonly revisions: readonly Revision[];
  readonly wanted?: number;
  readonly before?: Partial<RolloutStatus>;
  readonly oneLessMs?: number | undefined;
  readonly held?: number;
  readonly pods?: readonly Loose[];
  readonly more?: Partial<PoolSeen>;
  readonly gpu?: boolean;
}

function rolled({ rollout = {}, revisions, wanted = 4, before, oneLessMs, held = 0, pods = [], more = {}, gpu = true }: Given) {
  const object = (gpu ? pool : cpuPool)((made) => (made.spec.rollout = rollout));
  if (before) object.status = { rollout: { revision: "new", way: "Surge", reason: "", message: "", promoted: false, ...before } };
  const claims = [{ pool: "code/inline-7b", tier: "Inline" as const, gpus: 1, minReplicas: 1, wanted }];
  const seen = poolSeen(object, { wallMs: noon, classUse: { total: 8, claims, heldByOthers: held }, ...more });
  const { shares, status, retired } = rollOut({
    seen,
    revision: "new",
    wanted,
    revisions,
    workers: pods,
    predictedOneLessMs: oneLessMs,
  });
  const said = shares.map(({ revision, replicas }) => `${revision} ${replicas}`).join(", ");
  return { said: `${said}${retired.length > 0 ? `, gone ${retired}` : ""}`, way: status?.way, status };
}

test.each<[string, Given, string, string | undefined]>([
  ["one revision: nothing rolls", { revisions: [rev("new", 4)] }, "new 4", undefined],
  ["a GPU is free: a new worker first", { revisions: [rev("old", 4)] }, "old 4, new 1", "Surge"],
  [
    "none is free and the load allows it: one is handed on",
    { revisions: [rev("old", 4)], held: 4, oneLessMs: 60 },
    "old 3, new 1",
    "HandOff",
  ],
  [
    "none is free and the load does not allow it: all stay",
    { revisions: [rev("old", 4)], held: 4, oneLessMs: 200 },
    "old 4, new 1",
    "Wait",
  ],
  ["none is free and nobody measures: all stay", { revisions: [rev("old", 4)], held: 4 }, "old 4, new 1", "Wait"],
  [
    "what may be missing by the spec may be so at any load",
    { rollout: { maxSurge: 1, maxUnavailable: 1 }, revisions: [rev("old", 4)], held: 4 },
    "old 3, new 1",
    "Wait",
  ],
  [
    "no count of GPUs, and the scheduler has none: one is handed on",
    {
      ...{ revisions: [rev("old", 4), rev("new", 1, 0)], oneLessMs: 60, more: { classUse: undefined } },
      pods: [podOf("new", "n", { ready: false, conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }] })],
    },
    "old 3, new 1",
    "HandOff",
  ],
  [
    "it has got its place, and the next is handed on too",
    {
      ...{ revisions: [rev("old", 3), rev("new", 1)], oneLessMs: 60, more: { classUse: undefined }, before: { way: "HandOff" } },
    },
    "old 2, new 2",
    "HandOff",
  ],
  ["a pool of CPUs needs no GPU", { revisions: [rev("old", 4)], held: 8, gpu: false }, "old 4, new 1", "Surge"],
])("%s", (_, given, says, way) => {
  const { said, way: told } = rolled(given);
  expect([said, told]).toEqual([says, way]);
});

const canary = { canary: { weight: 25, holdFor: "10m", abortOn: ["SLOMissed", "Restarts", "AcceptanceLow"] } };

test("a canary is watched from when it serves until its time is over, and then the rest follows", () => {
  const starts = rolled({ rollout: canary, revisions: [rev("old", 4), rev("new", 1, 0)] });
  expect([starts.said, starts.way, starts.status?.since]).toEqual(["old 4, new 1", "Canary", undefined]);
  const serves = rolled({ rollout: canary, revisions: [rev("old", 4), rev("new", 1)] });
  expect([serves.said, serves.way, serves.status?.since]).toEqual(["old 3, new 1", "Canary", at(0)]);
  const measured = { figures: { p95Ms: 50, attainment: () => 1, acceptance: undefined } };
  const watched = { rollout: canary, revisions: [rev("old", 3), rev("new", 1)], more: measured };
  expect(rolled({ ...watched, before: { way: "Canary", since: at(-500_000) } }).said).toBe("old 3, new 1");
  const promoted = rolled({ ...watched, before: { way: "Canary", since: at(-600_001) } });
  expect([promoted.said, promoted.way, promoted.status?.promoted]).toEqual(["old 3, new 2", "Surge", true]);
  const later = rolled({ rollout: canary, revisions: [rev("old", 2), rev("new", 2)], before: { promoted: true } });
  expect([later.said, later.status?.promoted]).toEqual(["old 2, new 3", true]);
});

test.each<[string, Partial<Given>, RegExp]>([
  ["its containers start again", { pods: [podOf("new", "n", { restarts: 1 })] }, /restarted 1 times/],
  [
    "first text takes longer than before and than it may",
    { more: { figures: { p95Ms: 140, attainment: () => 0, acceptance: undefined } } },
    /140 ms at p95/,
  ],
])("a canary is taken back when %s, and is not tried again", (_, given, why) => {
  const before = { way: "Canary" as const, since: at(-60_000), p95BeforeMs: 70 };
  const { said, status } = rolled({ rollout: canary, revisions: [rev("old", 3), rev("new", 1)], before, ...given });
  expect([said, status?.way, status?.reason]).toEqual(["old 4, new 0", "Aborted", "CanaryAborted"]);
  expect(status?.message).toMatch(why);
  const after = rolled({
    rollout: canary,
    revisions: [rev("old", 4), rev("new", 0, 0, 0)],
    before: { ...status } as RolloutStatus,
  });
  expect([after.said, after.way]).toEqual(["old 4, new 0", "Aborted"]);
});

test("what containers of the old revision did before the canary hides nothing of what the canary's do", () => {
  const months = 90 * 86_400_000;
  const olds = (endedMs: number) =>
    Array.from({ length: 20 }, (_, i) => podOf("old", `o${i}`, { bornMs: noon - months, restarts: 5, endedMs }));
  const crashed = podOf("new", "n", { bornMs: noon - 300_000, restarts: 5, endedMs: noon - 1_000 });
  const before = { way: "Canary" as const, since: at(-60_000) };
  const way = (pods: readonly Loose[]) =>
    rolled({ rollout: canary, revisions: [rev("old", 20), rev("new", 1)], wanted: 20, before, pods }).way;
  expect(way([...olds(noon - months / 2), crashed])).toBe("Aborted");
  // Whatever makes all of them crash is not the new revision.
  expect(way([...olds(noon - 2_000), crashed])).toBe("Canary");
});

test("a canary that few ask is judged by all they asked since it is whole, one that many ask by the last minutes", () => {
  const judged = (lately: number, p95Ms: number) => {
    const did = (texts: number, ms: number) => ({ texts, p95Ms: ms, expired: 0, failed: 0 });
    const revisions = (sinceMs: number) => {
      const isAll = sinceMs === noon - 600_001;
      return new Map([
        ["old", did(1_000, 70)],
        ["new", isAll ? did(80, 75) : did(lately, p95Ms)],
      ]);
    };
    return rolled({
      ...{ rollout: canary, revisions: [rev("old", 3), rev("new", 1)], before: { way: "Canary", since: at(-600_001) } },
      more: { figures: { p95Ms: 70, attainment: () => 1, acceptance: undefined, revisions } },
    });
  };
  expect(judged(20, 75).status?.promoted).toBe(true);
  expect(judged(60, 190).way).toBe("Aborted");
});

test("a canary is judged beside the old revision, by what routers saw of each since it is whole, and its progress is told", () => {
  const did = (p95Ms: number, failed = 0) => ({ texts: 600, p95Ms, expired: 0, failed });
  const asked: number[] = [];
  const given = (fresh: ReturnType<typeof did>, since = -60_000): Given => ({
    ...{ rollout: canary, revisions: [rev("old", 3), rev("new", 1)], before: { way: "Canary", since: at(since), p95BeforeMs: 40 } },
    more: {
      figures: {
        ...{ p95Ms: 150, attainment: () => 0, acceptance: undefined },
        revisions: (sinceMs) => {
          asked.push(sinceMs - noon);
          return new Map([
            ["old", did(150)],
            ["new", fresh],
          ]);
        },
      },
    },
  });
  // The load is such that both are slow: that it was faster before proves nothing.
  const held = rolled(given(did(152)));
  expect([held.way, asked]).toEqual(["Canary", [-60_000]]);
  expect(held.status?.message).toMatch(
    /540 s more: first text 152 ms at p95 \(the old one 150 ms\), 600 triggers answered, 0 late, 0 failed/,
  );
  expect(rolled(given(did(190))).status?.message).toMatch(/taken back: first text takes 190 ms at p95, with the old one 150 ms/);
  expect(rolled({ ...given(did(100, 30)), rollout: { canary: { weight: 25 } } }).status?.message).toMatch(
    /taken back: 30 of its 630 generations failed \(4.8 %; 0 % of the old one's\)/,
  );
});

test("what took as long before the canary is not its fault", () => {
  const before = { way: "Canary" as const, since: at(-60_000), p95BeforeMs: 150 };
  const more = { figures: { p95Ms: 152, attainment: () => 0, acceptance: undefined } };
  expect(rolled({ rollout: canary, revisions: [rev("old", 3), rev("new", 1)], before, more }).way).toBe("Canary");
});
