import { expect, test } from "vitest";
import { figuresOf } from "../../bench/keys/measure.ts";
import { Stand } from "../../bench/keys/stand.ts";
import { ablations, allOn } from "../../bench/keys/switches.ts";
import { systemClock } from "../../lib/clock.ts";
import { slipstream } from "../support/command.ts";
import { until } from "../support/until.ts";

const stand = (switches = {}) =>
  Stand.start({
    ...{ profile: "h100-7b-eagle3" as const, profileEnd: "fast" as const, workers: 4, slots: 4, seed: 1, agreement: 0.5 },
    switches: { ...allOn, ...switches },
  });

async function typed(one: Stand): Promise<ReturnType<typeof figuresOf>> {
  one.crowd(6);
  // On a busy machine first prompts may take longer than one look.
  for (let looks = 1; ; looks++) {
    await systemClock.sleep(6_000);
    const figures = figuresOf(await one.take(), 6, one.violations);
    if (((figures.outcomes["generated"] ?? 0) > 0 && figures.triggers > 10) || looks === 6) return figures;
  }
}

test("typists get their answers from processes of their own, which end with the stand", async () => {
  const one = await stand();
  try {
    const figures = await typed(one);
    expect(figures.violations).toBe(0);
    expect(figures.triggers).toBeGreaterThan(10);
    expect(figures.outcomes["generated"]).toBeGreaterThan(0);
    expect(figures.load_share).toBeGreaterThan(0);
    expect(figures.waste_share).toBeLessThan(1);
    expect(figures.router_cpu_ms_per_trigger).toBeGreaterThan(0);
    expect(figures.value.engine_ms).toBeGreaterThan(0);
    expect(figures.value.token_share_by.shown).toBeGreaterThan(0);
  } finally {
    await one.end();
  }
  await until("every process has ended", () => one.running === 0);
});

test("a door that is shut stays shut", async () => {
  const one = await stand(ablations.requests_not_keystrokes);
  try {
    const { outcomes } = await typed(one);
    for (const outcome of ["typed_ahead", "joined", "cached", "gated", "superseded"])
      expect(outcomes[outcome] ?? 0, outcome).toBe(0);
    expect(outcomes["generated"]).toBeGreaterThan(0);
  } finally {
    await one.end();
  }
});

test.each([
  [["--load", "2"], '--load: "2" is not a number between 0.05 and 0.99'],
  [["--workers", "2"], '--workers: "2" is not a whole number between 4 and 64'],
  [["--profile", "tpu"], '--profile: "tpu" is none of'],
  [["--ablate", "gravity_off"], '--ablate: "gravity_off" is none of'],
  [["extra"], '"extra" is not an option'],
])("bench keys %j is refused in a sentence", async (args, says) => {
  const { code, err, out } = await slipstream(["bench", "keys", ...args]);
  expect([code, out]).toEqual([64, ""]);
  expect(err).toContain(says);
});
