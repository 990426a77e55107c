import { expect, test } from "vitest";
import { meanKeysPerSecond } from "./parameters.ts";
import { parseTrace } from "./parse.ts";
import { replay } from "./replay.ts";
import { type WorkingOptions, workingTrace } from "./working.ts";
import { formatTrace } from "./written.ts";

const text = (name: string, lines: number, ending = "\n") =>
  Array.from({ length: lines }, (_, i) => `${i % 3 === 0 ? "" : "  "}const ${name}${i} = compute(${i}, "naïve 🚀"); // ${i}`).join(
    ending,
  );
const sources = [
  { path: "a.ts", language: "typescript", package: "one", text: text("alpha", 220) },
  { path: "b.ts", language: "typescript", package: "one", text: `${text("beta", 160, "\r\n")}\r\n` },
  { path: "c.py", language: "python", package: "two", text: text("gamma", 90) },
];
const often = {
  ...{
    pasteProbability: 0.3,
    acceptProbability: 0.4,
    rejectProbability: 0.4,
    detourProbability: 0.5,
    switchProbability: 0.8,
    newFileProbability: 0.6,
  },
};

test("what a person at work leaves behind are the files as they are, whatever the habits", () => {
  const cases: Partial<WorkingOptions>[] = [
    {},
    { habits: often },
    { habits: { ...often, undoShare: 0 }, typing: { typoProbability: 0.3, typoNoticeKeysMax: 5 } },
    { hours: 2, keys: 100_000 },
    { keys: 1 },
  ];
  for (const [seed, given] of cases.entries()) {
    const trace = workingTrace({ sources, seed, keys: 3_000, ...given });
    expect(trace.documents.length, `case ${seed}`).toBeGreaterThan(0);
    const left = replay(trace);
    for (const { id, text: before } of trace.documents) {
      const whole = sources.find(({ path }) => path === id)?.text;
      expect(before).not.toBe(whole);
      expect(left.get(id), `case ${seed}`).toBe(whole);
    }
    expect(parseTrace(formatTrace(trace))).toEqual(trace);
  }
});

test("people paste, undo, take back, accept, press Escape and change files", () => {
  const { events } = workingTrace({ sources, seed: 3, keys: 8_000, habits: often });
  const seen = new Set(events.flatMap(({ origin, mark }) => [origin, mark]));
  for (const each of ["typed", "paste", "undo", "accept", "reject"] as const) expect(seen, each).toContain(each);
  expect(new Set(events.map(({ document }) => document)).size).toBe(3);
  expect(events.filter(({ edit, origin }) => origin === "typed" && edit?.text === "").length).toBeGreaterThan(20);
});

test("keys are pressed at the pace of the table while one writes, and a day has its hours", () => {
  const { events, parameters } = workingTrace({ sources, seed: 9, keys: 12_000 });
  const typed = events.filter(({ origin }) => origin === "typed");
  const between = typed.slice(1).map(({ tMs }, i) => tMs - (typed[i]?.tMs ?? 0));
  const quick = between.filter((ms) => ms < 1_000);
  expect(quick.reduce((sum, ms) => sum + ms, 0) / quick.length).toBeGreaterThan(190);
  expect(quick.reduce((sum, ms) => sum + ms, 0) / quick.length).toBeLessThan(290);
  expect(meanKeysPerSecond(parameters as never)).toBeCloseTo(2.13, 2);
  const day = workingTrace({ sources, seed: 9, keys: 100_000, hours: 1 });
  expect(day.events.at(-1)?.tMs).toBeLessThan(1.2 * 3_600_000);
  expect(day.events.length).toBeLessThan(0.8 * 3_600 * 2.13);
});

test("a seed decides every byte", () => {
  const made = (seed: number) => formatTrace(workingTrace({ sources, seed, keys: 500 }));
  expect(made(5)).toBe(made(5));
  expect(made(6)).not.toBe(made(5));
});

test("sources without a line to write are refused", () => {
  expect(() => workingTrace({ sources: [{ path: "e", language: "", text: "\n\n" }], seed: 1, keys: 10 })).toThrow(
    "sources: have nothing to type",
  );
});
