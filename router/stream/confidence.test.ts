import { expect, test } from "vitest";
import { triggerAt } from "../../test/support/router.ts";
import type { Delta, Generated, Trigger } from "../completion.ts";
import { noUsage, Retired } from "../completion.ts";
import { Confidence, leastFor } from "./confidence.ts";
import { Stream } from "./stream.ts";

const least = { "a-model": 0.4, "*": 0.2 };
const auto = { kind: "auto", lane: "inline", shape: "auto" } as const;

test.each([
  ["an AUTO trigger has the model's own threshold", auto, "a-model", 0.4],
  ["a model without one has that of all others", auto, "b-model", 0.2],
  ["who asks by hand sees everything", { ...auto, kind: "invoked" as const }, "a-model", 0],
  ["a preload is not shown, so it is not held back", { ...auto, kind: "preload" as const }, "a-model", 0],
  ["raw text stays as the model wrote it", { ...auto, shape: "raw" as const }, "a-model", 0],
  ["chat is no guess", { ...auto, lane: "chat" as const }, "a-model", 0],
])("%s", (_, trigger, model, threshold) => {
  expect(leastFor(trigger, model, least)).toBe(threshold);
});

test("without a table everything is shown", () => {
  expect(leastFor(auto, "a-model", {})).toBe(0);
});

test("the first eight tokens count, each as much as another", () => {
  const confidence = new Confidence();
  expect(confidence.mean).toBeUndefined();
  confidence.add({ text: "a", tokens: 2, confidence: 0.9 });
  confidence.add({ text: "b", tokens: 6, confidence: 0.1 });
  expect(confidence.known).toBe(true);
  confidence.add({ text: "c", tokens: 4, confidence: 1 });
  confidence.add({ text: "d", tokens: 1 });
  expect(confidence.mean).toBeCloseTo((2 * 0.9 + 6 * 0.1) / 8);
});

const stream = new Stream({ linesMax: 12, leastConfidence: least });
const piece = (text: string, tokens: number, confidence?: number): Delta => ({
  text,
  tokens,
  ...(confidence === undefined ? {} : { confidence }),
});

/** What is shown of these deltas, how it ended, and how many deltas were read. */
async function shaped(deltas: readonly Delta[], trigger: Partial<Trigger> = {}, end?: Error) {
  let read = 0;
  async function* generated(): AsyncGenerator<Delta, Generated> {
    for (const delta of deltas) {
      read += 1;
      yield delta;
    }
    if (end) throw end;
    return { finish: "stop", usage: noUsage, worker: "w" };
  }
  const shaping = stream.shape({ ...triggerAt("const a = |\n"), kind: "auto", ...trigger }, "a-model", generated());
  let text = "";
  for (;;) {
    const step = await shaping.next();
    if (step.done) return { text, ended: step.value, read };
    text += step.value.text;
  }
}

test("a sure text is shown, and its confidence told", async () => {
  const { text, ended } = await shaped([piece("b;", 2, 0.8), piece("\n", 1, 0.6)]);
  expect(text).toBe("b;");
  expect(ended).toMatchObject({ text: "b;", confidence: (2 * 0.8 + 0.6) / 3 });
  expect(ended.withheld).toBeUndefined();
});

test("an unsure text is held back whole, and the generation ends there", async () => {
  const { text, ended, read } = await shaped([piece("b", 4, 0.2), piece(" + c", 4, 0.3), piece(" + d", 4), piece("\n", 1)]);
  expect(text).toBe("");
  expect(ended).toMatchObject({ text: "", withheld: true, confidence: 0.25 });
  expect(read, "not a token after the eighth is waited for").toBe(2);
});

test("a short unsure text is held back at its end", async () => {
  expect((await shaped([piece("b;", 2, 0.3)])).ended).toMatchObject({ text: "", withheld: true, finish: "stop" });
  expect((await shaped([piece("b;\n", 3, 0.3)])).ended).toMatchObject({ text: "", withheld: true });
});

test("who asks by hand sees the same text", async () => {
  const { text, ended } = await shaped([piece("b;", 2, 0.1)], { kind: "invoked" });
  expect(text).toBe("b;");
  expect(ended).toMatchObject({ text: "b;", confidence: 0.1 });
});

test("text of an engine that tells no probabilities is shown", async () => {
  const { text, ended } = await shaped([piece("b;", 2), piece("\n", 1)]);
  expect(text).toBe("b;");
  expect(ended.confidence).toBeUndefined();
});

test("what was shown is not taken back by unsure tokens after it", async () => {
  const code = { ...triggerAt("if (a) {|\n") };
  const { text } = await shaped([piece("\n  b();\n", 4, 0.9), piece("  c();\n", 4, 0.01), piece("}\n", 1)], {
    text: code.text,
  });
  expect(text).toBe("\n  b();\n  c();\n}");
});

test("an unsure text at its deadline is nothing", async () => {
  await expect(shaped([piece("b", 2, 0.1)], {}, new Retired("expired"))).rejects.toThrow("expired");
});
