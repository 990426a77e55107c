import { expect, test } from "vitest";
import { generateTrace } from "./generate.ts";
import { defaultTyping, lognormalOf, meanKeysPerSecond } from "./parameters.ts";
import { begunAt, replay } from "./replay.ts";
import { formatTrace } from "./written.ts";

const lines = Array.from({ length: 400 }, (_, i) => `  ${i % 3 === 0 ? "  " : ""}const value${i} = compute(${i}, "naïve 🚀");`);
const text = `function all() {\n${lines.join("\n")}\n}\n`;
const source = { path: "all.ts", language: "typescript", text };

test("replaying a generated trace gives the source text back, whatever the options", () => {
  const cases = [
    {},
    { autoIndent: false },
    { typing: { typoProbability: 0.3 } },
    { typing: { typoProbability: 1, typoNoticeKeysMax: 5, lineEndPauseProbability: 1 } },
    { start: 0, keys: 5_000 },
    { text: text.replaceAll("\n", "\r\n") },
    { text: "x" },
  ];
  for (const [seed, options] of cases.entries()) {
    const trace = generateTrace({ seed, keys: 300, ...source, ...options });
    expect(trace.documents[0]?.text).not.toBe(options.text ?? text);
    expect(replay(trace).get("all.ts"), `case ${seed}`).toBe(options.text ?? text);
  }
});

test("a seed decides every byte of the trace, and another seed gives another trace", () => {
  const make = (seed: number) => formatTrace(generateTrace({ seed, keys: 200, ...source }));
  expect(make(7)).toBe(make(7));
  expect(make(8)).not.toBe(make(7));
});

test("the table's typist presses 2.13 keys a second", () => {
  expect(meanKeysPerSecond(defaultTyping)).toBeCloseTo(2.13, 2);
  const trace = generateTrace({ seed: 1, keys: 14_000, ...source, start: 0 });
  const seconds = (trace.events.at(-1)?.tMs ?? 0) / 1_000;
  expect(trace.events.length).toBeGreaterThan(10_000);
  const rate = trace.events.length / seconds;
  expect(rate).toBeGreaterThan(2.03);
  expect(rate).toBeLessThan(2.23);
});

test("mean and standard deviation are turned into the lognormal's own figures", () => {
  const { median, sigma } = lognormalOf(239, 112);
  const mean = median * Math.exp(sigma ** 2 / 2);
  expect(mean).toBeCloseTo(239, 6);
  expect(mean * Math.sqrt(Math.exp(sigma ** 2) - 1)).toBeCloseTo(112, 6);
});

test("an editor that indents gives the indentation of the line above with the newline", () => {
  const trace = generateTrace({ seed: 1, path: "a.py", language: "python", text: "if a:\n  b\n  c\nd\n", start: 0, keys: 100 });
  const typed = trace.events.map((event) => event.edit?.text);
  expect(typed).toEqual(["i", "f", " ", "a", ":", "\n", "  ", "b", "\n  ", "c", "\n", "d", "\n"]);
});

test("typos are taken back key by key", () => {
  const trace = generateTrace({
    ...{ seed: 3, path: "a.txt", language: "plaintext", text: "a", start: 0, keys: 1 },
    typing: { typoProbability: 1 },
  });
  expect(trace.events.map(({ edit }) => [edit?.text, edit?.startUtf16, edit?.endUtf16])).toEqual([
    ["s", 0, 0],
    ["", 0, 1],
    ["a", 0, 0],
  ]);
});

test("a pause at each line's end slows the typist", () => {
  const lastMs = (lineEndPauseProbability: number) =>
    generateTrace({ seed: 5, keys: 3_000, ...source, start: 0, typing: { lineEndPauseProbability, burstKeysMean: 1e9 } }).events.at(
      -1,
    )?.tMs;
  expect(lastMs(1)).toBeGreaterThan(1.1 * (lastMs(0) ?? 0));
});

test("a text without anything to type is refused", () => {
  expect(() => generateTrace({ seed: 1, keys: 5, path: "a", language: "x", text: "" })).toThrow("text: has nothing to type");
});

test("who begins in the middle of a trace ends where it ends", () => {
  const trace = generateTrace({ seed: 2, keys: 300, ...source });
  const later = begunAt(trace, 120);
  expect(later.events).toHaveLength(trace.events.length - 120);
  expect(later.events[0]?.tMs).toBe(0);
  expect(replay(later)).toEqual(replay(trace));
  expect(begunAt(trace, 0)).toBe(trace);
});
