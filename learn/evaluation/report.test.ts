import { expect, test } from "vitest";
import { curveOf, leastConfidence } from "./confidence.ts";
import { playgroundOf } from "./playing.ts";
import { slicesOf } from "./report.ts";
import type { ResultRow } from "./results.ts";
import { confidenceTable, playgroundTable, tableOf } from "./table.ts";

function row(given: Partial<ResultRow> & { exact?: boolean; similarity?: number; parses?: boolean }): ResultRow {
  const { exact = false, similarity = 0, parses = true, ...rest } = given;
  return {
    span: "a",
    system: "model",
    language: "typescript",
    kind: "rest",
    package: "p",
    score: { exact, similarity, parses, duplicate: false, over: false, stops: true, empty: false },
    outcome: "generated",
    finish: "stop",
    firstTextMs: 1,
    totalMs: 10,
    promptTokens: 5,
    ...rest,
  };
}

const rows = ["a", "b", "c", "d"].flatMap((span, i) => [
  row({ span, package: span, exact: i < 3, similarity: 0.8, language: i === 3 ? "go" : "typescript", totalMs: 10 * i }),
  row({ span, package: span, system: "old", exact: i < 1, similarity: 0.5, language: i === 3 ? "go" : "typescript" }),
]);

test("everything, each language, each kind and each pair has its figures", () => {
  const slices = slicesOf(rows, ["model", "old"]);
  expect(slices.map(({ slice }) => slice)).toEqual(["all", "typescript", "go", "rest", "typescript/rest", "go/rest"]);
  const [all] = slices;
  expect(all?.systems["model"]).toMatchObject({ spans: 4, exact: { value: 0.75 }, total_ms: { p50: 20, p95: 30 } });
  expect(all?.systems["old"]?.exact.value).toBe(0.25);
});

test("differences are of the same spans, first system against each other", () => {
  const [all] = slicesOf([...rows, row({ span: "e", exact: true })], ["model", "old"]);
  expect(all?.differences).toHaveLength(1);
  expect(all?.differences[0]).toMatchObject({ against: "old", spans: 4, exact: { value: 0.5 } });
  const similarity = all?.differences[0]?.similarity;
  expect(similarity?.value).toBeCloseTo(0.3);
  expect(similarity?.low, "every span gains the same").toBeCloseTo(0.3);
});

test("the curve of confidence: what a threshold shows, how much of it is right, and what it loses", () => {
  const texts = [0.9, 0.8, 0.4, 0.3, 0.1].map((confidence, i) =>
    row({ span: `s${i}`, confidence, exact: i < 2 || i === 3, similarity: confidence }),
  );
  const at = (min: number) => curveOf(texts, "model").find((point) => point.min === min);
  expect(at(0)).toMatchObject({ shown: 1, precision: { value: 0.6 }, recall: { value: 1 } });
  expect(at(0.5)).toMatchObject({ shown: 0.4, precision: { value: 1 } });
  expect(at(0.5)?.recall.value).toBeCloseTo(2 / 3);
  expect(curveOf(texts, "other")).toEqual([]);
  expect(leastConfidence(curveOf(texts, "model")), "0.3 of three right ones").toBe(0.3);
  expect(leastConfidence(curveOf(texts, "model"), 0.6)).toBe(0.8);
  expect(leastConfidence([])).toBe(0);
});

test("the playground counts what passed", () => {
  const played = playgroundOf(
    [row({ inScope: true, accepted: true }), row({ span: "b", inScope: true, accepted: false, parses: false })],
    ["model"],
  );
  expect(played.systems["model"]).toEqual({ situations: 2, parses: 1, in_scope: 2, accepted: 1 });
  expect(played.situations).toEqual([
    { id: "a", marks: { model: "psA" } },
    { id: "b", marks: { model: "-s-" } },
  ]);
  expect(playgroundTable(played)).toMatch(/an accepted answer +1\/2/);
});

test("tables name every system and give intervals", () => {
  const table = tableOf(slicesOf(rows, ["model", "old"]));
  expect(table).toMatch(/^slice +system +spans/);
  expect(table).toMatch(/all +model +4 +75\.0 \(30\.1–95\.4\)/);
  expect(table).toMatch(/better than old +exact \+50\.0/);
  expect(confidenceTable([])).toBe("");
  expect(confidenceTable(curveOf([row({ confidence: 0.5, exact: true })], "model")).split("\n").length).toBeGreaterThan(20);
});
