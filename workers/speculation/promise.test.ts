// What the controller promises, on machines drawn by chance: from an accelerator whose passes all take as long to a processor
// where each token costs its own, quiet and busy, with drafts that are nearly always right and with such that never are.
import { expect, test } from "vitest";
import { type Random, seeded } from "../../lib/random.ts";
import { bestFixed, calibrated, plainMs, run, type World } from "../../test/support/paper-engine.ts";

const machines = Array.from({ length: 40 }, (_, index) => index + 1);
const tokens = 3_000;

function machine(random: Random): World {
  const between = (least: number, most: number) => least + (most - least) * random.next();
  const stepMs = 0.3 * 100 ** random.next();
  const each = between(0.02, 1);
  const jumpsAt = Math.floor(between(2, 9));
  // How a pass grows by the tokens in it, in steps.
  const [flat, linear, jumping, bending] = [
    () => 1,
    (n: number) => 1 + each * (n - 1),
    (n: number) => (n < jumpsAt ? 1.05 : 1 + 3 * each),
    (n: number) => 1 + each * Math.sqrt(n - 1),
  ];
  const grows = [flat, linear, jumping, bending][Math.floor(random.next() * 4)] ?? flat;
  const draftMs = stepMs * between(0.02, 0.6);
  const [first, more] = [between(0, 0.4), between(0, 0.06)];
  return {
    verify: (n) => stepMs * grows(n),
    draftMs,
    readMs: draftMs * between(0.01, 0.15),
    model: random.next() < 0.1 ? undefined : between(0, 0.9),
    found: between(0, 0.9),
    lookup: (match) => Math.min(0.95, first + more * match),
    noise: between(0.02, 0.4),
    busy: random.next() < 0.25,
    switchMs: random.next() < 0.5 ? 0 : stepMs * between(0, 0.3),
  };
}

test.each(machines)(
  "machine %i: never under 0.97 of plain steps, and 0.95 of the best fixed length once it has learned",
  (seed) => {
    const random = seeded(seed);
    const world = machine(random);
    const speculation = calibrated(world, random);
    const learning = run(world, speculation, tokens, random);
    expect(plainMs(world, learning.tokens) / learning.ms).toBeGreaterThan(0.97);
    const ran = run(world, speculation, tokens, random);
    expect(plainMs(world, ran.tokens) / ran.ms).toBeGreaterThan(0.97);
    expect(ran.tokens / ran.ms / bestFixed(world)).toBeGreaterThan(0.95);
  },
);
