import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { Meter } from "./meter.ts";

test("what warm prompts take over a wire says nothing of how fast a cold one is computed", () => {
  const meter = new Meter({ clock: new FakeClock() }, { blockTokens: 16 });
  // 20 ms for the wire and a step, 1 ms for ten tokens.
  meter.answered(1_000, 120);
  const cold = meter.prefillTokensPerSecond;
  for (let key = 0; key < 1_000; key++) meter.answered(17 + (key % 16), 23);
  expect(meter.prefillTokensPerSecond).toBe(cold);
  for (let document = 0; document < 20; document++) meter.answered(1_000, 120);
  expect(meter.prefillTokensPerSecond).toBeGreaterThan(9_000);
  expect(meter.prefillTokensPerSecond).toBeLessThan(11_000);
});

test("a cold prompt that was quicker than a known one is not computed in no time", () => {
  const meter = new Meter({ clock: new FakeClock() });
  meter.answered(10, 100);
  meter.answered(500, 50);
  expect(meter.prefillTokensPerSecond).toBe(100_000);
});
