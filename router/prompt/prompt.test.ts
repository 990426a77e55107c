import { expect, test } from "vitest";
import { greedy, modelOf, triggerAt } from "../../test/support/router.ts";
import type { Prompt, ServedModel, Snippet, Trigger } from "../completion.ts";
import { budgetFor } from "./budget.ts";
import { digested, promptKey } from "./digest.ts";
import { familyOf } from "./families.ts";
import { PromptRoom } from "./prompt.ts";

const generic = modelOf({
  fimFamily: "",
  fim: { prefix: "<P>", suffix: "<S>", middle: "<M>", fileSeparator: "", repository: "" },
});
const suffixFirst = modelOf({ ...generic, fim: { ...generic.fim, middle: "" } });
const snippet = (path: string, text: string, stable = true): Snippet => ({ path, text, score: 1, stable });
const render = (trigger: Trigger, snippets: readonly Snippet[] = [], model: ServedModel = modelOf()): Prompt =>
  new PromptRoom().render(trigger, { snippets }, model);
const textOf = (prompt: Prompt) => prompt.segments.map((part) => ("special" in part ? part.special : part.text)).join("");

test.each<[name: string, given: Partial<ServedModel>, family: string]>([
  ["the built-in family by its name", { fimFamily: "slipstream-builtin" }, "slipstream-builtin"],
  ["a model without a middle token takes the suffix first", suffixFirst, "generic-suffix-first"],
  ["a model with all three tokens takes the prefix first", generic, "generic-prefix-first"],
  ["a family of a newer agent is judged by its tokens", { ...generic, fimFamily: "unheard-of" }, "generic-prefix-first"],
])("%s", (_, given, family) => {
  expect(familyOf(modelOf(given)).name).toBe(family);
});

test("the built-in family puts the suffix first, takes no context and has no middle token", () => {
  const prompt = render(triggerAt("let a = |;\n"), [snippet("b.ts", "never trained with")]);
  expect(prompt.segments).toEqual([
    { special: "<|fim_suffix|>" },
    { text: ";\n" },
    { special: "<|fim_prefix|>" },
    { text: "let a = " },
  ]);
  expect(new PromptRoom().contextBudget(triggerAt("a|"), modelOf()).bytes).toBe(0);
});

test("text is never a special token, whatever it spells", () => {
  const prompt = render(triggerAt("<S>|<M>"), [snippet("<P>.ts", "<P>")], generic);
  expect(prompt.segments.filter((part) => "special" in part)).toHaveLength(3);
});

test("chunks stand in the order given, each under its header, and one that does not fit makes room for the next", () => {
  const [big, a, b] = [snippet("big.ts", "x".repeat(9_000)), snippet("a.ts", "one"), snippet("b.ts", "two\n\n")];
  const text = textOf(render(triggerAt("a|"), [b, big, a], generic));
  expect(text).toBe("<P>// Path: b.ts\ntwo\n// Path: a.ts\none\n<S><M>a");
});

test("where the prefix comes first, what is typed stands after the middle token, and all before it stays", () => {
  const lines = Array.from({ length: 60 }, (_, i) => `const name${i} = ${i};\n`).join("");
  const typed = "foo(bar, baz);\nreturn qux(";
  const heads = new Set<string>();
  for (let at = 0; at <= typed.length; at++) {
    const text = textOf(render(triggerAt(`${lines}${typed.slice(0, at)}|\n}\n`), [], generic));
    const [before, tail] = text.split("<M>") as [string, string];
    heads.add(before);
    expect(before.replace("<P>", "").replace("<S>\n}\n", "") + tail).toBe(lines + typed.slice(0, at));
  }
  expect(heads.size).toBe(1);
});

test.each([
  ["a/b.ts", "a/b.ts"],
  [`${"long folder/".repeat(50)}b.ts`, `${"long folder/".repeat(16)}b.ts`],
  [`${"😀".repeat(200)}.ts`, `${"😀".repeat(98)}.ts`],
])("a path takes little of a prompt", (path, shown) => {
  const qwen = { prefix: "<|fim_prefix|>", suffix: "<|fim_suffix|>", middle: "<|fim_middle|>" };
  const model = modelOf({
    fimFamily: "qwen2.5-coder",
    fim: { ...qwen, fileSeparator: "<|file_sep|>", repository: "<|repo_name|>" },
  });
  const text = textOf(render(triggerAt("a|", { path }), [snippet("b.ts", "b")], model));
  expect(text).toContain(`<|file_sep|>${shown}\n<|fim_prefix|>`);
});

test("an empty side leaves no empty segment", () => {
  expect(render(triggerAt("|")).segments).toEqual([{ special: "<|fim_suffix|>" }, { special: "<|fim_prefix|>" }]);
});

