import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { triggerAt } from "../../test/support/router.ts";
import type { Shape } from "../completion.ts";
import { Cutter } from "./cut.ts";
import { placeOf } from "./place.ts";

interface Case {
  readonly name: string;
  readonly code: string;
  readonly shape?: Shape;
  readonly language?: string;
  readonly model: string;
  readonly shown: string;
  /** The token limit ended the model. */
  readonly length?: true;
  /** How the shown text began may decide that no more is wanted; with false the model's own end does. */
  readonly cut?: boolean;
}

const typescript: readonly Case[] = [
  { name: "the rest of a line", code: "const a = |\nb();\n", model: "1;\nconst c = 2;\n", shown: "1;" },
  { name: "the rest of a line by the model's own end", code: "const a = |\n", model: "1;", shown: "1;", cut: false },
  { name: "an argument before its bracket", code: "foo(|)", model: "a)\n", shown: "a" },
  { name: "an argument before its bracket and semicolon", code: "foo(|);", model: "a, b);\n", shown: "a, b" },
  { name: "a call inside a call keeps its own bracket", code: "foo(|)", model: "bar(a)\n", shown: "bar(a)" },
  { name: "what follows the bracket that is already there", code: "if (|)", model: "a) {\n  b();\n}", shown: "a" },
  { name: "a string before its quote", code: 'say("|")', model: 'hello");\n', shown: "hello" },
  { name: "a string of two parts before its quote", code: 'say("|");', model: 'a" + "b");\n', shown: 'a" + "b' },
  { name: "an argument before another", code: "foo(|, b)", model: "a, b)\n", shown: "a" },
  { name: "a word whose end begins the text after the cursor", code: "foo(|arg)", model: "data\n", shown: "data" },
  { name: "an operand before the rest of its sum", code: "x = |+ 1;", model: "y + 1;\n", shown: "y " },
  { name: "all of it is there already", code: "x = |foo();", model: "foo();\n", shown: "" },
  { name: "one line, with text right of the cursor", code: "foo(| b)", model: "() => {\n  c();\n}", shown: "() => {" },
  {
    name: "a body with its bracket, and no more",
    code: "function f() {|\n",
    model: "\n  a();\n  b();\n}\n\nfunction g() {\n",
    shown: "\n  a();\n  b();\n}",
  },
  {
    name: "a head and its body",
    code: "  |\n",
    model: "if (a) {\n    b();\n  }\n  c();\n",
    shown: "if (a) {\n    b();\n  }",
  },
  {
    name: "a body with another branch",
    code: "if (a) {|\n",
    model: "\n  b();\n} else {\n  c();\n}\nd();\n",
    shown: "\n  b();\n} else {\n  c();\n}",
  },
  {
    name: "a body whose bracket is there already",
    code: "if (a) {|\n}\n",
    model: "\n  b();\n}\nc();\n",
    shown: "\n  b();",
  },
  {
    name: "a body inside another, whose bracket below is not its own",
    code: "function f() {\n  if (a) {|\n}\n",
    model: "\n    b();\n  }\n}\n",
    shown: "\n    b();\n  }",
  },
  {
    name: "a block between its brackets",
    shape: "block",
    code: "f(() => {|})",
    model: "\n  a();\n})\n",
    shown: "\n  a();\n",
  },
  {
    name: "arguments over several lines",
    code: "foo(|\n",
    model: "\n  a,\n  b,\n);\nbar();\n",
    shown: "\n  a,\n  b,\n);",
  },
  {
    name: "a call whose arguments go on",
    code: "  |\n",
    model: "foo(a,\n    b);\n  c();\n",
    shown: "foo(a,\n    b);",
  },
  { name: "a value on its own line", code: "const a =|\n", model: "\n  b;\nconst c = 1;\n", shown: "\n  b;" },
  { name: "a statement after a comment", code: "// adds two\n|", model: "const add = 1;\nfoo();\n", shown: "const add = 1;" },
  { name: "a function below its comment", code: "// adds|\n", model: "\nf();\ng();\n", shown: "\nf();" },
  { name: "nothing that leaves the block of the cursor", code: "  return a;|\n", model: "\n}\n", shown: "" },
  { name: "nothing where the model dedents at once", code: "if (a) {\n  |\n", model: "\n}\n", shown: "" },
  { name: "nothing that already stands below", code: "  |\n  foo(a);\n", model: "foo(a);\n", shown: "" },
  {
    name: "a body up to the line that already stands below",
    code: "f(() => {|\n});\n",
    model: "\n  a();\n});\nb();\n",
    shown: "\n  a();",
  },
  { name: "two blank lines end a block", code: "function f() {|\n", model: "\n  a();\n\n\n  b();\n", shown: "\n  a();" },
  { name: "one blank line does not", code: "f(() => {|\n", model: "\n  a();\n\n  b();\n});\n", shown: "\n  a();\n\n  b();\n});" },
  { name: "blank lines at the end are nothing", code: "const a = {|\n", model: "\n  b: 1,\n\n", shown: "\n  b: 1,", cut: false },
  { name: "white space alone is nothing", code: "a |\n", model: "  \n\n", shown: "", cut: false },
  { name: "no text at all is nothing", code: "a |\n", model: "", shown: "", cut: false },
  {
    name: "a block of several statements",
    shape: "block",
    code: "  |\n",
    model: "a();\n  b();\n}\n",
    shown: "a();\n  b();",
  },
  { name: "a line alone, whatever it opens", shape: "line", code: "|\n", model: "if (a) {\n  b();\n}\n", shown: "if (a) {" },
  { name: "no line where the model begins a new one", shape: "line", code: "a|\n", model: "\nb();\n", shown: "" },
  {
    name: "a line of no more than the limit",
    code: "f({|\n",
    model: `\n${Array.from({ length: 20 }, (_, i) => `  a${i},\n`).join("")}`,
    shown: `\n${Array.from({ length: 11 }, (_, i) => `  a${i},\n`)
      .join("")
      .trimEnd()}`,
  },
];

