import { expect, test } from "vitest";
import { withClosing } from "./closing.ts";
import { generateTrace } from "./generate.ts";
import { replay } from "./replay.ts";
import type { Trace, TraceEvent } from "./trace.ts";

/** A trace that types these keys into an empty document; "<" takes one back. */
function typing(keys: readonly string[], text = ""): Trace {
  let at = 0;
  const events = keys.map((key, i): TraceEvent => {
    const edit = key === "<" ? { startUtf16: at - 1, endUtf16: at, text: "" } : { startUtf16: at, endUtf16: at, text: key };
    at = edit.startUtf16 + edit.text.length;
    return { tMs: i, document: "d", cursor: at, edit, origin: "typed" };
  });
  return { source: "generated", documents: [{ id: "d", path: "d.ts", language: "typescript", text }], events };
}

const shown = (trace: Trace, events?: number) => {
  const closing = withClosing(trace);
  const at = closing.events[(events ?? closing.events.length) - 1]?.cursor ?? 0;
  const text = replay(closing, events).get("d") ?? "";
  return `${text.slice(0, at)}|${text.slice(at)}`;
};

test.each<[name: string, keys: readonly string[], text: string, shown: string]>([
  ["a bracket is closed", ["f", "("], "", "f(|)"],
  ["what was brought is typed over", ["f", "(", "a", ")"], "", "f(a)|"],
  ["pairs within pairs", ["(", "[", '"'], "", '(["|"])'],
  ["a line feed within a pair brings its second line", ["{", "\n  ", "a"], "", "{\n  a|\n}"],
  ["which is gone to, not written, at the block's end", ["{", "\n  ", "a", "\n", "}"], "", "{\n  a\n}|"],
  ["the first taken back takes the second with it", ["(", "<"], "", "|"],
  ["an apostrophe is no quote", ["i", "t", "'"], "", "it'|"],
  ["nothing is closed before a word", ["("], "word", "(|word"],
  ["another letter than what was brought stands before it", ["(", "a", "b"], "", "(ab|)"],
])("%s", (_, keys, text, want) => {
  expect(shown(typing(keys, text))).toBe(want);
});

test("source code typed so is the same source code at the end, and before the cursor at every key", () => {
  const text = `function one(a, b) {\n  if (a["x"]) {\n    call({ b, c: [1, 2] });\n  }\n  return (a + b);\n}\n`;
  for (let seed = 1; seed <= 5; seed++) {
    const trace = generateTrace({
      path: "d",
      language: "typescript",
      text,
      seed,
      keys: 400,
      start: 0,
      typing: { typoProbability: 0.03 },
    });
    const closing = withClosing(trace);
    let gained = 0;
    for (let events = 1; events <= trace.events.length; events++) {
      const cursor = trace.events[events - 1]?.cursor ?? 0;
      const [plain, brought] = [replay(trace, events).get("d") ?? "", replay(closing, events).get("d") ?? ""];
      expect(brought.slice(0, cursor)).toBe(plain.slice(0, cursor));
      expect(brought.endsWith(plain.slice(cursor))).toBe(true);
      if (brought.length > plain.length) gained += 1;
    }
    expect(gained).toBeGreaterThan(50);
    expect(replay(closing)).toEqual(replay(trace));
  }
});