test("a prompt that could not be taken apart is given as it is, with the model's own tokens special", () => {
  const text = "<P>a<S>b<M>c<M>d|";
  expect(render(triggerAt(text, { verbatim: true }), [snippet("b.ts", "b")], generic).segments).toEqual(
    ["<P>", "a", "<S>", "b", "<M>", "c", "<M>", "d"].map((part) => (part.startsWith("<") ? { special: part } : { text: part })),
  );
  expect(new PromptRoom().contextBudget(triggerAt(text, { verbatim: true }), generic).bytes).toBe(0);
});

test("chat is its text alone", () => {
  expect(render(triggerAt("User: hi|", { lane: "chat" })).segments).toEqual([{ text: "User: hi" }]);
});

test("the whole stays within the model's room, headers and all", () => {
  const long = "word ".repeat(4_000);
  const snippets = Array.from({ length: 8 }, (_, i) => snippet(`${"deep/".repeat(200)}${i}.ts`, "x".repeat(900)));
  for (const model of [modelOf(), generic, suffixFirst]) {
    const trigger = triggerAt(`${long}|${long}`);
    const prompt = render(trigger, snippets, model);
    const { contextBytes, prefixBytes, suffixBytes } = budgetFor(trigger, model, familyOf(model));
    expect(contextBytes + prefixBytes + suffixBytes).toBeLessThanOrEqual((2_048 - 64 - 12) * 3 * 0.85);
    expect(prompt.bytes).toBeLessThanOrEqual(contextBytes + prefixBytes + suffixBytes + 60);
    expect(Buffer.byteLength(textOf(prompt))).toBe(prompt.bytes);
  }
});

test.each<[name: string, given: Partial<ServedModel>, trigger: Partial<Trigger>, tokens: number]>([
  ["all the room while nothing was measured", {}, {}, 1_972],
  ["all the room where the model is fast", { prefillTokensPerSecond: 40_000 }, {}, 1_972],
  ["an eighth where it is slow", { prefillTokensPerSecond: 100 }, {}, 246.5],
  ["whole eighths in between", { prefillTokensPerSecond: 4_000 }, {}, 986],
  ["more time is more room", { prefillTokensPerSecond: 4_000 }, { deadlineMs: 2_000 }, 1_972],
  ["what is generated takes its share", {}, { sampling: { ...greedy, maxTokens: 256 } }, 1_780],
  ["a worker's own bound on tokens is taken for the client's", { maxTokensMax: 16 }, {}, 2_020],
  ["a worker's bound on bytes leaves room for what is not text", { promptBytesMax: 2_550 + 850 }, {}, 1_000],
  ["a model of a tiny room still has some", { contextTokens: 8 }, {}, 16],
])("%s", (_, given, trigger, tokens) => {
  const model = modelOf(given);
  // Of a family that was trained on all of its context.
  const { promptTokensMax: _none, ...family } = familyOf(model);
  const { contextBytes, prefixBytes, suffixBytes } = budgetFor(triggerAt("a|", trigger), model, family);
  const bytes = contextBytes + prefixBytes + suffixBytes;
  expect(bytes).toBe(Math.floor(tokens * 3 * 0.85));
});

test.each([1_024, 1_500, 3_000, 5_000])(
  "a bound of the policy of %i bytes holds for the whole prompt, headers and path too",
  (most) => {
    const fim = { prefix: "<|fim_prefix|>", suffix: "<|fim_suffix|>", middle: "<|fim_middle|>" };
    const qwen = { fimFamily: "qwen2.5-coder", fim: { ...fim, fileSeparator: "<|file_sep|>", repository: "<|repo_name|>" } };
    const long = "word ".repeat(4_000);
    const given = { path: `${"long folder/".repeat(50)}b.ts`, promptBytesMax: most };
    for (const model of [modelOf({ contextTokens: 32_768 }), generic, suffixFirst, modelOf({ ...qwen, contextTokens: 32_768 })]) {
      const snippets = Array.from({ length: 8 }, (_, i) => snippet(`${"deep/".repeat(200)}${i}.ts`, "x".repeat(most / 10)));
      const { bytes } = render(triggerAt(`${long}|${long}`, given), snippets, model);
      expect(bytes).toBeLessThanOrEqual(most);
    }
    expect(render(triggerAt(long.slice(0, 90_000).concat("|"), given), [], generic).bytes).toBeGreaterThan(most / 5);
  },
);

test("a bound of the policy that is beyond the model's room changes nothing", () => {
  const at = (given: Partial<Trigger>) => budgetFor(triggerAt("a|", given), modelOf(), familyOf(modelOf()));
  expect(at({ promptBytesMax: 1 << 20 })).toEqual({ ...at({}), bytesMax: 1 << 20 });
});

test("a bound that another version of the policy sets holds from the next key on, for a suffix that was kept too", () => {
  const room = new PromptRoom();
  const long = "word ".repeat(4_000);
  for (const most of [5_000, 1_024, 3_000]) {
    const trigger = triggerAt(`${long}|${long}`, { promptBytesMax: most });
    expect(room.render(trigger, { snippets: [] }, generic).bytes).toBeLessThanOrEqual(most);
  }
});