const others: readonly Case[] = [
  {
    name: "a Python body, which ends where the indent does",
    language: "python",
    code: "def f(a):|\n",
    model: "\n    b = a\n    return b\n\n\ndef g():\n",
    shown: "\n    b = a\n    return b",
  },
  {
    name: "a Python condition with its other branch",
    language: "python",
    code: "    |\n",
    model: "if a:\n        b()\n    else:\n        c()\n    d()\n",
    shown: "if a:\n        b()\n    else:\n        c()",
  },
  {
    name: "a Python try with its exception",
    language: "python",
    code: "try:|\n",
    model: "\n    a()\nexcept E:\n    b()\nc()\n",
    shown: "\n    a()\nexcept E:\n    b()",
  },
  {
    name: "a Python statement whose indent the model writes",
    language: "python",
    code: "def f():\n|",
    model: "    return 1\n\nf()\n",
    shown: "    return 1",
  },
  {
    name: "a Python list over lines",
    language: "python",
    code: "a = [|\n",
    model: "\n    1,\n    2,\n]\nb = 3\n",
    shown: "\n    1,\n    2,\n]",
  },
  {
    name: "a Go error check",
    language: "go",
    code: "\tif err != nil {|\n",
    model: "\n\t\treturn err\n\t}\n\treturn nil\n",
    shown: "\n\t\treturn err\n\t}",
  },
  {
    name: "a Go statement",
    language: "go",
    code: "\ta, err := |\n",
    model: "open(name)\n\tif err != nil {\n",
    shown: "open(name)",
  },
  {
    name: "a Go function that ends at its bracket",
    language: "go",
    code: "func f() int {|\n",
    model: "\n\treturn 1\n}\n\nfunc g() {",
    shown: "\n\treturn 1\n}",
  },
  {
    name: "a Ruby method with its end",
    language: "ruby",
    code: "|\n",
    model: "def add(a, b)\n  a + b\nend\n\ndef sub\n",
    shown: "def add(a, b)\n  a + b\nend",
  },
  {
    name: "a Ruby block with its variable",
    language: "ruby",
    code: "|\n",
    model: "items.each do |item|\n  puts item\nend\nputs 1\n",
    shown: "items.each do |item|\n  puts item\nend",
  },
  {
    name: "a Ruby rescue",
    language: "ruby",
    code: "begin|\n",
    model: "\n  a\nrescue E\n  b\nend\nc\n",
    shown: "\n  a\nrescue E\n  b\nend",
  },
  { name: "a shell condition", language: "shellscript", code: "if a; then|\n", model: "\n  b\nfi\nc\n", shown: "\n  b\nfi" },
  {
    name: "a shell line that goes on",
    language: "shellscript",
    code: "|\n",
    model: "run \\\n  --a\nnext\n",
    shown: "run \\\n  --a",
  },
];

