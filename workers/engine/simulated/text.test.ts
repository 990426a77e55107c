import { expect, test } from "vitest";
import { seeded } from "../../../lib/random.ts";
import { pretendText } from "./text.ts";
import { pieces } from "./tokens.ts";

const say = (seed: number, agreement = 1, truth?: string) => [...pretendText(seeded(seed), { agreement, truth })].join("");

test("it looks like code: statements end in semicolons, blocks indent and brackets of a line balance", () => {
  for (let seed = 0; seed < 300; seed++) {
    const lines = say(seed).trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(24);
    for (const line of lines) expect(line).toMatch(/(;|\{|\})$/);
    for (const line of lines) expect(line.split("(").length).toBe(line.split(")").length);
  }
});

test("it ends by itself, sometimes soon and sometimes late", () => {
  const lengths = Array.from({ length: 300 }, (_, seed) => say(seed).split("\n").length - 1);
  expect(Math.min(...lengths)).toBeLessThan(3);
  expect(Math.max(...lengths)).toBeGreaterThan(15);
});

test("a truth is said as far as the model agrees, in whole tokens", () => {
  const truth = "const sum = values.reduce((a, b) => a + b, 0);\nreturn sum / values.length;\n";
  const ends = pieces(truth).map((_, i, all) => all.slice(0, i).join("").length);
  const agreed = Array.from({ length: 400 }, (_, seed) => {
    const said = say(seed, 0.9, truth);
    let same = 0;
    while (same < truth.length && said[same] === truth[same]) same += 1;
    return same;
  });
  expect(say(1, 1, truth)).toBe(truth);
  // By chance the words after an error may begin as the truth does; never fewer than whole tokens agree.
  expect(agreed.filter((same) => ends.includes(same) || same === truth.length).length).toBeGreaterThan(300);
  const whole = agreed.filter((same) => same === truth.length).length / 400;
  expect(whole).toBeGreaterThan(0.9 ** pieces(truth).length / 2);
  expect(whole).toBeLessThan(0.9 ** pieces(truth).length * 2 + 0.05);
});
