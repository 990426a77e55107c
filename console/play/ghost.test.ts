import { EditorState, type TransactionSpec } from "@codemirror/state";
import { expect, test } from "vitest";
import { arrived, ghost, nextLine, nextWord, type Suggestion, suggest, textOf } from "./ghost.ts";

const standing: Suggestion = { trigger: "t1", completionId: "c1", at: 2, texts: ["cdef", "cxyz"], shown: 0, taken: 0 };
const begin = () => {
  const state = EditorState.create({ doc: "ab\nzz", selection: { anchor: 2 }, extensions: [ghost] });
  return state.update({ effects: suggest.of(standing) }).state;
};
const typed = (text: string, from = 2, to = from): TransactionSpec => ({
  changes: { from, to, insert: text },
  selection: { anchor: from + text.length },
});
const after = (...specs: readonly TransactionSpec[]) =>
  specs.reduce((state, spec) => state.update(spec).state, begin()).field(ghost);

test("what is typed along it shortens it in the same transaction, and counts as taken", () => {
  expect(after(typed("c"))).toEqual({ ...standing, at: 3, texts: ["def", "xyz"], taken: 1 });
  expect(after(typed("c"), typed("de", 3))).toEqual({ ...standing, at: 5, texts: ["f"], taken: 3 });
});

test.each<readonly [string, readonly TransactionSpec[]]>([
  ["typed to its end", [typed("cdef")]],
  ["another key", [typed("q")]],
  ["a key elsewhere", [typed("c", 0)]],
  ["a key that replaces what was selected", [typed("c", 1, 2)]],
  ["a deletion", [{ changes: { from: 1, to: 2 }, selection: { anchor: 1 } }]],
  [
    "two changes at once",
    [
      {
        changes: [
          { from: 2, insert: "c" },
          { from: 4, insert: "c" },
        ],
        selection: { anchor: 3 },
      },
    ],
  ],
  ["the right key with the cursor elsewhere", [{ changes: { from: 2, insert: "c" }, selection: { anchor: 0 } }]],
  ["a cursor that goes away", [{ selection: { anchor: 0 } }]],
  ["a selection", [{ selection: { anchor: 2, head: 1 } }]],
  ["a dismissal", [{ effects: suggest.of(undefined) }]],
])("it is gone after %s", (_, specs) => {
  expect(after(...specs)).toBeUndefined();
});

test("a click where the cursor is leaves it", () => {
  expect(after({ selection: { anchor: 2 } })).toEqual(standing);
});

const coming = (texts: readonly string[], more: Partial<Suggestion> = {}): Suggestion => ({
  ...{ trigger: "t2", completionId: "c2", at: 2, texts, shown: 0, taken: 0 },
  ...more,
});
test.each<readonly [string, Suggestion | undefined, Suggestion, boolean, Suggestion]>([
  ["the first is taken", undefined, coming(["x"]), true, coming(["x"])],
  ["one for another place is taken", standing, coming(["x"], { at: 4 }), true, coming(["x"], { at: 4 })],
  ["a beginning of what stands changes nothing", standing, coming(["cd"], { completionId: "" }), false, standing],
  ["what differs is taken at once", standing, coming(["q"], { completionId: "" }), false, coming(["q"], { completionId: "" })],
  [
    "the same text stays, under its newer name",
    { ...standing, taken: 3 },
    coming(["cdef"]),
    true,
    { ...standing, trigger: "t2", completionId: "c2" },
  ],
  ["a shorter text, once it is whole, is taken", standing, coming(["cd"]), true, coming(["cd"])],
])("of what comes: %s", (_, old, fresh, whole, result) => {
  expect(arrived(old, fresh, whole)).toEqual(result);
});

test("the same text is the same to the drawing: the texts are the very ones that stand", () => {
  const merged = arrived(standing, coming(["cdef"]), true);
  expect(merged.texts).toBe(standing.texts);
  expect(textOf(merged)).toBe("cdef");
});

test.each([
  ["foo.bar()", "foo"],
  [".bar()", "."],
  ["  return x", "  return"],
  ["\n  return x", "\n  return"],
  ["größe + 1", "größe"],
  ["=> a", "=>"],
  ["   ", "   "],
])("the next word of %j is %j", (text, word) => {
  expect(nextWord(text)).toBe(word);
});

test.each([
  ["a = b;\nc", "a = b;"],
  ["\n  c;\n}", "\n  c;"],
  ["last", "last"],
])("the next line of %j is %j", (text, line) => {
  expect(nextLine(text)).toBe(line);
});
