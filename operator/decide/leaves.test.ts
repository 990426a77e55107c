import { expect, test } from "vitest";
import { cpuPool } from "../../test/support/cluster-objects.ts";
import { podOf, poolSeen } from "../../test/support/pool-seen.ts";
import type { KubeObject } from "../objects.ts";
import type { WorkerSays } from "../pool.ts";
import { leave } from "./leaves.ts";

const says = (more: Partial<WorkerSays> = {}): WorkerSays => ({
  ...{ outstanding: 0, leaving: false, kvBlocksUsed: 0, acceptance: undefined },
  ...more,
});
const letGo = { "controller.kubernetes.io/pod-deletion-cost": "-1000" };

/** A minute after the beginning; the pool's workers may take 20 s for what is under way. */
function leaving(replicas: number, pods: readonly KubeObject[], said: Record<string, WorkerSays> = {}, bus = true) {
  const made = poolSeen(cpuPool(), { says: new Map(Object.entries(said)), wallMs: 60_000 });
  const seen = { ...made, setting: { ...made.setting, bus } };
  const { shares, leaving: told } = leave(seen, [{ revision: "r", replicas }], pods);
  const names = (of: readonly KubeObject[]) => of.map(({ metadata }) => metadata.name).join(" ");
  const { begin, stay, letGo: gone, told: again } = told;
  return `${shares[0]?.replicas}; begin ${names(begin)}; stay ${names(stay)}; let go ${names(gone)}; told ${names(again)}`;
}

const pods = (...names: string[]) => names.map((name) => podOf("r", name));

test.each<[string, string, string]>([
  ["enough: nobody leaves", leaving(2, pods("a", "b")), "2; begin ; stay ; let go ; told "],
  ["more are wanted: the workload is told so at once", leaving(4, pods("a", "b")), "4; begin ; stay ; let go ; told "],
  [
    "one less: who holds least is asked to leave, and as many are kept as there are",
    leaving(2, pods("a", "b", "c"), { a: says({ kvBlocksUsed: 9 }), b: says({ kvBlocksUsed: 2 }), c: says({ kvBlocksUsed: 5 }) }),
    "3; begin b; stay ; let go ; told b",
  ],
  [
    "something is under way with it: it is only told again",
    leaving(2, [...pods("a", "c"), podOf("r", "b", { leavingSince: 50_000 })], { b: says({ leaving: true, outstanding: 1 }) }),
    "3; begin ; stay ; let go ; told b",
  ],
  [
    "it has not heard yet: what it says of others does not count",
    leaving(2, [...pods("a", "c"), podOf("r", "b", { leavingSince: 50_000 })], { b: says() }),
    "3; begin ; stay ; let go ; told b",
  ],
  [
    "nothing is under way: it is let go, and still counted",
    leaving(2, [...pods("a", "c"), podOf("r", "b", { leavingSince: 50_000 })], { b: says({ leaving: true }) }),
    "3; begin ; stay ; let go b; told b",
  ],
  [
    "its time is over: it is let go with what is under way",
    leaving(2, [...pods("a", "c"), podOf("r", "b", { leavingSince: 40_000 })], { b: says({ leaving: true, outstanding: 3 }) }),
    "3; begin ; stay ; let go b; told b",
  ],
  [
    "let go, and known to be: the workload wants one less",
    leaving(2, [...pods("a", "c"), podOf("r", "b", { leavingSince: 50_000, annotations: letGo })], { b: says({ leaving: true }) }),
    "2; begin ; stay ; let go ; told b",
  ],
  [
    "wanted again: who leaves stays, and nobody new is made",
    leaving(3, [...pods("a", "c"), podOf("r", "b", { leavingSince: 50_000 })], { b: says({ leaving: true, outstanding: 1 }) }),
    "3; begin ; stay b; let go ; told ",
  ],
  [
    "a pod that only starts goes first, without waiting for anything",
    leaving(1, [...pods("a"), podOf("r", "b", { ready: false, leavingSince: 59_000, annotations: letGo })]),
    "1; begin ; stay ; let go ; told b",
  ],
  ["without a bus nobody is asked", leaving(1, pods("a", "b"), {}, false), "1; begin ; stay ; let go ; told "],
])("%s", (_, is, says_) => {
  expect(is).toBe(says_);
});

test("of several pods a worker the one with the last number goes, whatever it holds", () => {
  const wide = poolSeen(cpuPool(), { wallMs: 60_000 });
  const seen = {
    ...wide,
    spec: { ...wide.spec, parallelism: { tensor: 2, pipeline: 1, nodes: 2 } },
    says: new Map([["g-1", says({ kvBlocksUsed: 90 })]]),
  };
  const groups = [0, 1].map((index) => {
    const pod = podOf("r", `g-${index}`);
    return {
      ...pod,
      metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, "leaderworkerset.sigs.k8s.io/group-index": String(index) } },
    };
  });
  const { leaving: told } = leave(seen, [{ revision: "r", replicas: 1 }], groups);
  expect(told.begin.map(({ metadata }) => metadata.name)).toEqual(["g-1"]);
});
