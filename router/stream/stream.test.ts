import { expect, test } from "vitest";
import { SlipstreamError } from "../../lib/errors.ts";
import { triggerAt } from "../../test/support/router.ts";
import { type Delta, type Finish, type Generated, noUsage, Retired, type Shaped, type Trigger } from "../completion.ts";
import { Stream } from "./stream.ts";

const stream = new Stream({ linesMax: 12, leastConfidence: {} });
const prompt = { promptTokens: 100, cachedTokens: 90, recomputedTokens: 10 };

/** A worker that says these pieces and then ends, by itself or by what it throws. */
function worker(pieces: readonly string[], end: Finish | Error) {
  const seen = { returned: false, read: 0 };
  const deltas = (async function* (): AsyncGenerator<Delta, Generated> {
    try {
      for (const [i, text] of pieces.entries()) {
        seen.read += 1;
        yield { text, tokens: 2, ...(i === 0 ? { prompt } : {}) };
      }
      if (end instanceof Error) throw end;
      return { finish: end, usage: { ...noUsage, ...prompt, completionTokens: 7, drafted: 4, draftAccepted: 3 }, worker: "w" };
    } finally {
      seen.returned = true;
    }
  })();
  return { deltas, seen };
}

async function read(trigger: Trigger, pieces: readonly string[], end: Finish | Error = "stop") {
  const { deltas, seen } = worker(pieces, end);
  const shaping = stream.shape(trigger, "a-model", deltas);
  const shown: string[] = [];
  for (;;) {
    let step: IteratorResult<Delta, Shaped>;
    try {
      step = await shaping.next();
    } catch (thrown) {
      return { shown, thrown, seen };
    }
    if (step.done) return { shown, shaped: step.value, seen };
    shown.push(step.value.text);
  }
}

test("lines come out as they become sure, and the whole is what came out", async () => {
  const { shown, shaped, seen } = await read(triggerAt("f(() => {|\n"), ["\n  a(", ");\n  b", "();\n})", ";\nc"]);
  expect(shown).toEqual(["\n  a();", "\n  b();", "\n});"]);
  expect(shaped).toMatchObject({ text: "\n  a();\n  b();\n});", finish: "cut" });
  expect(shaped?.usage).toEqual({ ...noUsage, ...prompt, completionTokens: 8 });
  expect(seen.returned).toBe(true);
});

test("nothing is read past the cut", async () => {
  const { shown, seen } = await read(triggerAt("a = |\n"), ["1;", "\n", "b = 2;", "\n"]);
  expect(shown).toEqual(["1;"]);
  expect(seen).toEqual({ returned: true, read: 2 });
});

test("a model that ends by itself gives its rest and its own account", async () => {
  const { shown, shaped } = await read(triggerAt("a = |\n"), ["1", ";"]);
  expect(shown).toEqual(["1;"]);
  expect(shaped).toMatchObject({ text: "1;", finish: "stop", usage: { completionTokens: 7, drafted: 4, draftAccepted: 3 } });
});

test.each<[finish: Finish, shown: string[]]>([
  ["stop", ["\n  a();", "\n  b("]],
  ["cut", ["\n  a();", "\n  b("]],
  ["length", ["\n  a();"]],
  ["deadline", ["\n  a();"]],
])("a line under way when the model ends by %s", async (finish, expected) => {
  const { shown, shaped } = await read(triggerAt("f(() => {|\n"), ["\n  a();\n  b("], finish);
  expect(shown).toEqual(expected);
  expect(shaped).toMatchObject({ finish, text: expected.join("") });
});

test.each<[name: string, code: string, pieces: string[], duplicate: true | undefined]>([
  ["the next line once more", "|\nfoo(a);\n", ["foo(a);", "\n"], true],
  ["what stands right of the cursor", "x = |foo();", ["foo();\n"], true],
  ["a model that says nothing", "a = |\n", [], undefined],
  ["a line that goes round in circles", "a = |\n", ["b.c(".repeat(40)], undefined],
])("nothing is shown of %s, and said why", async (_, code, pieces, duplicate) => {
  const { shown, shaped } = await read(triggerAt(code), pieces);
  expect(shown).toEqual([]);
  expect(shaped?.duplicate).toBe(duplicate);
});

test("white space alone shows nothing", async () => {
  const { shown, shaped } = await read(triggerAt("a |\n"), ["  ", "\n", "\n"]);
  expect(shown).toEqual([]);
  expect(shaped?.text).toBe("");
});

test("at the deadline complete lines that are out stand", async () => {
  const { shown, shaped } = await read(triggerAt("f(() => {|\n"), ["\n  a();\n  b("], new Retired("expired"));
  expect(shown).toEqual(["\n  a();"]);
  expect(shaped).toEqual({
    text: "\n  a();",
    finish: "deadline",
    usage: { ...noUsage, ...prompt, completionTokens: 2 },
  });
});

test.each<[name: string, code: string, pieces: string[], shown: string[]]>([
  ["a statement that lacks its line's end", "const a = |\n", ["foo(", "b);"], ["foo(b);"]],
  ["a call that is closed", "x = |\n", ["foo(b)"], ["foo(b)"]],
  ["one after whole lines", "f(() => {|\n", ["\n  a();\n  b();"], ["\n  a();", "\n  b();"]],
  ["no bracket that is open", "f(() => {|\n", ["\n  a();\n  b(c()"], ["\n  a();"]],
  ["what closes a bracket before the cursor", "foo(a, |\n", ["b);"], ["b);"]],
])("at the deadline comes %s", async (_, code, pieces, expected) => {
  const { shown, shaped } = await read(triggerAt(code), pieces, new Retired("expired"));
  expect(shown).toEqual(expected);
  expect(shaped).toMatchObject({ finish: "deadline", text: expected.join("") });
});

test.each<[name: string, pieces: string[], end: Error]>([
  ["the deadline before any complete line", ["a.b"], new Retired("expired")],
  ["a newer trigger, whatever is out", ["\n  a();\n  b"], new Retired("superseded")],
  ["a worker that is lost", ["\n  a();\n  b"], new SlipstreamError("worker_lost", "gone")],
])("%s is thrown on", async (_, pieces, end) => {
  const { thrown, seen } = await read(triggerAt("f(() => {|\n"), pieces, end);
  expect(thrown).toBe(end);
  expect(seen.returned).toBe(true);
});

test("a reader that leaves early closes the worker's stream", async () => {
  const { deltas, seen } = worker(["\n  a();\n", "  b();\n"], "stop");
  const shaping = stream.shape(triggerAt("f(() => {|\n"), "a-model", deltas);
  await shaping.next();
  await shaping.return(undefined as never);
  expect(seen).toEqual({ returned: true, read: 1 });
});

test.each<[name: string, given: Partial<Trigger>]>([
  ["chat", { lane: "chat" }],
  ["batch", { lane: "batch" }],
  ["raw text", { shape: "raw" }],
])("%s passes as it comes", async (_, given) => {
  const pieces = ["a", "\n\n", "b\r\n", "  "];
  const { shown, shaped } = await read(triggerAt("x|)", given), pieces, "length");
  expect(shown).toEqual(pieces);
  expect(shaped).toMatchObject({ text: "a\n\nb\r\n  ", finish: "length" });
  const late = await read(triggerAt("x|", given), pieces, new Retired("expired"));
  expect(late.shaped).toMatchObject({ text: "a\n\nb\r\n  ", finish: "deadline" });
});
