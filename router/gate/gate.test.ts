import { expect, test } from "vitest";
import { triggerAt } from "../../test/support/router.ts";
import type { Kind } from "../completion.ts";
import { Gate } from "./gate.ts";

const gate = new Gate({ waitShareMax: 0.5 });
const judge = (code: string, kind: Kind = "auto", predictedWaitMs = 0, now = 1_000) =>
  gate.judge(triggerAt(code, { kind }), { predictedWaitMs }, now)?.reason;

test.each<[code: string, reason: string | undefined, why: string]>([
  ["foo|", undefined, "at the end of a word one may go on"],
  ["foo|bar", "gated", "inside a word one edits"],
  ["foo|(bar)", undefined, "before a bracket one may go on"],
  ["foo |bar", undefined, "between words one may write another"],
  ["|bar", undefined, "before a word one may write another"],
  ["a_|b", "gated", "an underscore belongs to a word"],
  ["$|a", "gated", "so does a dollar"],
  ["a1|2", "gated", "and a digit"],
  ["grö|ße", "gated", "words of other alphabets are words"],
  ["漢|字", "gated", "so are those without spaces"],
  ["𝒳|𝒴", "gated", "and letters of two units"],
  ["😀|😀", undefined, "an emoji is no word"],
  ["|", "gated", "an empty document says nothing"],
  [" \n|\t\n", "gated", "nor does white space alone"],
  ["|\nfoo", undefined, "text below the cursor does"],
])("%j: %s, for %s", (code, reason) => {
  expect(judge(code)).toBe(reason);
});

test.each<Kind>(["invoked", "preload", "speculative"])("what is %s is asked for on purpose, and never gated", (kind) => {
  expect(judge("foo|bar", kind)).toBeUndefined();
  expect(judge("|", kind, 10_000)).toBeUndefined();
});

test.each<[name: string, predictedWaitMs: number, now: number, reason: string | undefined]>([
  ["no wait", 0, 1_000, undefined],
  ["a wait of half the time", 250, 1_000, undefined],
  ["a wait of more than half the time", 251, 1_000, "brownout"],
  ["a wait of more than half of what is left", 100, 1_350, "brownout"],
  ["no wait, a moment after the deadline: to expire is another ending", 0, 1_600, undefined],
])("%s", (_, predictedWaitMs, now, reason) => {
  expect(judge("a = |", "auto", predictedWaitMs, now)).toBe(reason);
});

test("a brown-out says when to ask again, a gate does not", () => {
  const trigger = triggerAt("a = |");
  expect(gate.judge(trigger, { predictedWaitMs: 300.2 }, 1_000)).toMatchObject({ retryAfterMs: 301 });
  expect(gate.judge(triggerAt("foo|bar"), { predictedWaitMs: 0 }, 1_000)).toMatchObject({ retryAfterMs: 0 });
});
