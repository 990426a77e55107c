import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { greedy, triggerAt } from "../../test/support/router.ts";
import type { Trigger } from "../completion.ts";
import { Reuse } from "./reuse.ts";

/** Shows `text` at the cursor of `shownAt`; the answer to what is typed next. */
function next(shownAt: string, text: string, typed: string, given: Partial<Trigger> = {}) {
  const reuse = new Reuse({ documentsMax: 10, textsMax: 4, ttlMs: 1_000 }, { clock: new FakeClock() });
  reuse.remember(triggerAt(shownAt), text);
  return reuse.typedAhead(triggerAt(typed, given))?.text;
}

test.each<[name: string, typed: string, rest: string | undefined]>([
  ["typing its beginning gives the rest", "a = foo(|\n", "bar);"],
  ["typing all but its end gives the end", "a = foo(bar)|\n", ";"],
  ["the same place again gives all of it", "a = |\n", "foo(bar);"],
  ["typing all of it leaves nothing to give", "a = foo(bar);|\n", undefined],
  ["typing more than all of it is something else", "a = foo(bar); |\n", undefined],
  ["typing something else is something else", "a = fox|\n", undefined],
  ["deleting before the place is something else", "a =|\n", undefined],
  ["an edit above the place is something else", "b = fo|\n", undefined],
  ["an edit that keeps the length is noticed all the same", "x = fo|\n", undefined],
  ["text after the cursor that came since is something else", "a = fo|)\n", undefined],
  ["text after the cursor that left since is something else", "a = fo|", undefined],
])("%s", (_, typed, rest) => {
  expect(next("a = |\n", "foo(bar);", typed)).toBe(rest);
});

test.each<[name: string, given: Partial<Trigger>]>([
  ["another document", { document: "default/s1 d2" }],
  ["another model", { model: "other" }],
  ["another shape", { shape: "line" }],
  ["other sampling", { sampling: { ...greedy, temperature: 0.5 } }],
  ["another stop", { sampling: { ...greedy, stop: [";"] } }],
  ["another lane", { lane: "speculative" }],
])("text shown for %s is not what is wanted", (_, given) => {
  expect(next("a = |\n", "foo", "a = f|\n", given)).toBeUndefined();
});

test("a long document is recognised by its length and what stands before the cursor", () => {
  const above = "x;\n".repeat(2_000);
  expect(next(`${above}a = |\n`, "foo", `${above}a = f|\n`)).toBe("oo");
  expect(next(`${above}a = |\n`, "foo", `y${above}a = f|\n`)).toBeUndefined();
});

test("the rest that was given is what is typed along next", () => {
  const reuse = new Reuse({ documentsMax: 10, textsMax: 4, ttlMs: 1_000 }, { clock: new FakeClock() });
  reuse.remember(triggerAt("|"), "😀 = 12;");
  for (const [typed, rest] of [
    ["😀|", " = 12;"],
    ["😀 = 1|", "2;"],
    ["😀 = 12|", ";"],
  ] as const) {
    const trigger = triggerAt(typed);
    expect(reuse.typedAhead(trigger)?.text).toBe(rest);
    reuse.remember(trigger, rest);
  }
});

test("the last few texts of a document are held, the newest first, and text that shows nothing is none", () => {
  const reuse = new Reuse({ documentsMax: 10, textsMax: 2, ttlMs: 1_000 }, { clock: new FakeClock() });
  reuse.remember(triggerAt("a|"), "gone");
  reuse.remember(triggerAt("a|"), "bc");
  reuse.remember(triggerAt("a|"), "xy");
  expect(reuse.typedAhead(triggerAt("a|"))?.text).toBe("xy");
  // Back over what was typed and on in another of the texts that stood there.
  expect(reuse.typedAhead(triggerAt("ab|"))?.text).toBe("c");
  expect(reuse.typedAhead(triggerAt("ag|"))).toBeUndefined();
  reuse.remember(triggerAt("ax|"), "");
  expect(reuse.typedAhead(triggerAt("ax|"))?.text).toBe("y");
});

test.each([
  ["a bracket that the editor closed by itself", "call|;", "(a, b)", "call(|);", "a, b"],
  ["a quote that the editor closed by itself", "x = |", '"abc"', 'x = "|"', "abc"],
  ["a closer that the text does not have", "call|;", "(a, b", "call(|);", undefined],
  ["what the person wrote after the cursor", "call|;", "(a, b)", "call(|x);", undefined],
])("%s", (_name, before, text, after, rest) => {
  const reuse = new Reuse({ documentsMax: 10, textsMax: 2, ttlMs: 1_000 }, { clock: new FakeClock() });
  reuse.remember(triggerAt(before), text);
  expect(reuse.typedAhead(triggerAt(after))?.text).toBe(rest);
});

test("text is forgotten when its time is over, and the oldest where documents are too many", async () => {
  const clock = new FakeClock();
  const reuse = new Reuse({ documentsMax: 2, textsMax: 4, ttlMs: 1_000 }, { clock });
  for (const document of ["d1", "d2", "d3"]) reuse.remember(triggerAt("a|", { document }), "bc");
  const held = () => ["d1", "d2", "d3"].filter((document) => reuse.typedAhead(triggerAt("ab|", { document })));
  expect(held()).toEqual(["d2", "d3"]);
  await clock.advance(1_000);
  expect(held()).toEqual(["d2", "d3"]);
  await clock.advance(1);
  expect(held()).toEqual([]);
});