const lineEnds: readonly Case[] = [
  { name: "one line in a document of Windows lines", code: "a();\r\nb = |\r\n", model: "1;\r\nc();\r\n", shown: "1;" },
  { name: "the same from a model that writes Unix lines", code: "a();\r\nb = |\r\n", model: "1;\nc();\n", shown: "1;" },
  {
    name: "a body in Windows lines, from Unix lines",
    code: "a();\r\nif (b) {|\r\n",
    model: "\n  c();\n}\n",
    shown: "\r\n  c();\r\n}",
  },
  {
    name: "a body in Windows lines, from Windows lines",
    code: "if (b) {|\r\n",
    model: "\r\n  c();\r\n}\r\n",
    shown: "\r\n  c();\r\n}",
  },
  { name: "a body in Unix lines, from Windows lines", code: "if (b) {|\n", model: "\r\n  c();\r\n}\r\n", shown: "\n  c();\n}" },
  { name: "a last line that ends in half a Windows line end", code: "b = |\r\n", model: "1;\r", shown: "1;", cut: false },
  { name: "a bracket before a Windows line end", code: "foo(|)\r\n", model: "a)\r\n", shown: "a" },
];

const tokens: readonly Case[] = [
  { name: "one word", shape: "token", code: "con|", model: "st a = 1", shown: "st" },
  { name: "one word with the space before it", shape: "token", code: "const|", model: " value = 1", shown: " value" },
  { name: "one run of signs", shape: "token", code: "a |", model: "=> b", shown: "=>" },
  { name: "a word that the model ended with", shape: "token", code: "a.|", model: "b", shown: "b", cut: false },
  { name: "a word of another alphabet", shape: "token", code: "|", model: "größe = 1", shown: "größe" },
  { name: "a bracket that is there already", shape: "token", code: "f(|)", model: ")\n", shown: "" },
  { name: "a word on the next line", shape: "token", code: "a;\r\nb;|\r\n", model: "\n  c();", shown: "\r\n  c" },
  { name: "white space alone", shape: "token", code: "a|", model: "  ", shown: "", cut: false },
];

const limits: readonly Case[] = [
  {
    name: "a line that the token limit cut off is dropped",
    code: "f(() => {|\n",
    model: "\n  a();\n  b.c",
    shown: "\n  a();",
    length: true,
    cut: false,
  },
  { name: "but not where it is all there is", code: "a = |\n", model: "b + c", shown: "b + c", length: true, cut: false },
  { name: "nor with only blank lines before it", code: "// a|\n", model: "\nb + c", shown: "\nb + c", length: true, cut: false },
];

