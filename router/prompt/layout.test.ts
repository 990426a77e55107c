import { expect, test } from "vitest";
import { modelOf, recordedMetrics, triggerAt } from "../../test/support/router.ts";
import type { Prompt, Trigger } from "../completion.ts";
import { allRules, type LayoutRules, PromptRoom } from "./prompt.ts";

const fim = { prefix: "<P>", suffix: "<S>", middle: "<M>", fileSeparator: "", repository: "" };
const prefixFirst = modelOf({ fimFamily: "", fim });
const suffixFirst = modelOf({ fimFamily: "", fim: { ...fim, middle: "" } });
const above = Array.from({ length: 40 }, (_, i) => `const name${i} = value(${i});\n`).join("");
const below = Array.from({ length: 40 }, (_, i) => `call${i}(other, ${i});\n`).join("");

const textOf = (prompt: Prompt) => prompt.segments.map((part) => ("special" in part ? part.special : part.text)).join("");
const suffixOf = (prompt: Prompt) => {
  const at = prompt.segments.findIndex((part) => "special" in part && part.special === "<S>");
  const next = prompt.segments[at + 1];
  return next && "text" in next ? next.text : "";
};

/** A room that renders one code after the other. */
function typing(model = suffixFirst, rules: Partial<LayoutRules> = {}) {
  const room = new PromptRoom({ rules: { ...allRules, ...rules } });
  const at = (code: string, given: Partial<Trigger> = {}) => room.render(triggerAt(code, given), { snippets: [] }, model);
  return { room, at };
}

test("brackets that the editor closes leave the suffix as it was, until something else changes", () => {
  const { at } = typing();
  const first = suffixOf(at(`${above}|\n${below}`));
  for (const typed of ["foo(|)", 'foo("|")', 'foo("a|")', 'foo("a"|)', 'foo("a")|', "if (x) {\n  |\n}"])
    expect(suffixOf(at(`${above}${typed}\n${below}`)), typed).toBe(first);
  expect(suffixOf(at(`${above}foo("a"); |more\n${below}`))).toBe(`more\n${below}`.slice(0, first.length + 4));
});

test("a suffix that is no longer true is not kept: the line went to the other side of the cursor", () => {
  const { at } = typing();
  at(`${above}|\n${below}`);
  const after = suffixOf(at(`${above}\ncall0(other, 0);\n|${below.slice(17)}`));
  expect(after.startsWith("call1(other, 1);")).toBe(true);
});

test("an edit far below stands in for two minutes, no longer, and not beyond the next place where all is computed anew", () => {
  const changed = `${below.slice(0, 400)}/* x */${below.slice(400)}`;
  for (const [receivedMs, kept] of [
    [100_000, true],
    [250_000, false],
  ] as const) {
    const { at } = typing();
    const first = suffixOf(at(`${above}|\n${below}`, { receivedMs: 1_000 }));
    expect(suffixOf(at(`${above}a|\n${changed}`, { receivedMs: 2_000 }))).toBe(first);
    expect(suffixOf(at(`${above}ab|\n${changed}`, { receivedMs })) === first).toBe(kept);
  }
  const { at } = typing(prefixFirst);
  const first = suffixOf(at(`${above}|\n${below}`));
  expect(suffixOf(at(`${above}a|\n${changed}`))).toBe(first);
  expect(suffixOf(at(`${above}${"let a = 1;\n".repeat(90)}|\n${changed}`))).not.toBe(first);
});

test("each document, model and session has its own", () => {
  const { room, at } = typing();
  const first = suffixOf(at(`${above}|\n${below}`));
  expect(suffixOf(at(`${above}f(|)\n${below}`, { document: "default/s1 d2" }))).toBe(
    `)${first}`.slice(0, suffixOf(at(`|)\n${below}`, { document: "x" })).length),
  );
  const other = room.render(triggerAt(`${above}f(|)\n${below}`), { snippets: [] }, { ...suffixFirst, name: "other" });
  expect(suffixOf(other).startsWith(")")).toBe(true);
});