test("what a key generates up to 64 tokens changes no window", () => {
  const long = Array.from({ length: 900 }, (_, i) => `word${i};\n`).join("");
  const at = (maxTokens: number) =>
    textOf(render(triggerAt(`${long}|${long}`, { sampling: { ...greedy, maxTokens } }), [], modelOf({ contextTokens: 1_024 })));
  expect(new Set([1, 8, 32, 64].map(at)).size).toBe(1);
});

test("a rate that wobbles does not move the budget", () => {
  const at = (prefillTokensPerSecond: number) =>
    budgetFor(triggerAt("a|"), modelOf({ prefillTokensPerSecond }), familyOf(modelOf()));
  expect(at(4_300)).toEqual(at(4_000));
});

test("a model that was trained on short prompts gets no longer ones", () => {
  const { contextBytes, prefixBytes, suffixBytes } = budgetFor(triggerAt("a|"), modelOf(), familyOf(modelOf()));
  expect(contextBytes + prefixBytes + suffixBytes).toBe(Math.floor(512 * 3 * 0.85));
});

const key = (given: Partial<Trigger> = {}, code = "let a|b", model = modelOf()) => render(triggerAt(code, given), [], model).key;

test.each<[name: string, other: () => string]>([
  ["another tenant", () => key({ tenant: "beta" })],
  ["another model", () => key({}, "let a|b", modelOf({ name: "n" }))],
  ["another shape, which is cut otherwise", () => key({ shape: "line" })],
  ["another lane", () => key({ lane: "speculative" })],
  ["another temperature", () => key({ sampling: { ...greedy, temperature: 0.5 } })],
  ["another seed", () => key({ sampling: { ...greedy, seed: 0 } })],
  ["more tokens", () => key({ sampling: { ...greedy, maxTokens: 65 } })],
  ["another stop", () => key({ sampling: { ...greedy, stop: ["a"] } })],
  ["another prefix", () => key({}, "let b|b")],
  ["another suffix", () => key({}, "let a|c")],
  ["the same text with the cursor elsewhere", () => key({}, "let |ab")],
])("the key differs for %s", (_, other) => {
  expect(other()).not.toBe(key());
});

test("the key is the same for another session, document, deadline and use of speculation", () => {
  expect(key({ session: "s9", document: "d9", id: "t9", deadlineMs: 1_600, sampling: { ...greedy, speculation: "off" } })).toBe(
    key(),
  );
});

test("stops and segments that join to the same text make different keys", () => {
  const stops = (stop: string[]) => key({ sampling: { ...greedy, stop } });
  expect(stops(["a\u0000b"])).not.toBe(stops(["a", "b"]));
  expect(promptKey(["a"], [{ special: "xt1:y" }])).not.toBe(promptKey(["a"], [{ special: "x" }, { text: "y" }]));
  expect(promptKey(["ab", "c"], [])).not.toBe(promptKey(["a", "bc"], []));
});

const digests = (text: string, salt = "acme") => {
  const bytes = digested(Buffer.from(text), salt).digests;
  return Array.from({ length: bytes.length / 8 }, (_, i) => Buffer.from(bytes.subarray(i * 8, i * 8 + 8)).toString("hex"));
};

test("each whole block of 64 bytes has a digest that holds for all before it", () => {
  const text = "x".repeat(64 * 3 + 10);
  expect(digests(text)).toHaveLength(3);
  expect(new Set(digests(text)).size).toBe(3);
  expect(digests(`${text}more`)).toEqual(digests(text));
  expect(digests(`${text}${"y".repeat(64)}`).slice(0, 3)).toEqual(digests(text));
  const changed = digests(`x${"z".repeat(1)}${text.slice(2)}`);
  expect(changed.filter((digest) => digests(text).includes(digest))).toEqual([]);
  const late = digests(`${text.slice(0, 70)}z${text.slice(71)}`);
  expect(late.map((digest, i) => digest === digests(text)[i])).toEqual([true, false, false]);
  expect(digests("漢".repeat(22))).toHaveLength(1);
  expect(digests("")).toEqual([]);
});

test("tenants share no digest", () => {
  const text = "x".repeat(640);
  expect(digests(text, "beta").filter((digest) => digests(text).includes(digest))).toEqual([]);
});

test("typing on changes no block but the last", () => {
  const before = `${"line of code;\n".repeat(30)}`;
  const blocks = (typed: string) => digests(textOf(render(triggerAt(`${before}${typed}|\nfoo();\n`))));
  const kept = blocks("");
  for (const typed of ["a", "ab", "abc = d"]) expect(blocks(typed).slice(0, kept.length)).toEqual(kept);
});