const shaped: readonly Case[] = [
  {
    name: "spaces from the model in a document of tabs",
    code: "func f() {|\n}\n\nfunc g() {\n\treturn\n}\n",
    language: "go",
    model: "\n    if a {\n        b()\n    }\n}\n",
    shown: "\n\tif a {\n\t\tb()\n\t}",
  },
  {
    name: "two spaces from the model under a tab",
    code: "\tif a {|\n",
    language: "go",
    model: "\n    b()\n  }\n  c()\n",
    shown: "\n\t\tb()\n\t}",
  },
  {
    name: "tabs from the model in a document of spaces",
    code: "def f():\n    a()\n\ndef g():|\n",
    language: "python",
    model: "\n\tb()\n\treturn 1\n\nc()\n",
    shown: "\n    b()\n    return 1",
  },
  {
    name: "the cursor's own indentation, by the model",
    code: "func f() {\n\ta()\n|\n",
    language: "go",
    model: "    b()\n    c()\n",
    shown: "\tb()",
  },
  {
    name: "a decorator and what it is for",
    code: "class A:\n    |\n",
    language: "python",
    model: "@property\n    def b(self):\n        return 1\n\n    c = 2\n",
    shown: "@property\n    def b(self):\n        return 1",
  },
  {
    name: "a variable named end, in a language without that word",
    code: "if a:|\n",
    language: "python",
    model: "\n    b()\nend = 3\n",
    shown: "\n    b()",
  },
  {
    name: "a Python function in one line",
    code: "|\n",
    language: "python",
    model: "def f(a): return a\nx = 1\n",
    shown: "def f(a): return a",
  },
  {
    name: "a class whose bracket is on the next line",
    code: "|\n",
    language: "csharp",
    model: "public class A\n{\n  int b;\n}\nclass C\n",
    shown: "public class A\n{\n  int b;\n}",
  },
  {
    name: "a condition whose bracket is on the next line",
    code: "  |\n",
    language: "cpp",
    model: "if (a)\n  {\n    b();\n  }\n  c();\n",
    shown: "if (a)\n  {\n    b();\n  }",
  },
  {
    name: "a condition with one statement",
    code: "|\n",
    language: "java",
    model: "if (a)\n  b();\nc();\n",
    shown: "if (a)\n  b();",
  },
  {
    name: "a Lua function with its end",
    code: "local function f(a)|\n",
    language: "lua",
    shape: "block",
    model: "\n  return a\nend\n",
    shown: "\n  return a\nend",
  },
  {
    name: "the same line a third time",
    code: "f({|\n",
    model: "\n  a: 1,\n  a: 1,\n  a: 1,\n  a: 1,\n",
    shown: "\n  a: 1,\n  a: 1,",
  },
  {
    name: "two lines in turn a third time",
    code: "def f():|\n",
    language: "python",
    model: `\n${"    a()\n    b()\n".repeat(4)}`,
    shown: "\n    a()\n    b()\n    a()\n    b()",
  },
  { name: "a line that goes round in circles", code: "a = |\n", model: "b.c(".repeat(40), shown: "" },
  {
    name: "the lines before one that does",
    code: "f(() => {|\n",
    model: `\n  a();\n  b = ${"foo + ".repeat(30)}\n  c();\n});\n`,
    shown: "\n  a();",
  },
  { name: "a family of emoji, cut off within", code: 'a = "|', model: "x 👩\u200d", shown: "x 👩", length: true, cut: false },
  { name: "a word with its accents", shape: "token", code: "|", model: "cafe\u0301 au lait", shown: "cafe\u0301" },
  { name: "emoji are not torn by what follows", code: 'say("|💻")', model: "👩\u200d💻\n", shown: "👩\u200d💻" },
];

const cases = [...typescript, ...others, ...lineEnds, ...tokens, ...limits, ...shaped];
const cutterOf = ({ code, shape = "auto", language = "typescript" }: Case) =>
  new Cutter(placeOf(triggerAt(code, { shape, language }), 12));

test.each(cases)("$name", (row) => {
  const cutter = cutterOf(row);
  const fed = cutter.feed(row.model);
  expect(cutter.done).toBe(row.cut ?? true);
  expect(fed + cutter.finish(!row.length)).toBe(row.shown);
  expect(cutter.done).toBe(true);
  expect(cutter.feed("more\n") + cutter.finish(true)).toBe("");
});

test.each(cases)("in pieces: $name", (row) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed);
    const characters = [...row.model];
    const cutter = cutterOf(row);
    let shown = "";
    while (characters.length > 0 && !cutter.done) {
      const piece = cutter.feed(characters.splice(0, 1 + below(random, seed)).join(""));
      // What is out is never taken back, and never ends in lines that show nothing.
      shown += piece;
      expect(row.shown.startsWith(shown), `seed ${seed}`).toBe(true);
    }
    expect(shown + cutter.finish(!row.length), `seed ${seed}`).toBe(row.shown);
  }
});

