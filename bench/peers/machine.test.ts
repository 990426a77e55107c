import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { busyMeter, calm } from "./machine.ts";

/** Two cores that others keep so busy, in each and every sample. */
function machine(clock: FakeClock, shares: readonly number[]) {
  let [busy, all, nth] = [0, 0, 0];
  let lastMs = clock.now();
  return () => {
    const passed = 2 * (clock.now() - lastMs);
    lastMs = clock.now();
    if (passed > 0) busy += passed * (shares[Math.min(nth++, shares.length - 1)] as number);
    all += passed;
    return { busy, all };
  };
}

async function waited(shares: readonly number[]) {
  const clock = new FakeClock();
  const said: string[] = [];
  const { signal } = new AbortController();
  let overMs: number | undefined;
  const begunMs = clock.now();
  void calm({ clock, say: (line) => said.push(line), signal, reads: machine(clock, shares) }).then(() => {
    overMs = clock.now() - begunMs;
  });
  for (let second = 0; second < 120 && overMs === undefined; second++) await clock.advance(1_500);
  return { overMs, said };
}

test.each([
  { name: "a quiet machine is looked at once", shares: [0.1], overMs: 1_500, said: 0 },
  { name: "a busy one is waited for", shares: [0.9, 0.8, 0.2], overMs: 4_500, said: 1 },
  { name: "for a minute at most", shares: [0.9], overMs: 61_500, said: 1 },
])("$name", async ({ shares, overMs, said }) => {
  const found = await waited(shares);
  expect(found.overMs).toBe(overMs);
  expect(found.said).toHaveLength(said);
});

test("the meter says the share of all cores since it began", async () => {
  const clock = new FakeClock();
  const meter = busyMeter(machine(clock, [0.5]));
  await clock.advance(1_000);
  expect(meter()).toBeCloseTo(0.5);
});
