import { expect, test } from "vitest";
import { generateTrace } from "./generate.ts";
import { parseTrace } from "./parse.ts";
import { formatTrace } from "./trace.ts";

const header = {
  slipstream_trace: 1,
  source: "hand",
  documents: [{ doc: "a", path: "a.ts", language: "typescript", text: "let x" }],
};
const key = { t_ms: 10, doc: "a", edit: { start_utf16: 5, end_utf16: 5, text: ";" }, origin: "typed", cursor: 6, trigger: "auto" };
const file = (...lines: unknown[]) => lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");

test("what is written is read back the same", () => {
  const trace = generateTrace({
    seed: 4,
    keys: 50,
    path: "a.ts",
    language: "typescript",
    text: "const a = 1;\n\tconst b = '🚀';\n".repeat(5),
  });
  expect(parseTrace(formatTrace(trace))).toEqual(trace);
});

test("line ends of other systems, a byte order mark and a missing last newline are read", () => {
  expect(parseTrace(`\ufeff${file(header, key).replace("\n", "\r\n")}`).events).toHaveLength(1);
});

test("each mistake is named by line and field", () => {
  const edit = key.edit;
  const cases: [string, string][] = [
    ["", "line 1: the file is empty"],
    ["nonsense", "line 1: not a JSON object"],
    [file({ ...header, slipstream_trace: 2 }), "line 1: slipstream_trace"],
    [file({ ...header, documents: [] }), "line 1: documents"],
    [file({ ...header, documents: [...header.documents, ...header.documents] }), 'line 1: documents[1].doc: "a" is named twice'],
    [file({ ...header, documents: [{ doc: "a", path: "a.ts", language: "x" }] }), "line 1: documents[0].text"],
    [
      file({ ...header, documents: [{ ...header.documents[0], text: "\ud800" }] }),
      "line 1: documents[0].text: has half a surrogate pair",
    ],
    [file(header, "{"), "line 2: not a JSON object"],
    [file(header, "[]"), "line 2: "],
    [file(header, "", key), "line 2: not a JSON object"],
    [file(header, { ...key, doc: "b" }), 'line 2: doc: "b" is not in the header'],
    [file(header, { ...key, t_ms: -1 }), "line 2: t_ms"],
    [file(header, { ...key, t_ms: 1e12 }), "line 2: t_ms"],
    [file(header, key, { ...key, t_ms: 9 }), "line 3: t_ms: 9 is before the event above it (10)"],
    [file(header, { ...key, edit: { ...edit, end_utf16: 6 } }), "line 2: edit.end_utf16: 6 is past the document's end (5)"],
    [file(header, { ...key, edit: { ...edit, end_utf16: 4 } }), "line 2: edit.start_utf16: 5 is after end_utf16 (4)"],
    [file(header, { ...key, edit: { ...edit, start_utf16: 0.5 } }), "line 2: edit.start_utf16"],
    [file(header, { ...key, edit: { ...edit, text: "x".repeat(65_537) } }), "line 2: edit.text"],
    [file(header, { ...key, origin: "magic" }), "line 2: origin"],
    [file(header, { ...key, origin: undefined }), "line 2: origin: is missing beside an edit"],
    [file(header, { ...key, edit: undefined }), "line 2: origin: stands without an edit"],
    [file(header, { t_ms: 1, doc: "a", cursor: 0 }), "line 2: edit: an event needs an edit, a trigger or a mark"],
    [file(header, { ...key, cursor: 7 }), "line 2: cursor: 7 is past the document's end (6)"],
    [file(header, { ...key, cursor: undefined }), "line 2: cursor"],
    [file(header, { ...key, typo: 1 }), "line 2: "],
    [file(header, " ".repeat(600_000)), "line 2: longer than"],
  ];
  for (const [input, message] of cases) {
    let thrown = "nothing";
    try {
      parseTrace(input);
    } catch (error) {
      thrown = (error as Error).message;
    }
    expect(thrown.slice(0, message.length), input.slice(-120)).toBe(message);
  }
});
