import { expect, test } from "vitest";
import type { CanarySeen, Claim, RevisionFigures, RolloutSeen } from "../moves.ts";
import { decideCanary, decideRolloutWay, shareScarce } from "./decide.ts";

test.each<[string, Partial<RolloutSeen>, string]>([
  ["a free GPU: surge", { freePlaces: 1 }, "Surge RollingOut"],
  ["nodes come on demand: surge", { freePlaces: undefined }, "Surge RollingOut"],
  ["no GPU, and one can be spared: hand-off", {}, "HandOff HandingOff"],
  ["no GPU, and none can be spared: wait", { predictedOneLessMs: 120 }, "Wait LoadTooHigh"],
  ["no GPU and no figures: wait", { predictedOneLessMs: undefined }, "Wait MetricsStale"],
  ["no GPU, surge alone is allowed: wait", { strategy: "Surge" }, "Wait NoFreeGPU"],
  ["hand-off is asked for, though a GPU is free", { strategy: "HandOff", freePlaces: 3 }, "HandOff HandingOff"],
  ["the only worker is not handed off", { ready: 1 }, "Wait NoFreeGPU"],
])("rollout: %s", (_, more, says) => {
  const seen: RolloutSeen = { strategy: "Auto", freePlaces: 0, ready: 4, predictedOneLessMs: 70, targetMs: 88, ...more };
  const { way, reason } = decideRolloutWay(seen);
  expect(`${way} ${reason}`).toBe(says);
});

const did = (more: Partial<RevisionFigures>): RevisionFigures => ({
  ...{ p95Ms: 60, restarts: 0, texts: 1_000, expired: 0, failed: 0 },
  ...more,
});

test.each<[string, Partial<CanarySeen>, string]>([
  ["it is watched for its time", { nowMs: 500 }, "hold"],
  ["and promoted after it", {}, "promote"],
  ["slower than the target and than the old one: aborted", { fresh: { p95Ms: 120, restarts: 0 } }, "abort"],
  ["at once, not at the end", { nowMs: 1, fresh: { p95Ms: 120, restarts: 0 } }, "abort"],
  ["the old one is as slow: the load's fault", { fresh: { p95Ms: 120, restarts: 0 }, old: { p95Ms: 118, restarts: 0 } }, "promote"],
  ["restarted: aborted", { fresh: { p95Ms: 60, restarts: 1 } }, "abort"],
  ["restarted more often a pod: aborted", { fresh: did({ restarts: 5, pods: 2 }), old: did({ restarts: 20, pods: 20 }) }, "abort"],
  ["restarted as often a pod: all do", { fresh: did({ restarts: 1, pods: 2 }), old: did({ restarts: 10, pods: 20 }) }, "promote"],
  ["restarted, and nobody minds", { abortOn: ["SLOMissed"], fresh: { p95Ms: 60, restarts: 1 } }, "promote"],
  ["guesses worse: aborted", { minAcceptance: 0.5, fresh: { p95Ms: 60, restarts: 0, acceptance: 0.3 } }, "abort"],
  ["nobody measured it: held on", { fresh: { restarts: 0 } }, "hold"],
  ["too few measured it: held on", { fresh: { p95Ms: 60, restarts: 0, texts: 12, expired: 0, failed: 0 } }, "hold"],
  ["too few measured it to take it back", { fresh: { p95Ms: 300, restarts: 0, texts: 12, expired: 0, failed: 0 } }, "hold"],
  ["slower than the old one beside it: aborted", { fresh: did({ p95Ms: 120 }), old: did({ p95Ms: 80 }) }, "abort"],
  ["both are slow under this load: promoted", { fresh: did({ p95Ms: 120 }), old: did({ p95Ms: 118 }) }, "promote"],
  ["too late to be seen: aborted", { fresh: did({ texts: 900, expired: 100 }), old: did({}) }, "abort"],
  [
    "both are late: the load's fault",
    { fresh: did({ texts: 900, expired: 100 }), old: did({ texts: 9_000, expired: 900 }) },
    "promote",
  ],
  ["its generations fail: aborted", { fresh: did({ failed: 30 }), old: did({}) }, "abort"],
  ["they fail, and nobody minds", { abortOn: ["SLOMissed"], fresh: did({ failed: 30 }), old: did({}) }, "promote"],
  ["those of the old one fail as often", { fresh: did({ failed: 30 }), old: did({ failed: 25 }) }, "promote"],
  ["two that fail are an accident", { fresh: did({ texts: 60, failed: 2 }), old: did({}) }, "promote"],
])("canary: %s", (_, more, says) => {
  const seen: CanarySeen = {
    ...{ nowMs: 10_000, sinceMs: 0, holdMs: 1_000, abortOn: ["SLOMissed", "AcceptanceLow", "Restarts", "Failures"], targetMs: 88 },
    ...{ minAcceptance: undefined, fresh: { p95Ms: 60, restarts: 0 }, old: { p95Ms: 60, restarts: 0 } },
    ...more,
  };
  expect(decideCanary(seen).verdict).toBe(says);
});

const claim = (pool: string, tier: Claim["tier"], wanted: number, minReplicas = 1, gpus = 1): Claim => ({
  ...{ pool, tier, gpus, minReplicas, wanted },
});

test.each<[string, number, Claim[], string]>([
  ["enough for all", 9, [claim("a", "Inline", 4), claim("b", "Chat", 4)], "a 4 b 4"],
  ["inline before chat before batch", 7, [claim("c", "Batch", 5), claim("b", "Chat", 4), claim("a", "Inline", 4)], "c 1 b 2 a 4"],
  ["everybody's fewest before anybody's more", 3, [claim("a", "Inline", 9), claim("b", "Chat", 4, 2)], "a 1 b 2"],
  ["within a tier in turn", 5, [claim("a", "Inline", 9, 0), claim("b", "Inline", 9, 0)], "a 3 b 2"],
  ["a worker of two GPUs needs both", 3, [claim("a", "Inline", 2, 0, 2), claim("b", "Chat", 2, 0)], "a 1 b 1"],
  ["none", 0, [claim("a", "Inline", 2)], "a 0"],
])("scarce GPUs: %s", (_, gpus, claims, says) => {
  expect([...shareScarce(gpus, claims)].map(([pool, workers]) => `${pool} ${workers}`).join(" ")).toBe(says);
});
