import { expect, test } from "vitest";
import { seeded } from "../random.ts";
import { TokenBucket, TokenBuckets } from "./token-bucket.ts";

test("a burst is there at once, then tokens come at their rate", () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, 1_000);
  expect([1, 2, 3, 4].map(() => bucket.take(1_000))).toEqual([true, true, true, false]);
  expect([bucket.take(1_099), bucket.take(1_100), bucket.take(1_100)]).toEqual([false, true, false]);
});

test("idle time never saves up more than the burst", () => {
  const bucket = new TokenBucket({ perSecond: 1_000, burst: 2 }, 0);
  expect([bucket.take(1e9), bucket.take(1e9), bucket.take(1e9)]).toEqual([true, true, false]);
});

test("several tokens are taken together or not at all", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 10 }, 0);
  expect([bucket.take(0, 7), bucket.take(0, 4), bucket.take(0, 3), bucket.take(0, 11)]).toEqual([true, false, true, false]);
});

test("more than the burst is never there, and says so", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 5 }, 0);
  expect([bucket.take(1e12, 6), bucket.waitMs(1e12, 6)]).toEqual([false, Number.POSITIVE_INFINITY]);
});

test("the wait that is told is the wait that is needed", () => {
  const bucket = new TokenBucket({ perSecond: 4, burst: 2 }, 0);
  bucket.take(0, 2);
  expect([bucket.waitMs(0), bucket.waitMs(100), bucket.waitMs(0, 2)]).toEqual([250, 150, 400]);
  expect([bucket.take(249), bucket.take(250)]).toEqual([false, true]);
});

test.each([Number.NaN, -1])("asking for %d tokens gives nothing away", (n) => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 0);
  bucket.take(0, n);
  expect([bucket.take(0), bucket.take(0)]).toEqual([true, false]);
});

test("a clock that steps back gives no tokens, now or later", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 10_000);
  expect([bucket.take(10_000), bucket.take(5_000), bucket.take(10_500), bucket.take(11_000)]).toEqual([true, false, false, true]);
});

test("over a long time no more than rate and burst allow is given, whatever the pattern", () => {
  const random = seeded(11);
  const bucket = new TokenBucket({ perSecond: 20, burst: 5 }, 0);
  let given = 0;
  let now = 0;
  for (; now < 100_000; now += random.next() * 30) if (bucket.take(now)) given += 1;
  expect(given).toBeLessThanOrEqual((now / 1_000) * 20 + 5);
  expect(given).toBeGreaterThan((now / 1_000) * 20 * 0.99);
});

test("keys have an allowance each", () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1, keysMax: 10 });
  expect([buckets.take("a", 0), buckets.take("a", 0), buckets.take("b", 0)]).toEqual([true, false, true]);
  expect([buckets.waitMs("a", 0), buckets.waitMs("new", 0)]).toEqual([1_000, 0]);
});

test("keys are bounded: the longest unused starts anew", () => {
  const buckets = new TokenBuckets({ perSecond: 0.001, burst: 1, keysMax: 2 });
  for (const key of ["a", "b"]) buckets.take(key, 0);
  buckets.take("a", 1);
  buckets.take("c", 1);
  expect([buckets.take("a", 2), buckets.take("b", 2)]).toEqual([false, true]);
});
