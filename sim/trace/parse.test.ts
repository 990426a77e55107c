import { expect, test } from "vitest";
import { generateTrace } from "./generate.ts";
import { parseTrace } from "./parse.ts";
import type { TraceEvent } from "./trace.ts";
import { formatTrace } from "./written.ts";

const header = { slipstream_trace: 2, source: "hand", documents: 1 };
const document = { doc: "a", path: "a.ts", language: "typescript", text: "let x" };
const moved = [5, "c", 5];
const key = [10, "k", ";"];
const file = (...lines: unknown[]) => lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
const events = (...lines: unknown[]) => file(header, document, ...lines);

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

test("every kind of event is written and read back, short where it says nothing new", () => {
  const documents = [
    { id: "a", path: "a.ts", language: "typescript", package: "p", text: "let x" },
    { id: "b", path: "b.ts", language: "", text: "" },
  ];
  const event = { tMs: 1_000.125, document: "a", cursor: 5 } as const;
  const all: TraceEvent[] = [
    { ...event, trigger: "preload" },
    { ...event, edit: { startUtf16: 5, endUtf16: 5, text: ";" }, origin: "typed", cursor: 6, trigger: "auto" },
    { ...event, edit: { startUtf16: 5, endUtf16: 6, text: "" }, origin: "typed", trigger: "auto" },
    { ...event, edit: { startUtf16: 5, endUtf16: 5, text: "()" }, origin: "typed", cursor: 6, trigger: "auto" },
    { ...event, document: "b", edit: { startUtf16: 0, endUtf16: 0, text: "q" }, origin: "paste", cursor: 1 },
    { ...event, document: "a", cursor: 0, mark: "reject" },
    { ...event, edit: { startUtf16: 0, endUtf16: 3, text: "var" }, origin: "typed", cursor: 0, trigger: "invoked", mark: "accept" },
  ];
  const trace = { source: "hand", documents, events: all };
  expect(parseTrace(formatTrace(trace))).toEqual(trace);
  expect(formatTrace(trace).split("\n").slice(3, 6)).toEqual(['[1000.125,"c",5,{"t":"preload"}]', '[0,"k",";"]', '[0,"x",1]']);
});

test("line ends of other systems, a byte order mark and a missing last newline are read", () => {
  expect(parseTrace(`\ufeff${events(moved, key).replaceAll("\n", "\r\n")}`).events).toHaveLength(2);
});

test("each mistake is named by line and field", () => {
  const edited = [1, "e", 5, 5, ";", "typed"];
  const changed = (at: number, value: unknown) => edited.map((cell, i) => (i === at ? value : cell));
  const besides = (value: unknown) => [...edited, value];
  const cases: [string, string][] = [
    ["", "line 1: the file is empty"],
    ["nonsense", "line 1: not JSON"],
    [file({ ...header, slipstream_trace: 1 }), "line 1: slipstream_trace"],
    [file({ ...header, documents: 0 }), "line 1: documents"],
    [file({ ...header, documents: 2 }, document), "line 3: the file ends; the header promises 2 documents, 1 came"],
    [file({ ...header, documents: 2 }, document, document), 'line 3: doc: "a" is named twice'],
    [file(header, { ...document, text: undefined }), "line 2: text"],
    [file(header, { ...document, text: "\ud800" }), "line 2: text: has half a surrogate pair"],
    [file(header, document, "{"), "line 3: not JSON"],
    [events({}), "line 3: not an event"],
    [events([1]), "line 3: not an event"],
    [events([1, "toString"]), "line 3: not an event"],
    [events("", key), "line 3: not JSON"],
    [events(besides({ d: 1 })), "line 3: d: there is no document 1; they count from 0 to 0"],
    [events([-1, "k", "a"]), "line 3: [0]"],
    [events([1e12, "k", "a"]), "line 3: [0]"],
    [events([6e8, "c", 0], [6e8, "c", 0]), "line 4: [0]: ends later than a week"],
    [events(changed(3, 6)), "line 3: [3]: 6 is past the document's end (5)"],
    [events(changed(3, 4)), "line 3: [2]: 5 is after the edit's end (4)"],
    [events(changed(2, 0.5)), "line 3: [2]"],
    [events(changed(4, "x".repeat(65_537))), "line 3: [4]"],
    [events(changed(5, "magic")), "line 3: [5]"],
    [events(besides({ typo: 1 })), "line 3: [6]"],
    [events(besides({ c: 7 })), "line 3: c: 7 is past the document's end (6)"],
    [events([1, "x", 1]), "line 3: [2]: 1 is more than stands before the cursor (0)"],
    [events([1, "k", ""]), "line 3: [2]"],
    [events([1, "k", "a", 1]), "line 3: "],
    [events([1, "c", 7]), "line 3: [2]: 7 is past the document's end (5)"],
    [events([1, "c", 1, { c: 2 }]), "line 3: c: stands beside a move"],
    [events(" ".repeat(600_000)), "line 3: longer than"],
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
