import { expect, test } from "vitest";
import { triggerAt } from "../../test/support/router.ts";
import type { Indent } from "../completion.ts";
import { Indentation, indentOfDocument } from "./indentation.ts";

const spaces = (width: number): Indent => ({ tabs: false, width });
const tabs: Indent = { tabs: true, width: 4 };

test.each<[name: string, code: string, given: Indent | undefined, found: Indent | undefined]>([
  ["nothing is indented", "a\nb|\nc", undefined, undefined],
  ["two spaces", "a\n  b\n    c\n  |\nd", undefined, spaces(2)],
  ["four spaces", "a\n    b\n        c|\n", undefined, spaces(4)],
  ["four spaces with an odd line", "a\n    b\n      c\n    d\ne\n    f|\ng\n    h", undefined, spaces(4)],
  ["tabs", "a\n\tb\n\t\tc|", undefined, tabs],
  ["tabs below the cursor", "a|\n\tb", undefined, tabs],
  ["more tabs than spaces", "a\n\tb\n\tc\n  d|", undefined, tabs],
  ["a comment's one space is no indent", "/**\n * a\n */\n|", undefined, undefined],
  ["what the client says counts", "a\n\tb|", spaces(8), spaces(8)],
])("%s", (_, code, given, found) => {
  expect(indentOfDocument(triggerAt(code).text, given)).toEqual(found);
});

test.each<[name: string, style: Indent | undefined, lines: [line: string, columns: number][], shown: string[]]>([
  ["no style, no change", undefined, [["\t a", 4]], ["\t a"]],
  ["spaces stay spaces", spaces(4), [["  a", 4]], ["  a"]],
  [
    "tabs become a document's spaces",
    spaces(2),
    [
      ["\ta", 4],
      ["\t\tb", 8],
    ],
    ["  a", "    b"],
  ],
  ["a tab after spaces goes to its stop", spaces(4), [["  \ta", 4]], ["    a"]],
  [
    "tabs stay tabs, with what aligns",
    tabs,
    [
      ["\ta", 4],
      ["\t  b", 4],
    ],
    ["\ta", "\t  b"],
  ],
  [
    "four spaces become a tab",
    tabs,
    [
      ["    a", 4],
      ["        b", 8],
      ["    c", 4],
    ],
    ["\ta", "\t\tb", "\tc"],
  ],
  [
    "two spaces become a tab where a level is due",
    tabs,
    [
      ["  a", 4],
      ["    b", 8],
    ],
    ["\ta", "\t\tb"],
  ],
  [
    "two levels of two",
    tabs,
    [
      ["    a", 8],
      ["  }", 4],
    ],
    ["\t\ta", "\t}"],
  ],
  [
    "eight spaces too",
    tabs,
    [
      ["        a", 4],
      ["        b", 4],
    ],
    ["\ta", "\tb"],
  ],
  [
    "what is left over aligns",
    tabs,
    [
      ["    a", 4],
      ["     * b", 4],
    ],
    ["\ta", "\t * b"],
  ],
  ["a comment's one space stays", tabs, [[" * a", 0]], [" * a"]],
])("%s", (_, style, lines, shown) => {
  const indentation = new Indentation(() => style);
  expect(lines.map(([line, columns]) => indentation.inStyle(line, columns))).toEqual(shown);
});
