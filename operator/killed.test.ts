// The operator is killed at a write, before or after it took effect, and another takes its place: the end is the same.
import { expect, test } from "vitest";
import { below, seeded } from "../lib/random.ts";
import { cache, gpuClass, type Loose, pool, service } from "../test/support/cluster-objects.ts";
import { Operated } from "../test/support/operated.ts";

const draft = () =>
  cache((made) => {
    made.metadata.name = "coder-draft";
    made.spec.revision = `sha256:${"b".repeat(64)}`;
  });

/** Of the digest: it covers the owner's uid. */
const volatile =
  /^(slipstream.dev\/(applied|certificate-until|certificate-for)|lastDecisions|uid|resourceVersion|creationTimestamp|lastTransitionTime|time|generation|observedGeneration|eventTime)$/;

/** What is there, without what chance and time decide. */
function shape(world: Operated): unknown {
  const plain = (value: Loose): Loose => {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !volatile.test(name))
        .map(([name, inner]) => [name, plain(inner)]),
    );
  };
  return [...world.server.storage.objects]
    .filter(([key]) => !/^(leases|events)\//.test(key))
    .map(([key, object]) => [
      key.replace(/-\d+$/, "-N"),
      object.kind === "Secret" ? Object.keys(object.data).sort() : plain({ ...object, metadata: { ...object.metadata, name: "" } }),
    ])
    .sort();
}

async function play(killAt: number | undefined, isBefore: boolean): Promise<{ shape: unknown; writes: number; killed: boolean }> {
  await using world = await Operated.start();
  world.put(gpuClass(), cache(), draft(), pool(), service());
  let writes = 0;
  let killed = false;
  const first = world.operator();
  const counts = ({ writes: isWrite, user, path }: { writes: boolean; user: string; path: string }) =>
    isWrite && user === "operator-0" && !/leases|events/.test(path);
  const kill = (): "drop" => {
    killed = true;
    setImmediate(() => {
      void first.kill();
      // Its lease ends; nobody waits for that here (leader.test.ts does).
      world.server.storage.delete("leases", "slipstream-system", "lease");
      world.operator();
    });
    return "drop";
  };
  world.server.before = (asked) => {
    if (!counts(asked)) return undefined;
    writes += 1;
    return isBefore && writes === killAt ? kill() : undefined;
  };
  world.server.after = (asked) => (counts(asked) && !isBefore && writes === killAt && !killed ? kill() : undefined);
  await world.settled("it is ready", () => world.condition("completionservices", "acme")?.status === "True");
  return { shape: shape(world), writes, killed };
}

test("killed at any of fifty points, the operator that follows brings the cluster to the same end", async () => {
  const whole = await play(undefined, false);
  expect(whole.writes).toBeGreaterThan(20);
  const random = seeded(20_261);
  const points = Array.from({ length: 50 }, () => ({ at: 1 + below(random, whole.writes), isBefore: random.next() < 0.5 }));
  let killed = 0;
  // Worlds of their own, some at a time: most of each is waiting for calm.
  for (let i = 0; i < points.length; i += 10) {
    await Promise.all(
      points.slice(i, i + 10).map(async ({ at, isBefore }) => {
        const ended = await play(at, isBefore);
        if (ended.killed) killed += 1;
        expect(ended.shape, `killed ${isBefore ? "before" : "after"} write ${at} of ${whole.writes}`).toEqual(whole.shape);
      }),
    );
  }
  // A run writes its status now once, now twice: a late point may not come.
  expect(killed).toBeGreaterThanOrEqual(40);
}, 180_000);
