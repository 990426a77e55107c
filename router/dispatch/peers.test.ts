import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { LinkGeneration } from "./generation.ts";
import { newPeers, Speed } from "./peers.ts";
import { Promptness } from "./promptness.ts";
import { Stalls } from "./stalls.ts";

const peersOf = () => {
  const clock = new FakeClock();
  return newPeers(() => new Stalls<LinkGeneration>({ clock, afterMs: () => undefined, stalled: () => undefined }));
};

/** Three workers that answer in 10 ms, step in 5 ms and compute ten tokens a millisecond; and one that says what is given. */
function among(said?: { prefillTokensPerSecond: number; stepMs: number }, saidMs = 50) {
  const peers = peersOf();
  for (let i = 0; i < 3; i++) {
    const promptness = new Promptness(peers.firsts);
    for (let k = 0; k < 40; k++) promptness.add(10);
    const speed = new Speed();
    speed.among(peers);
    speed.said({ prefillTokensPerSecond: 10_000, stepMs: 5 }, 0);
  }
  const speed = new Speed();
  speed.among(peers);
  if (said) speed.said(said, saidMs);
  return speed;
}

test.each<[name: string, tookMs: number, computed: number, said: Parameters<typeof among>[0], late: boolean]>([
  ["in the usual time it is not late", 12, 10, undefined, false],
  ["in twice the usual and more it is", 25, 10, undefined, true],
  ["of a prompt that takes so long it is not", 200, 2_000, undefined, false],
  ["but of a long prompt that took five times as long it is", 1_000, 2_000, undefined, true],
  [
    "where its steps take five times as long it is, before twice the usual time",
    15,
    10,
    { prefillTokensPerSecond: 0, stepMs: 25 },
    true,
  ],
  ["but not where it answers as soon as others do: a pause is no step", 9, 10, { prefillTokensPerSecond: 0, stepMs: 900 }, false],
  ["twice as long is within what prompts make of steps", 12, 10, { prefillTokensPerSecond: 0, stepMs: 10 }, false],
])("%s", (_, tookMs, computed, said, late) => {
  expect(among(said).late({ tookMs, computed, sinceMs: 20 })).toBe(late);
});

test.each([
  [1_000, true],
  [2_000, false],
])("what an engine said %i ms before it answered counts: %o", (ago, late) => {
  const speed = among({ prefillTokensPerSecond: 0, stepMs: 25 }, 0);
  expect(speed.late({ tookMs: 15, computed: 10, sinceMs: ago - 15 })).toBe(late);
});

test("where nobody's rate is known, a long prompt says nothing; and alone nobody is late", () => {
  const answer = { tookMs: 900, computed: 2_000, sinceMs: 0 };
  const peers = peersOf();
  const speed = new Speed();
  speed.among(peers);
  expect(speed.late(answer)).toBe(false);
  const promptness = new Promptness(peers.firsts);
  for (let k = 0; k < 40; k++) promptness.add(10);
  expect([speed.late(answer), speed.late({ ...answer, computed: 10 })]).toEqual([undefined, true]);
});

test("a load that slows all alike makes nobody late, and who leaves is no measure any more", () => {
  const peers = peersOf();
  const promptness = new Promptness(peers.firsts);
  for (let k = 0; k < 40; k++) promptness.add(10);
  const speeds = [5, 5, 25, 25, 25].map((stepMs) => {
    const speed = new Speed();
    speed.among(peers);
    speed.said({ prefillTokensPerSecond: 1_000, stepMs }, 50);
    return speed;
  });
  const late = () => speeds.map((speed) => speed.late({ tookMs: 15, computed: 1, sinceMs: 0 }));
  expect(late()).toEqual([false, false, false, false, false]);
  for (const speed of speeds.splice(3)) speed.among(undefined);
  expect(late()).toEqual([false, false, true]);
});
