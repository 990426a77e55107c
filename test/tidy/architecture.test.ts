// A stranger's questions of ARCHITECTURE.md: each row of its table names a file, and the comment that file opens with must
// hold the word that answers.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { opening, root } from "./tree.ts";

const questionsMin = 10;

interface Question {
  readonly question: string;
  readonly path: string;
  readonly word: string;
}

/** Rows of the table whose header is `| question | path | word … |`; code marks around cells are dropped. */
function questions(page: string): Question[] {
  const lines = page.split("\n");
  const header = lines.findIndex((line) => /^\|\s*question\s*\|\s*path\s*\|\s*word\b/i.test(line));
  if (header < 0) return [];
  const rows = lines.slice(header + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return rows.slice(0, end < 0 ? rows.length : end).map((line) => {
    const [question = "", path = "", word = ""] = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`|`$/g, ""));
    return { question, path, word };
  });
}

function breaches(page: string, read: (path: string) => string | undefined): string[] {
  return questions(page).flatMap(({ question, path, word }) => {
    const text = read(path);
    if (text === undefined) return [`"${question}": ${path} is not there`];
    return word !== "" && opening(text).toLowerCase().includes(word.toLowerCase())
      ? []
      : [`"${question}": the opening comment of ${path} does not say "${word}"`];
  });
}

const onDisk = (path: string) => (existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : undefined);

test("the page answers a stranger's questions, and the files it names say so", () => {
  const page = onDisk("ARCHITECTURE.md") ?? "";
  expect(questions(page).length).toBeGreaterThanOrEqual(questionsMin);
  expect(breaches(page, onDisk)).toEqual([]);
});

test("a path that is gone and a door that says something else are found", () => {
  const page =
    "| question | path | word the door must contain |\n|---|---|---|\n| Where is a trigger superseded? | `a.ts` | supersede |\n| Where? | b.ts | gone |\n\nend";
  const files: Record<string, string> = { "a.ts": "// a: waits.\ncode" };
  expect(breaches(page, (path) => files[path])).toEqual([
    '"Where is a trigger superseded?": the opening comment of a.ts does not say "supersede"',
    '"Where?": b.ts is not there',
  ]);
});
