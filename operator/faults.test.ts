import { afterEach, beforeEach, expect, test } from "vitest";
import { wallOf } from "../lib/clock.ts";
import { cache, cpuPool, gpuClass, type Loose, pool, service } from "../test/support/cluster-objects.ts";
import type { Fault } from "../test/support/fake-apiserver.ts";
import { Operated } from "../test/support/operated.ts";
import { until } from "../test/support/until.ts";

let world: Operated;
beforeEach(async () => {
  world = await Operated.start();
});
afterEach(() => world[Symbol.asyncDispose]());

const whole = () => [
  ...[gpuClass(), cache(), pool(), service()],
  cache((made) => {
    made.metadata.name = "coder-draft";
    made.spec.revision = `sha256:${"b".repeat(64)}`;
  }),
];
const ready = () => world.condition("completionservices", "acme")?.status === "True";
/** A change that only a working operator answers. */
const answers = async () => {
  world.server.storage.delete("poddisruptionbudgets", "code", "inline-7b-workers");
  await until("what was deleted is back", () => world.get("poddisruptionbudgets", "inline-7b-workers") !== undefined);
};

/** A lost connection takes every watch with it: were those that are opened again counted, each connection would be lost to them. */
const butWatches = true;

test.each<[string, (nth: number) => Fault | undefined, typeof butWatches?]>([
  ["every third call answered with 429", (nth) => (nth % 3 === 0 ? { status: 429, retryAfter: 0 } : undefined)],
  ["every third call answered with 503", (nth) => (nth % 3 === 0 ? { status: 503 } : undefined)],
  ["every seventh call but watches losing the connection", (nth) => (nth % 7 === 0 ? "drop" : undefined), butWatches],
  ["every fifth write in conflict", (nth) => (nth % 5 === 0 ? { status: 409, reason: "Conflict" } : undefined)],
])("with %s all comes up, over few connections", async (_, fault, spares) => {
  let nth = 0;
  let most = 0;
  world.server.before = ({ path, query }) => {
    most = Math.max(most, world.server.open);
    return path.includes("leases") || (spares && query.has("watch")) ? undefined : fault(++nth);
  };
  world.put(...whole());
  world.operator();
  await world.settled("ready", ready);
  expect(most).toBeLessThanOrEqual(8);
  world.server.before = undefined;
  await answers();
});

test("an apiserver that goes away and comes back, its history forgotten, is followed on", async () => {
  world.put(...whole());
  world.operator();
  await world.settled("ready", ready);
  world.server.before = () => "drop";
  world.server.breakAll();
  world.server.storage.change("workerpools", "code", "inline-7b", (object) => {
    object.spec.replicas = 3;
  });
  world.server.storage.delete("networkpolicies", "code", "inline-7b-workers");
  world.server.storage.compact();
  world.server.before = undefined;
  await until("what changed meanwhile is done", () => world.get("workerpools", "inline-7b").status.ready === "3/3");
  await answers();
  expect(world.server.open).toBeLessThanOrEqual(8);
});

test("an object that the apiserver refuses is told in Ready, with its own words, and comes again when it is mended", async () => {
  world.server.before = ({ path, writes }) => (writes && path.includes("networkpolicies") ? { status: 403 } : undefined);
  world.put(cpuPool());
  world.operator();
  await until("it is told", () => world.condition("workerpools", "dev")?.reason === "ApplyFailed");
  expect(world.condition("workerpools", "dev").message).toContain("NetworkPolicy/dev-workers was refused");
  world.server.before = undefined;
  await world.settled("it is well", () => world.condition("workerpools", "dev")?.reason === "Complete");
});

