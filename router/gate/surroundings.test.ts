import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { triggerAt } from "../../test/support/router.ts";
import type { EvidenceName } from "./evidence.ts";
import { insideOf, surroundings } from "./surroundings.ts";

const found = (code: string, language = "typescript") => Object.keys(surroundings(triggerAt(code, { language }))).sort();

test.each<[code: string, names: EvidenceName[], why: string]>([
  ["foo|", [], "the end of a word says nothing"],
  ["foo|bar", ["inside_word"], "a word on both sides"],
  ["a_|b", ["inside_word"], "an underscore belongs to a word"],
  ["$|a", ["inside_word"], "so does a dollar"],
  ["a1|2", ["inside_word"], "and a digit"],
  ["grö|ße", ["inside_word"], "words of other alphabets are words"],
  ["漢|字", ["inside_word"], "so are those without spaces"],
  ["𝒳|𝒴", ["inside_word"], "and letters of two units"],
  ["e\u0301|e", ["inside_word"], "an accent of its own belongs to its letter"],
  ["😀|😀", ["words_right"], "an emoji is no word"],
  ["foo |bar", ["words_right"], "another word"],
  ["foo|(bar)", ["words_right"], "a call that is there already"],
  ["foo(|)", ["block_opened", "closers_right"], "an argument"],
  ["foo(a, |);", ["closers_right"], "another argument"],
  ['say("|")', ["closers_right", "in_string"], "a string being filled in"],
  ["a = |", [], "a value"],
  ["a = b;|", ["statement_ended"], "a statement is over"],
  ["a = b; |", ["statement_ended"], "white space is no new one"],
  ["a = b;|}", ["closers_right"], "unless something stands right of it"],
  ["}|", ["statement_ended"], "so is a block"],
  ["f() {|", ["block_opened"], "a block"],
  ["f() {\n  |", ["block_opened", "line_empty"], "a block's first line"],
  ["f() {\n  a();\n  |\n}", ["line_empty"], "another line of it"],
  ["const f = () =>|", ["block_opened"], "an arrow"],
  ["// say |", ["in_comment"], "a comment"],
  ["f(); // say {|", ["in_comment"], "what a comment opens is no block"],
  [" * @param |", ["in_comment"], "a line of a block comment"],
  ["a * |", [], "a product is none"],
  ["/* done */ a = |", [], "nor is code after one"],
  ['a = "b |', ["in_string"], "an open string"],
  ['a = "b" + |', [], "a closed one"],
  ['a = "b\\" |', ["in_string"], "an escaped quote closes nothing"],
  ['a = "http://x" + |', [], "slashes in a string are no comment"],
  ["a = `b ${c|", [], "what a template computes is code"],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the code looked at
  ["a = `b ${c} |", ["in_string"], "and a string again after it"],
  ["|", ["empty_document", "line_empty"], "an empty document"],
  [" \n|\t\n", ["empty_document", "line_empty"], "white space alone"],
  ["|\nfoo", ["line_empty"], "text below the cursor is text"],
  [`${"a ".repeat(51)}|`, ["line_long"], "a long line"],
])("%j: %j, %s", (code, names) => {
  expect(found(code)).toEqual(names);
});

test.each<[language: string, code: string, names: EvidenceName[]]>([
  ["python", "def f():|", ["block_opened"]],
  ["python", "def f():\n    return 1\n|", ["line_empty"]],
  ["python", "x = 1  # because |", ["in_comment"]],
  ["python", "x = a // |", []],
  ["python", "    pass|", ["statement_ended"]],
  ["python", "x = f'{a} |", ["in_string"]],
  ["python", "* |", []],
  ["ruby", "list.each do|", ["block_opened"]],
  ["ruby", "end|", ["statement_ended"]],
  ["lua", "x = 1 -- because |", ["in_comment"]],
  ["sql", "select 'a' -- |", ["in_comment"]],
  ["rust", "fn f<'a>(x: &'a |", []],
  ["typescript", "it's |", ["in_string"]],
  ["go", "if err != nil {|", ["block_opened"]],
  ["go", "x := `raw |", ["in_string"]],
  ["markdown", "Don't say http://|", ["prose"]],
  ["unheard-of", "x = |", []],
])("%s: %j: %j", (language, code, names) => {
  expect(found(code, language)).toEqual(names);
});

test("any text around a cursor is looked at without complaint, and only near the cursor", () => {
  const random = seeded(11);
  const pieces = ["a", " ", "\n", "\r\n", '"', "'", "`", "${", "}", "{", "//", "#", "*", "\\", "𝒳", "😀", "\u0301", "(", ")"];
  const some = (count: number) => Array.from({ length: count }, () => pieces[below(random, pieces.length)]).join("");
  for (let i = 0; i < 300; i++) {
    const [before, after] = [some(below(random, 60)), some(below(random, 60))];
    const near = surroundings(triggerAt(`${before}|${after}`));
    const read: number[] = [];
    const text = {
      ...triggerAt("|").text,
      before: (utf16: number) => {
        read.push(utf16);
        return before.slice(-utf16);
      },
      after: (utf16: number) => {
        read.push(utf16);
        return after.slice(0, utf16);
      },
    };
    expect(surroundings({ text, language: "typescript" })).toEqual(near);
    expect(Math.max(...read)).toBeLessThanOrEqual(512);
  }
});

test("a line as long as a file is looked through once", () => {
  expect(insideOf('"'.repeat(20_001), "typescript")).toBe("string");
  expect(insideOf("`${".repeat(20_000), "typescript")).toBeUndefined();
});
