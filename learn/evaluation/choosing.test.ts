import { afterAll, beforeAll, expect, test } from "vitest";
import { candidates } from "./choosing.ts";
import { Parsers } from "./parser.ts";
import type { Language, SpanKind } from "./span.ts";

let parsers: Parsers;
beforeAll(async () => {
  parsers = await Parsers.open();
});
afterAll(() => parsers.close());

const spans = (language: Language, text: string, kind: SpanKind) =>
  parsers.read(language, text, (root) =>
    candidates(root, text, language)
      .filter((candidate) => candidate.kind === kind)
      .map(({ offset, length }) => text.slice(offset, offset + length)),
  );

const typescript = `import { a } from "./a.ts";
// A comment about value.
export function sum(values: number[]): number {
  let total = 0;
  for (const value of values) {
    total += weight(value) * 2; // twice
  }
  return total;
}
`;

test("whole lines are statements from the indent to the line's end", () => {
  expect(spans("typescript", typescript, "line")).toEqual(["let total = 0;", "return total;"]);
});

test("expressions have something behind them in their line", () => {
  expect(spans("typescript", typescript, "expression")).toEqual(["weight(value)"]);
});

test("the rest of a line begins at a token and holds no comment", () => {
  const rests = spans("typescript", typescript, "rest");
  expect(rests).toContain("= 0;");
  expect(rests).toContain("value of values) {");
  expect(rests.join("\n")).not.toMatch(/import|twice|comment/);
});

test("blocks are whole statements of some lines, and their bodies alone", () => {
  expect(spans("typescript", `function f() {\n  if (a) {\n    return b;\n  }\n}\n`, "block")).toEqual([
    "function f() {\n  if (a) {\n    return b;\n  }\n}",
    "\n  if (a) {\n    return b;\n  }\n}",
    "if (a) {\n    return b;\n  }",
    "\n    return b;\n  }",
  ]);
});

test.each<[Language, string, string]>([
  ["python", "def f(a):\n    # why\n    if a:\n        return a.name\n    return None\n", "if a:\n        return a.name"],
  [
    "go",
    "package p\n\nfunc F(a int) error {\n\tif a > 0 {\n\t\treturn nil\n\t}\n\treturn fail()\n}\n",
    "if a > 0 {\n\t\treturn nil\n\t}",
  ],
  ["javascript", "function f() {\n  return g({\n    a: 1,\n  });\n}\n", "return g({\n    a: 1,\n  });"],
])("a block of %s", (language, text, block) => {
  expect(spans(language, text, "block")).toContain(block);
});

test("offsets are UTF-16 units, also behind characters of two", () => {
  expect(spans("javascript", `const face = "😀é";\nshow(face);\n`, "line")).toEqual(['const face = "😀é";', "show(face);"]);
});
