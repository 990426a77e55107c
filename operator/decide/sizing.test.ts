import { expect, test } from "vitest";
import { wallOf, writtenTime } from "../../lib/clock.ts";
import { cpuPool, type Loose, pool } from "../../test/support/cluster-objects.ts";
import { poolSeen } from "../../test/support/pool-seen.ts";
import type { Claim } from "../moves.ts";
import type { LoadSecond } from "../scaling.ts";
import { sizeOf } from "./sizing.ts";

const noon = wallOf("2026-01-05T12:00:00Z");
const supply = { ready: 2, startingSinceMs: [], leaving: 0, starts: [], rollingOut: false };
const minuteOf = (rps: number): LoadSecond[] =>
  Array.from({ length: 60 }, (_, i) => ({
    ...{ atMs: noon - (59 - i) * 1_000, queued: 0, inFlight: rps * 0.06, arrivals: rps, workers: 2, firstTextP95Ms: 50 },
  }));

function sized(object: Loose, more: Loose = {}) {
  const made = poolSeen(object, { wallMs: noon, ledSinceMs: noon - 86_400_000, ...more });
  const { asked, wanted, reason, message, conditions, verdict, writers } = sizeOf(made, supply);
  const active = conditions.find(({ type }) => type === "ScalingActive");
  return { asked, wanted, reason, message, active, verdict, writers };
}

const ours = (change: (made: Loose) => void = () => undefined) =>
  cpuPool((made) => {
    made.spec.scaling = { mode: "Slipstream", minReplicas: 1, maxReplicas: 20 };
    change(made);
  });

test.each<[string, Loose, number, string]>([
  ["suspended", ours((made) => (made.spec.suspend = true)), 0, "Suspended"],
  ["fixed", cpuPool((made) => (made.spec.replicas = 3)), 3, "Fixed"],
  [
    "another's number, within bounds",
    cpuPool((made) => Object.assign(made.spec, { replicas: 9, scaling: { mode: "External", maxReplicas: 5 } })),
    5,
    "External",
  ],
])("%s", (_, object, wanted, reason) => {
  expect(sized(object, { seconds: minuteOf(500) })).toMatchObject({ wanted, asked: wanted, reason });
});

test("load decides where routers report it, and the figures go with the number", () => {
  const { wanted, verdict, active } = sized(ours(), { seconds: minuteOf(900) });
  expect(wanted).toBeGreaterThan(2);
  expect(verdict?.inputs.loadRps).toBeCloseTo(900, -1);
  expect(active).toMatchObject({ status: "True" });
});

test("for whoever owns the number himself the same is worked out, and not followed", () => {
  const { wanted, verdict } = sized(cpuPool(), { seconds: minuteOf(900) });
  expect([wanted, (verdict?.wanted ?? 0) > 2 || verdict?.reason === "Maximum"]).toEqual([1, true]);
});

test("without a router's word for a few seconds it is said, and nothing leaves", () => {
  const object = ours();
  object.status = { scaling: { desired: 6, asked: 6 } };
  const { wanted, active } = sized(object, { seconds: minuteOf(1).map((each) => ({ ...each, atMs: each.atMs - 20_000 })) });
  expect([wanted, active?.status, active?.reason]).toEqual([6, "False", "MetricsStale"]);
});

test("without a bus a pool stands at its fewest, and says why", () => {
  const bare = poolSeen(ours());
  const { active, wanted } = sized(ours(), { setting: { ...bare.setting, bus: false } });
  expect([wanted, active?.status, active?.reason]).toEqual([1, "False", "NoBus"]);
});

const claim = (name: string, tier: Claim["tier"], wanted: number): Claim => ({
  pool: `code/${name}`,
  tier,
  gpus: 1,
  minReplicas: 1,
  wanted,
});
const gpuPool = (tier: string, desired: number, min = 1) => {
  const object = pool((made) =>
    Object.assign(made.spec, { tier, scaling: { mode: "External", minReplicas: min, maxReplicas: 9 }, replicas: 6 }),
  );
  object.status = { scaling: { desired } };
  return object;
};

test.each<[string, Loose, Loose, number]>([
  [
    "there are enough",
    gpuPool("Chat", 2),
    { total: 12, heldByOthers: 6, claims: [claim("inline-7b", "Chat", 6), claim("x", "Inline", 6)] },
    6,
  ],
  [
    "inline comes before chat",
    gpuPool("Chat", 6),
    { total: 8, heldByOthers: 2, claims: [claim("inline-7b", "Chat", 6), claim("x", "Inline", 6)] },
    2,
  ],
  [
    "who comes first waits until others have let go",
    gpuPool("Inline", 2),
    { total: 8, heldByOthers: 5, claims: [claim("inline-7b", "Inline", 6), claim("x", "Chat", 5)] },
    3,
  ],
  [
    "the fewest stand, whatever others have",
    gpuPool("Chat", 4, 4),
    { total: 8, heldByOthers: 6, claims: [{ ...claim("inline-7b", "Chat", 6), minReplicas: 4 }, claim("x", "Inline", 8)] },
    4,
  ],
])("of scarce GPUs: %s", (_, object, classUse, wanted) => {
  const { wanted: is, asked, reason } = sized(object, { classUse });
  expect([is, asked, reason]).toEqual([wanted, 6, wanted < 6 ? "GPUsScarce" : "External"]);
});

test("who else writes the number is named: one in mode Slipstream, two in mode External, none who stopped", () => {
  const by = (name: string, msAgo: number) => ({ name, time: writtenTime(noon - msAgo) });
  const written = (mode: string, now?: object, before: object[] = []) => {
    const object = cpuPool((made) => Object.assign(made.spec, { replicas: 2, scaling: { mode } }));
    if (now) object.metadata.replicasBy = now;
    object.status = { scaling: { desired: 2, writers: before } };
    return sized(object);
  };
  expect(written("Slipstream", by("keda", 1_000)).active).toMatchObject({
    ...{ status: "False", reason: "ReplicasConflict" },
    message: expect.stringContaining('"keda" writes spec.replicas'),
  });
  expect(written("External", by("keda", 1_000)).active?.reason).toBe("External");
  const two = written("External", by("argocd", 1_000), [by("keda", 60_000)]);
  expect(two.active?.message).toContain('"argocd" and "keda" both write spec.replicas');
  expect(two.writers.map(({ name }) => name)).toEqual(["argocd", "keda"]);
  expect(written("External", by("argocd", 1_000), [by("keda", 3_600_000)]).active?.reason).toBe("External");
});

test("of a writer whom the apiserver gives no time it counts when it was first seen, and not for ever", () => {
  const written = (msAgo: number, name: string) => {
    const object = cpuPool((made) => Object.assign(made.spec, { replicas: 2, scaling: { mode: "External" } }));
    object.metadata.replicasBy = { name: "argocd" };
    object.status = { scaling: { desired: 2, writers: [{ name, time: writtenTime(noon - msAgo) }] } };
    return sized(object);
  };
  expect(written(60_000, "kube-controller-manager").active?.message).toContain('"argocd" and "kube-controller-manager" both write');
  expect(written(60_000, "argocd").writers).toEqual([{ name: "argocd", time: writtenTime(noon - 60_000) }]);
  expect(written(3_600_000, "argocd").active?.reason).toBe("External");
});
