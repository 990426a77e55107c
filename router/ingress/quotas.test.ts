import { setMaxListeners } from "node:events";
import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { SlipstreamError } from "../../lib/errors.ts";
import { recordedMetrics } from "../../test/support/router.ts";
import { type Granted, Quotas } from "./quotas.ts";

function room(granted: Readonly<Record<string, Granted>>, tenantsMax = 100) {
  const clock = new FakeClock();
  const metrics = recordedMetrics();
  const grants = { ...granted };
  const quotas = new Quotas({ tenantsMax }, { clock, metrics: metrics.metrics, granted: (tenant) => grants[tenant] ?? {} });
  return { clock, metrics, quotas, grants };
}

const refused = (act: () => unknown): SlipstreamError | undefined => {
  try {
    act();
  } catch (thrown) {
    return thrown as SlipstreamError;
  }
  return undefined;
};
const never = new AbortController().signal;
// Hundreds of generations are held on it at once; each of a router has a signal of its own.
setMaxListeners(0, never);

test("a tenant without a quota is not bounded, and nothing is kept of it", () => {
  const { quotas } = room({});
  const held = Array.from({ length: 50 }, () => [quotas.session("a"), quotas.generation("a", "inline", never)]).flat();
  for (let i = 0; i < 1_000; i++) quotas.trigger("a", "trigger");
  for (const each of held) each[Symbol.dispose]();
  expect(quotas.tenants).toBe(0);
});

test.each([
  ["sessions", { sessions: 2 }, (quotas: Quotas, tenant: string) => quotas.session(tenant)],
  ["generations", { generations: 2 }, (quotas: Quotas, tenant: string) => quotas.generation(tenant, "inline", never)],
])("%s are refused past their quota, until one is given back; another tenant does not notice", (quota, granted, take) => {
  const { quotas, metrics } = room({ a: granted });
  const first = take(quotas, "a");
  take(quotas, "a");
  const error = refused(() => take(quotas, "a"));
  expect([error?.code, (error?.retryAfterMs ?? 0) > 0]).toEqual(["overloaded", true]);
  expect(error?.message).toMatch(/quota of 2/);
  for (let i = 0; i < 10; i++) take(quotas, "b");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  take(quotas, "a");
  expect(refused(() => take(quotas, "a"))?.code).toBe("overloaded");
  expect(metrics.count("quota_refused_total", { quota })).toBe(2);
});

test("triggers come at their rate after a burst, and a refusal says when the next one may", async () => {
  const { quotas, clock } = room({ a: { triggersPerSecond: 2, triggersBurst: 3 } });
  for (let i = 0; i < 3; i++) quotas.trigger("a", "trigger");
  const error = refused(() => quotas.trigger("a", "trigger"));
  expect([error?.code, error?.field, error?.retryAfterMs]).toEqual(["overloaded", "trigger", 500]);
  await clock.advance(400);
  expect(refused(() => quotas.trigger("a", "trigger"))?.retryAfterMs).toBe(100);
  await clock.advance(100);
  quotas.trigger("a", "trigger");
  expect(refused(() => quotas.trigger("a", "trigger"))).toBeDefined();
});

test.each([
  ["two a minute", 2 / 60, 1, 30_000],
  ["ten a second, a second's worth at once", 10, 10, 100],
])("%s: %d a second", (_, triggersPerSecond, atOnce, retryAfterMs) => {
  const { quotas } = room({ a: { triggersPerSecond } });
  for (let i = 0; i < atOnce; i++) quotas.trigger("a", "trigger");
  expect(refused(() => quotas.trigger("a", "trigger"))?.retryAfterMs).toBe(retryAfterMs);
});

test("a generation that is retired makes room in the same tick", () => {
  const { quotas } = room({ a: { generations: 1 } });
  const older = new AbortController();
  const held = quotas.generation("a", "inline", older.signal);
  expect(refused(() => quotas.generation("a", "inline", never))).toBeDefined();
  older.abort();
  quotas.generation("a", "inline", never);
  held[Symbol.dispose]();
  expect(refused(() => quotas.generation("a", "inline", never))).toBeDefined();
});

test.each(["speculative", "batch"] as const)("%s work never takes the last generation", (lane) => {
  const { quotas } = room({ a: { generations: 2 } });
  quotas.generation("a", lane, never);
  expect(refused(() => quotas.generation("a", lane, never))).toBeDefined();
  quotas.generation("a", "inline", never);
});

test("a quota that the policy lowers holds from now; who is in stays in", async () => {
  const { quotas, grants } = room({ a: { sessions: 3, triggersPerSecond: 100 } });
  const held = [quotas.session("a"), quotas.session("a")];
  for (let i = 0; i < 50; i++) quotas.trigger("a", "trigger");
  grants["a"] = { sessions: 1, triggersPerSecond: 1 };
  expect(refused(() => quotas.session("a"))).toBeDefined();
  held[0]?.[Symbol.dispose]();
  expect(refused(() => quotas.session("a"))).toBeDefined();
  held[1]?.[Symbol.dispose]();
  quotas.session("a");
  quotas.trigger("a", "trigger");
  expect(refused(() => quotas.trigger("a", "trigger"))).toBeDefined();
});

test("tenants that have recovered are forgotten, those that owe are not", async () => {
  const granted = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`t${i}`, { triggersPerSecond: 1, triggersBurst: 5 }]));
  const { quotas, clock } = room(granted, 10);
  for (let i = 0; i < 9; i++) quotas.trigger(`t${i}`, "trigger");
  await clock.advance(60_000);
  for (let i = 0; i < 5; i++) quotas.trigger("t9", "trigger");
  quotas.trigger("t10", "trigger");
  expect(quotas.tenants).toBe(2);
  expect(refused(() => quotas.trigger("t9", "trigger"))).toBeDefined();
});