test("random text in random pieces gives what it gives at once", () => {
  const parts = [
    "\n",
    "\r\n",
    "👩\u200d💻",
    "e\u0301",
    "foo();\n",
    "wrap(".repeat(11),
    "  ",
    "\t",
    "}",
    "{",
    "(",
    ")",
    "a",
    "é",
    "😀",
    "end",
    "if x:",
    ";",
    '"',
    "\n\n",
  ];
  const shapes: readonly Shape[] = ["auto", "block", "line", "token"];
  const places = ["|\n", "if (a) {|}\n", "  foo(|);\r\n  bar\r\n", "def f():|\n\n    x\n", 'say("|")'];
  for (let seed = 1; seed <= 2_000; seed++) {
    const random = seeded(seed);
    const pick = <T>(from: readonly T[]): T => from[below(random, from.length)] as T;
    const row = { name: "", code: pick(places), shape: pick(shapes), model: "", shown: "" };
    const characters = [...Array.from({ length: below(random, 30) }, () => pick(parts)).join("")];
    const whole = random.next() < 0.5;
    const once = cutterOf(row);
    const expected = once.feed(characters.join("")) + once.finish(whole);
    const pieces = cutterOf(row);
    let shown = "";
    while (characters.length > 0) shown += pieces.feed(characters.splice(0, 1 + below(random, 6)).join(""));
    expect(shown + pieces.finish(whole), `seed ${seed}`).toBe(expected);
    if (row.shape === "line") expect(expected).not.toContain("\n");
    expect(expected === "" || expected.trim() !== "", `seed ${seed}: ${JSON.stringify(expected)}`).toBe(true);
  }
});

/** Each character as a person sees it, for any two neighbours to be looked at. */
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

test("no character is torn, whatever comes and wherever it is cut", () => {
  const parts = ["👩\u200d💻", "e\u0301", "😀", "🇩🇪", "a", " ", "(", ")", '"', "\n"];
  const places = ["|\n", "f(|)", 'say("|👩\u200d💻")', "x = |e\u0301 + 1", "|😀\n"];
  for (let seed = 1; seed <= 1_000; seed++) {
    const random = seeded(seed);
    const pick = <T>(from: readonly T[]): T => from[below(random, from.length)] as T;
    const model = Array.from({ length: 1 + below(random, 12) }, () => pick(parts)).join("");
    const shape = pick<Shape>(["auto", "block", "line", "token"]);
    const cutter = cutterOf({ name: "", code: pick(places), shape, model, shown: "" });
    // Cut off by the token limit in the midst of a character.
    const shown = cutter.feed(model) + cutter.finish(random.next() < 0.5);
    expect(shown.isWellFormed(), `seed ${seed}`).toBe(true);
    const whole = new Set([...segmenter.segment(model)].map(({ segment }) => segment));
    for (const { segment } of segmenter.segment(shown)) expect(whole.has(segment), `seed ${seed}: ${segment}`).toBe(true);
  }
});

test("what stands right of the cursor is never written again", () => {
  const words = ["total", "item", "count", "x", "name"];
  for (let seed = 1; seed <= 500; seed++) {
    const random = seeded(seed);
    const pick = (from: readonly string[]) => from[below(random, from.length)] as string;
    const after = `${pick([" + ", ", ", " && ", ".", " "])}${pick(words)}${pick(["", "()", " * 2", "[0]"])}${pick(["", ";", ")", ");"])}`;
    const wanted = pick(words);
    const row = { name: "", code: `y = (|${after}\n`, model: `${wanted}${after}\nnext();\n`, shown: "" };
    const cutter = cutterOf(row);
    expect(cutter.feed(row.model) + cutter.finish(true), `seed ${seed}: ${JSON.stringify(after)}`).toBe(wanted);
  }
});