test("what is asked ahead stands on what is remembered and changes nothing of it", () => {
  const { at } = typing();
  const first = suffixOf(at(`${above}|\n${below}`));
  expect(suffixOf(at(`${above}foo(|)\n${below}`, { lane: "speculative", kind: "speculative" }))).toBe(first);
  at(`${above}|wholly other\n`, { lane: "speculative", kind: "speculative" });
  expect(suffixOf(at(`${above}f|\n${below}`))).toBe(first);
});

test("a rate near the edge of an eighth, and triggers with other deadlines, move no window", () => {
  const { room } = typing();
  const starts = new Set<string>();
  const long = above.repeat(20);
  for (const [i, prefillTokensPerSecond] of [4_000, 3_800, 4_200, 3_750, 4_600].entries()) {
    const given = i % 2 === 0 ? {} : ({ deadlineMs: 4_000, kind: i === 1 ? "invoked" : "speculative" } as const);
    const trigger = triggerAt(`${long}|\n`, given);
    const prompt = room.render(trigger, { snippets: [] }, { ...suffixFirst, prefillTokensPerSecond });
    starts.add(textOf(prompt).slice(0, 60));
  }
  expect(starts.size).toBe(1);
  const slow = room.render(triggerAt(`${long}|\n`), { snippets: [] }, { ...suffixFirst, prefillTokensPerSecond: 1_000 });
  expect(starts.has(textOf(slow).slice(0, 60))).toBe(false);
});

test.each<[name: string, rules: Partial<LayoutRules>, typed: string, whole: string]>([
  ["from the last cut on", {}, "const name39 = value(39);\nlet a", ""],
  ["the current line", { typed: "line" }, "let a", ""],
  ["nothing", { typed: "none" }, "", "let a"],
])("where the prefix comes first, behind the middle token stands %s", (_, rules, typed, whole) => {
  const text = textOf(typing(prefixFirst, rules).at(`${above}let a|\n${below}`));
  const [before, tail] = text.split("<M>") as [string, string];
  expect(tail.endsWith(typed)).toBe(true);
  if (rules.typed) expect(tail).toBe(typed);
  expect(before.split("<S>")[0]?.endsWith(whole)).toBe(true);
});

test("a sliding window moves with each key, an anchored one does not", () => {
  const starts = (rules: Partial<LayoutRules>) => {
    const { at } = typing(suffixFirst, rules);
    const keys = ["", "a", "ab", "abc", "abcd"];
    return new Set(keys.map((typed) => textOf(at(`${above.repeat(20)}${typed}|`)).slice(0, 80))).size;
  };
  expect([starts({}), starts({ window: "sliding" })]).toEqual([1, 5]);
});

test("what a prompt costs is expected from what its worker was sent, and measured against it", () => {
  const metrics = recordedMetrics();
  const room = new PromptRoom({}, metrics);
  const at = (code: string) => triggerAt(code);
  const send = (code: string, worker: string, recomputed: number | "all") => {
    const prompt = room.render(at(code), { snippets: [] }, suffixFirst);
    const promptTokens = Math.ceil(prompt.bytes / suffixFirst.bytesPerToken);
    const recomputedTokens = recomputed === "all" ? promptTokens : recomputed;
    const cost = room.send(at(code), prompt, worker);
    cost({ promptTokens: 0, recomputedTokens: 0 }, worker);
    cost({ promptTokens, recomputedTokens: 9_999 }, "the one that was asked besides");
    cost({ promptTokens, recomputedTokens }, worker);
    cost({ promptTokens, recomputedTokens: 9_999 }, worker);
  };
  send(`${above}|\n`, "w1", "all");
  send(`${above}a|\n`, "w1", 3);
  send(`${above}ab|\n`, "w2", "all");
  send(`${above}abc|\n`, "w1", "all");
  expect(metrics.count("prompt_expectations_total", { fit: "within_a_block" })).toBe(3);
  expect(metrics.count("prompt_expectations_total", { fit: "more" })).toBe(1);
});
