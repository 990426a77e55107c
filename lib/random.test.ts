import { expect, test } from "vitest";
import { below, fork, lognormal, normal, type Random, seeded, systemRandom } from "./random.ts";

const draw = (random: Random, n: number) => Array.from({ length: n }, () => random.next());

test("a seed gives the same numbers on every machine", () => {
  const first = draw(seeded(1), 4).map((x) => Math.floor(x * 2 ** 32));
  expect(first).toEqual([2917898039, 3219067074, 3573976570, 153132209]);
  expect(seeded(1).hex(20)).toBe(
    first
      .map((word) => word.toString(16).padStart(8, "0"))
      .join("")
      .slice(0, 20),
  );
  expect(draw(seeded(0xffff_ffff), 2).map((x) => Math.floor(x * 2 ** 32))).toEqual([1734410306, 2550340670]);
});

test("numbers are in [0, 1) and spread evenly, from neighbouring seeds too", () => {
  for (const source of [seeded(0), seeded(1), fork(seeded(2))]) {
    const counts = new Array<number>(20).fill(0);
    for (let i = 0; i < 20_000; i++) {
      const x = source.next();
      if (!(x >= 0 && x < 1)) throw new Error(`${x} is outside`);
      counts[Math.floor(x * 20)] = (counts[Math.floor(x * 20)] as number) + 1;
    }
    // Chi-squared with 19 degrees of freedom: 43.8 is passed once in a thousand seeds, and these seeds are fixed.
    expect(counts.reduce((sum, n) => sum + (n - 1_000) ** 2 / 1_000, 0)).toBeLessThan(43.8);
  }
});

test("first numbers of neighbouring seeds are unlike", () => {
  const firsts = Array.from({ length: 1_000 }, (_, seed) => seeded(seed).next());
  expect(new Set(firsts).size).toBe(1_000);
  const mean = firsts.reduce((sum, x) => sum + x, 0) / 1_000;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
});

test("a fork goes its own way: drawing from it moves neither parent nor sister", () => {
  const alone = seeded(9);
  fork(alone);
  fork(alone);
  const parent = seeded(9);
  const one = fork(parent);
  draw(one, 1_000);
  const two = fork(parent);
  expect(draw(parent, 5)).toEqual(draw(alone, 5));
  const other = seeded(9);
  fork(other);
  expect(draw(two, 5)).toEqual(draw(fork(other), 5));
});

test("whole numbers below a bound reach all and only those", () => {
  const random = seeded(3);
  expect(new Set(Array.from({ length: 1_000 }, () => below(random, 7)))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
  expect(below(random, 1)).toBe(0);
});

test("normal has mean 0 and deviation 1; lognormal has its median", () => {
  const random = seeded(4);
  const values = Array.from({ length: 20_000 }, () => normal(random));
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
  expect(values.every(Number.isFinite)).toBe(true);
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(deviation - 1)).toBeLessThan(0.03);
  const times = Array.from({ length: 10_001 }, () => lognormal(random, 40, 0.5)).sort((a, b) => a - b);
  expect(Math.abs((times[5_000] as number) - 40)).toBeLessThan(1.5);
});

test("normal survives the edges of chance", () => {
  const always = (value: number): Random => ({ next: () => value, hex: () => "" });
  for (const edge of [0, 1 - 2 ** -32]) expect(Number.isFinite(normal(always(edge)))).toBe(true);
});

test("hexadecimal ids have the asked length, also from the machine", () => {
  for (const random of [seeded(5), systemRandom()])
    for (const digits of [0, 1, 7, 8, 9, 32]) expect(random.hex(digits)).toMatch(new RegExp(`^[0-9a-f]{${digits}}$`));
});

test("the machine's chance differs from process to process and from id to id", () => {
  expect(systemRandom().next()).not.toBe(systemRandom().next());
  const random = systemRandom();
  expect(new Set(Array.from({ length: 1_000 }, () => random.hex(16))).size).toBe(1_000);
});

test("the machine's ids are of the length asked for, and none comes twice, over many fillings of the pool", () => {
  const random = systemRandom();
  const ids = Array.from({ length: 3_000 }, () => random.hex(33));
  expect(ids.every((id) => /^[0-9a-f]{33}$/.test(id))).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  expect(random.hex(10_000)).toHaveLength(10_000);
});
