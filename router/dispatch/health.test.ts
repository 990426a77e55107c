import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { LinkGeneration } from "./generation.ts";
import { Health } from "./health.ts";
import { newPeers } from "./peers.ts";
import { Stalls } from "./stalls.ts";

const options = { failuresMax: 3, openMinMs: 100, openMaxMs: 1_000 };

/** Workers that have answered often, each within its own time. */
function workers(...times: number[]) {
  const clock = new FakeClock();
  const peers = newPeers(() => new Stalls<LinkGeneration>({ clock, afterMs: () => undefined, stalled: () => undefined }));
  const healths = times.map((tookMs) => {
    const health = new Health(options, { clock, changed: () => {} });
    health.among(peers);
    for (let i = 0; i < 40; i++) health.answered({ tookMs, computed: 1, sinceMs: 0 }, () => false);
    health.speed.said({ prefillTokensPerSecond: 1_000, stepMs: tookMs / 2 }, 0);
    return health;
  });
  return { clock, peers, healths };
}

test.each<[name: string, leave: (health: Health) => void]>([
  ["is left alone", (health) => health.trip("silent")],
  ["is lost", (health) => health.lost()],
  ["is left for good", (health) => health.close()],
])("who %s is no measure of the others, and is one again when it has answered again", (_, leave) => {
  const { peers, healths } = workers(10, 100, 100);
  expect(peers.firsts.expectedMs).toBeGreaterThan(90);
  for (const health of healths.slice(1)) leave(health);
  expect(peers.firsts.expectedMs).toBeLessThan(20);
  expect([peers.steps.expectedMs, peers.prompts.expectedMs]).toEqual([5, 1]);
});

test("of one that is tried any answer says something: in time it closes, late it does not", async () => {
  const { clock, healths } = workers(10, 10, 10);
  const [good, late] = healths as [Health, Health, Health];
  for (const health of [good, late]) health.trip("silent");
  await clock.advance(100);
  for (const health of [good, late]) health.asked();
  good.answered({ tookMs: 10, computed: 1, sinceMs: 0 }, () => true);
  late.answered({ tookMs: 100, computed: 1, sinceMs: 0 }, () => true);
  expect([good.state, late.state]).toEqual(["closed", "open"]);
});

test("a worker is tried again also when the timer comes a little early", () => {
  const clock = new FakeClock();
  let due = () => {};
  const early = {
    now: () => clock.now(),
    wall: () => clock.wall(),
    sleep: () => Promise.resolve(),
    timer: (_: number, given: () => void) => {
      due = given;
      return { [Symbol.dispose]: () => {} };
    },
  };
  const health = new Health(options, { clock: early, changed: () => {} });
  health.trip("silent");
  due();
  expect(health.state).toBe("probing");
});
