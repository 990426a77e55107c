import { expect, test } from "vitest";
import { pageOf, type Report } from "./page.ts";
import { playgroundOf } from "./playing.ts";
import { slicesOf } from "./report.ts";
import type { ResultRow } from "./results.ts";

const row = (span: string, system: string, exact: boolean): ResultRow => ({
  span,
  system,
  language: "typescript",
  kind: "rest",
  package: span,
  score: { exact, similarity: exact ? 1 : 0.25, parses: true, duplicate: false, over: false, stops: true, empty: false },
  inScope: true,
  accepted: exact,
  outcome: "generated",
  finish: "stop",
  firstTextMs: 1,
  totalMs: 2,
  promptTokens: 3,
});
const rows = ["a", "b", "c"].flatMap((span, i) => [row(span, "model", i > 0), row(span, "<old>", false)]);
const names = ["model", "<old>"];
const report: Report = {
  set: "builtin",
  spans: 3,
  missing: 2,
  complete: false,
  weights: { model: "0123", "<old>": "4567" },
  slices: slicesOf(rows, names),
  confidence: [],
};

test("the page draws a dot and an interval of every system in every slice, and brings nothing from elsewhere", () => {
  const page = pageOf(report);
  const slices = ["all", "typescript", "rest"].length;
  const plots = 4;
  expect(page.match(/<circle /g)).toHaveLength(slices * plots * names.length);
  expect(page).toContain("all, model: 66.7 % (20.8 % to 93.9 %)");
  expect(page).toContain("2 left out");
  expect(page).toContain("interrupted");
  expect(page).not.toMatch(/https?:|<script|NaN|undefined/);
});

test("what a system is called is text, not markup", () => {
  expect(pageOf(report)).not.toContain("<old>");
  expect(pageOf(report)).toContain("&lt;old>");
});

test("the playground's page says what each situation came to", () => {
  const { slices: _, ...rest } = report;
  const page = pageOf({ ...rest, set: "playground", playground: playgroundOf(rows, names) });
  expect(page.match(/class="yes">right/g)).toHaveLength(2);
  expect(page).toMatch(/an accepted answer<\/th><th>2 of 3<\/th><th>0 of 3/);
});
