import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { Lines } from "../lsp/lines.ts";
import { RecentEdits } from "./edits.ts";

const text = Array.from({ length: 60 }, (_, i) => `line ${i}`).join("\n");

function editor() {
  const clock = new FakeClock();
  const edits = new RecentEdits(clock);
  const files = new Map<string, Lines>();
  const change = (path: string, line: number, length: number, inserted: string) => {
    const lines = files.get(path) ?? new Lines(text);
    files.set(path, lines);
    const start = lines.offsetOf({ line, character: 0 }) as number;
    const removed = lines.text.slice(start, start + length);
    lines.change(start, start + length, inserted);
    edits.edited(path, lines, start, removed, inserted);
  };
  return { clock, edits, change };
}

test("keys typed in one place are one edit, told with the lines around it; of the file itself nothing is told", () => {
  const { edits, change } = editor();
  for (const key of ["c", "b", "a"]) change("a.ts", 10, 0, key);
  change("a.ts", 14, 0, "new\n");
  const [only, ...more] = edits.elsewhere("b.ts");
  expect(more).toEqual([]);
  expect(only).toMatchObject({ path: "a.ts", line: 10, ageMs: 0, before: "line 10\n" });
  expect(only?.after).toBe("line 8\nline 9\nabcline 10\nline 11\nline 12\nline 13\nnew\nline 14\nline 15\nline 16\n");
  expect(edits.elsewhere("a.ts")).toEqual([]);
});

test("places apart are edits of their own, move with lines put above them, and the latest is first", async () => {
  const { clock, edits, change } = editor();
  change("a.ts", 40, 0, "x");
  change("a.ts", 5, 0, "one\ntwo\n");
  await clock.advance(1_000);
  change("a.ts", 42, 0, "y");
  expect(edits.elsewhere("b.ts").map(({ line, ageMs }) => [line, ageMs])).toEqual([
    [42, 0],
    [5, 1_000],
  ]);
});

test("what was left for a while begins anew; the old and the too many are forgotten; a taken away text says nothing", async () => {
  const { clock, edits, change } = editor();
  change("a.ts", 10, 0, "x");
  await clock.advance(61_000);
  change("a.ts", 10, 0, "y");
  expect(edits.elsewhere("b.ts")).toHaveLength(2);
  for (let i = 0; i < 9; i++) change(`f${i}.ts`, 1, 0, "z");
  expect(edits.elsewhere("b.ts").map(({ path }) => path)).toEqual(["f8.ts", "f7.ts", "f6.ts", "f5.ts", "f4.ts", "f3.ts"]);
  change("gone.ts", 0, text.length, "");
  expect(edits.elsewhere("b.ts").map(({ path }) => path)).not.toContain("gone.ts");
  await clock.advance(31 * 60_000);
  expect(edits.elsewhere("b.ts")).toEqual([]);
});

test("a long place is cut", () => {
  const { edits, change } = editor();
  change("a.ts", 0, 0, "x".repeat(9_000));
  expect(edits.elsewhere("b.ts")[0]?.after).toHaveLength(2_000);
});
