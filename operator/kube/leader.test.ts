import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { Clock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { FakeStorage, StatusError } from "../../test/support/fake-storage.ts";
import type { Cluster, KubeObject } from "../objects.ts";
import { Leader } from "./leader.ts";
import { Refused } from "./rest.ts";

const options = { namespace: "system", name: "operator", leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 };

function world() {
  const clock = new FakeClock();
  const storage = new FakeStorage();
  const away = new Set<string>();
  const hanging = new Set<string>();
  const calls: string[] = [];
  const leader = (identity: string, own: Clock = clock) => {
    const asked = async <T>(verb: string, answer: () => T): Promise<T> => {
      calls.push(`${identity} ${verb}`);
      if (hanging.has(identity)) await new Promise(() => undefined);
      if (away.has(identity)) throw new Error("unreachable");
      try {
        return structuredClone(answer());
      } catch (thrown) {
        if (thrown instanceof StatusError) throw new Refused(thrown.status, thrown.reason, thrown.message);
        throw thrown;
      }
    };
    const cluster: Pick<Cluster, "get" | "create" | "replace"> = {
      get: (_, namespace, name) =>
        asked("get", () => storage.objects.get(storage.key("leases", namespace, name)) as KubeObject | undefined),
      create: (object) => asked("create", () => storage.create("leases", object, identity)),
      replace: (object) => asked("replace", () => storage.replace("leases", object, identity)),
    };
    return new Leader({ ...options, identity }, { cluster, clock: own, random: seeded(identity.length), log: silentLog });
  };
  const lease = () => storage.objects.get("leases/system/operator").spec;
  return { clock, storage, away, hanging, leader, calls, lease };
}

/** The clock of a process that can stand still: time goes on, and none of its timers fires meanwhile. */
function standing(inner: FakeClock) {
  let aheadMs = 0;
  const clock: Clock = {
    now: () => inner.now() + aheadMs,
    wall: () => inner.wall() + aheadMs,
    timer: (ms, fire) => inner.timer(ms, fire),
    sleep: (ms, signal) => inner.sleep(ms, signal),
  };
  const standsStill = (ms: number) => {
    aheadMs += ms;
  };
  return { clock, standsStill };
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
  for (; !b.leading; ) await clock.advance(100);
  expect(clock.now() - died).toBeLessThanOrEqual(15_000 + 2 * 2_400);
  // It comes back, finds another, and gives up.
  away.delete("a");
  await clock.advance(2_500);
  await held;
  expect([a.leading, b.leading]).toEqual([false, true]);
});

test("a renewal is one write, and no look before it", async () => {
  const { clock, calls, leader } = world();
  const a = leader("a");
  await a.elected();
  void a.held();
  calls.length = 0;
  await clock.advance(24_000);
  expect(new Set(calls)).toEqual(new Set(["a replace"]));
  expect(calls.length).toBeGreaterThanOrEqual(10);
  expect(a.leading).toBe(true);
});

test("a call that hangs leaves room for another within the time that there is", async () => {
  const { clock, hanging, leader } = world();
  const a = leader("a");
  await a.elected();
  void a.held();
  await clock.advance(3_000);
  hanging.add("a");
  await clock.advance(2_500);
  hanging.delete("a");
  for (let i = 0; i < 100; i++) {
    await clock.advance(100);
    expect(a.leading).toBe(true);
  }
});

test("a leader whose calls hang leads no more in time, and again without another election when they do not", async () => {
  const { clock, hanging, leader, lease } = world();
  const a = leader("a");
  await a.elected();
  void a.held();
  await clock.advance(5_000);
  hanging.add("a");
  await clock.advance(12_500);
  expect(a.leading).toBe(false);
  hanging.delete("a");
  await clock.advance(5_500);
  expect([a.leading, lease().leaseTransitions]).toEqual([true, 0]);
});

test("a process that stood still leads no more at its first look, and goes on when nobody led meanwhile", async () => {
  const { clock, leader, lease } = world();
  const own = standing(clock);
  const a = leader("a", own.clock);
  await a.elected();
  let over = false;
  void a.held().then(() => {
    over = true;
  });
  await clock.advance(3_000);
  own.standsStill(40_000);
  expect(a.leading).toBe(false);
  await clock.advance(2_500);
  expect([a.leading, over, lease().leaseTransitions]).toEqual([true, false, 0]);
});

test("a process that stood still while another began to lead never leads again", async () => {
  const { clock, leader, lease } = world();
  const inner = new FakeClock();
  const own = standing(inner);
  const a = leader("a", own.clock);
  await a.elected();
  const held = a.held();
  const b = leader("bb");
  void b.elected();
  await clock.advance(20_000);
  own.standsStill(20_000);
  expect([a.leading, b.leading]).toEqual([false, true]);
  await inner.advance(2_500);
  await held;
  expect([a.leading, lease().holderIdentity]).toEqual([false, "bb"]);
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
