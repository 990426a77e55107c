import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { FakeStorage } from "../../test/support/fake-storage.ts";
import type { Cluster, KubeObject } from "../objects.ts";
import { Leader } from "./leader.ts";

const options = { namespace: "system", name: "operator", leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 };

function world() {
  const clock = new FakeClock();
  const storage = new FakeStorage();
  const away = new Set<string>();
  const hanging = new Set<string>();
  const leader = (identity: string, own: FakeClock = clock) => {
    const asked = async <T>(answer: () => T): Promise<T> => {
      if (hanging.has(identity)) await new Promise(() => undefined);
      if (away.has(identity)) throw new Error("unreachable");
      return answer();
    };
    const cluster: Pick<Cluster, "get" | "create" | "replace"> = {
      get: (_, namespace, name) =>
        asked(() => storage.objects.get(storage.key("leases", namespace, name)) as KubeObject | undefined),
      create: (object) => asked(() => storage.create("leases", object, identity)),
      replace: (object) => asked(() => storage.replace("leases", object, identity)),
    };
    return new Leader({ ...options, identity }, { cluster, clock: own, random: seeded(identity.length), log: silentLog });
  };
  return { clock, storage, away, hanging, leader };
}

test("one of two leads; the other takes over when the first is gone, not before its lease ends", async () => {
  const { clock, away, leader } = world();
  const [a, b] = [leader("a"), leader("bb")];
  await a.elected();
  const held = a.held();
  void b.elected();
  await clock.advance(60_000);
  expect([a.leading, b.leading]).toEqual([true, false]);
  away.add("a");
  const died = clock.now();
  await clock.advance(8_000);
  expect(b.leading).toBe(false);
  await clock.advance(2_200 + 2_400);
  // It could not renew: it stopped itself before another began.
  expect([a.leading, b.leading]).toEqual([false, false]);
  await held;
  for (; !b.leading; ) await clock.advance(100);
  expect(clock.now() - died).toBeLessThanOrEqual(15_000 + 2 * 2_400);
});

test("a call that hangs does not keep a leader beyond its lease", async () => {
  const { clock, hanging, leader } = world();
  const a = leader("a");
  await a.elected();
  const held = a.held();
  await clock.advance(5_000);
  hanging.add("a");
  await clock.advance(12_500);
  await held;
  expect(a.leading).toBe(false);
});

test("a lease given back is taken at the next look", async () => {
  const { clock, storage, leader } = world();
  const [a, b] = [leader("a"), leader("bb")];
  await a.elected();
  const elected = b.elected();
  await clock.advance(1_000);
  await a.close();
  expect(storage.objects.get("leases/system/operator").spec.holderIdentity).toBe("");
  await clock.advance(2_500);
  await elected;
  expect(storage.objects.get("leases/system/operator").spec).toMatchObject({ holderIdentity: "bb", leaseTransitions: 1 });
});

test("times that another wrote are never believed, only compared: a clock hours wrong changes nothing", async () => {
  const { clock, storage, leader } = world();
  const wrong = new FakeClock({ wallStartMs: 1 });
  const a = leader("a", wrong);
  await a.elected();
  expect(storage.objects.get("leases/system/operator").spec.renewTime).toMatch(/^1970-01-01T00:00:00\.\d{6}Z$/);
  const b = leader("bb");
  void b.elected();
  void a.held();
  for (let i = 0; i < 20; i++) {
    await wrong.advance(2_500);
    await clock.advance(2_500);
  }
  expect(b.leading).toBe(false);
});

test("one that another took it from by a conflict leads no more", async () => {
  const { clock, storage, leader } = world();
  const a = leader("a");
  await a.elected();
  const held = a.held();
  storage.change("leases", "system", "operator", (lease) => {
    Object.assign(lease.spec, { holderIdentity: "other", renewTime: "x" });
  });
  await clock.advance(2_500);
  await held;
  expect(a.leading).toBe(false);
});