test("of two operators one leads and writes; when it dies the other takes over, and no write is doubled", async () => {
  const lease = { leaseMs: 1_500, renewMs: 1_000, retryMs: 50 };
  const [first, second] = [world.operator({ lease }), world.operator({ lease })];
  await until("one leads", () => first.leading || second.leading);
  const [leader, other] = first.leading ? [first, second] : [second, first];
  world.put(...whole());
  await world.settled("ready", ready);
  const writers = () =>
    new Set(
      world.server.storage.audit
        .filter(({ user, key }) => user.startsWith("operator") && !key.startsWith("leases"))
        .map(({ user }) => user),
    );
  expect([...writers()]).toEqual([leader === first ? "operator-0" : "operator-1"]);
  const died = world.server.storage.audit.length;
  await leader.kill();
  await until("the other leads", () => other.leading);
  expect(world.get("leases", "lease", "slipstream-system").spec.leaseTransitions).toBe(1);
  await answers();
  const after = world.server.storage.audit
    .slice(died)
    .filter(({ user, key }) => user.startsWith("operator") && !key.startsWith("leases"));
  expect(after.map(({ verb, key }) => `${verb} ${key}`)).toEqual(["create poddisruptionbudgets/code/inline-7b-workers"]);
});

test("what takes longer to be listed than the lease lasts costs no election", async () => {
  const lease = { leaseMs: 900, renewMs: 600, retryMs: 50 };
  const heldMs = () => {
    const { acquireTime, renewTime } = world.get("leases", "lease", "slipstream-system")?.spec ?? {};
    return acquireTime === undefined ? 0 : wallOf(renewTime) - wallOf(acquireTime);
  };
  let refused = 0;
  world.server.before = ({ path }) =>
    path.includes("workerpools") && heldMs() <= 2 * lease.leaseMs && ++refused ? { status: 503 } : undefined;
  world.put(cpuPool());
  const operator = world.operator({ lease });
  await until("it serves", () => world.get("workerpools", "dev").status?.ready === "1/1");
  expect([operator.leading, world.get("leases", "lease", "slipstream-system").spec.leaseTransitions]).toEqual([true, 0]);
  expect(refused).toBeGreaterThan(1);
});

test("a lease is renewed while every other call waits for its turn", async () => {
  const operator = world.operator({ lease: { leaseMs: 3_000, renewMs: 2_000, retryMs: 50 }, rest: { perSecond: 0.2, burst: 1 } });
  const renewals = () => world.server.storage.audit.filter(({ key }) => key.startsWith("leases")).length;
  await until("it is renewed", () => renewals() > 20);
  expect(operator.leading).toBe(true);
  expect(operator.missing()).not.toEqual([]);
});

test("while it could not renew its lease it writes nothing, and then all that is due", async () => {
  const operator = world.operator({ lease: { leaseMs: 900, renewMs: 600, retryMs: 50 } });
  await until("it leads", () => operator.leading);
  world.server.before = ({ path }) => (path.includes("leases") ? "silence" : undefined);
  await until("it leads no more", () => !operator.leading);
  const written = world.server.storage.audit.length;
  world.put(cpuPool());
  const asked = () => world.server.asked.filter(({ path }) => path.includes("leases")).length;
  const before = asked();
  await until("the lease is asked for again and again", () => asked() >= before + 3);
  const own = () => world.server.storage.audit.slice(written).filter(({ user }) => user.startsWith("operator"));
  expect(own()).toEqual([]);
  world.server.before = undefined;
  await until("it serves", () => world.get("workerpools", "dev").status?.ready === "1/1");
  expect(world.get("leases", "lease", "slipstream-system").spec.leaseTransitions).toBe(0);
});

test("twenty-four pods of twelve pools are kept, and a change of one costs one run", async () => {
  world.put(
    ...Array.from({ length: 12 }, (_, i) =>
      cpuPool((made) => {
        made.metadata.name = `dev-${i}`;
        made.spec.replicas = 2;
      }),
    ),
  );
  world.operator();
  const all = () => world.of("workerpools").every((made: Loose) => made.status?.ready === "2/2");
  await until("all serve", all, 60_000);
  await world.settled("calm", all);
  const before = world.server.asked.filter(({ writes, path }) => writes && !/leases|events/.test(path)).length;
  world.server.storage.delete("pods", "code", world.of("pods")[0].metadata.name);
  await world.settled("the one is back", () => all() && world.of("pods").length === 24);
  const writes = world.server.asked.filter(({ writes, path }) => writes && !/leases|events/.test(path)).length - before;
  // Its warm-up is told, and its pool's status as that goes on.
  expect(writes).toBeLessThanOrEqual(6);
  // One for all of it, and the lease's own.
  expect(world.server.open).toBe(2);
}, 120_000);
