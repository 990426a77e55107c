import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Parsers } from "./parser.ts";
import { ResultsFile } from "./results.ts";
import { type Asked, runEvaluation, type System } from "./running.ts";

const folder = mkdtempSync(join(tmpdir(), "slipstream-results-"));
const path = join(folder, "deep", "results.ndjson");
const header = { set: "s", systems: { model: "m", empty: "baseline" } };
let parsers: Parsers;
beforeAll(async () => {
  parsers = await Parsers.open();
});
afterAll(() => {
  parsers.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => rmSync(path, { force: true }));

const asked: readonly Asked[] = ["a", "b", "c"].map((id) => ({
  hole: { id, language: "typescript", path: `${id}.ts`, prefix: "const a = ", suffix: "\n", gold: "secret(1);" },
  kind: "rest",
  package: id,
}));

/** A system that notes what it was asked. */
function system(name: string, text: string, log: string[], each?: (id: string) => void): System {
  return {
    name,
    ask: async ({ id }) => {
      each?.(id);
      log.push(`${name} ${id}`);
      return { text, outcome: "generated", finish: "stop", firstTextMs: 1, totalMs: 2, promptTokens: 3, confidence: 0.5 };
    },
  };
}

const run = (systems: readonly System[], results: ResultsFile, signal = new AbortController().signal, keepText = false) =>
  runEvaluation({ asked, systems, keepText }, { parsers, results, signal });

test("systems answer in turn, and nobody is always first", async () => {
  const log: string[] = [];
  const complete = await run([system("model", "1;", log), system("empty", "", log)], ResultsFile.open(path, header, false));
  expect(complete).toBe(true);
  expect(log).toEqual(["model a", "empty a", "empty b", "model b", "model c", "empty c"]);
});

test("an interrupted run goes on where it was, and asks nothing twice", async () => {
  const log: string[] = [];
  const controller = new AbortController();
  const stop = (id: string) => {
    if (id === "b") controller.abort();
  };
  const first = ResultsFile.open(path, header, false);
  expect(await run([system("model", "1;", log, stop), system("empty", "", log)], first, controller.signal)).toBe(false);
  const second = ResultsFile.open(path, header, true);
  expect(second.rows).toEqual(first.rows);
  expect(await run([system("model", "1;", log), system("empty", "", log)], second)).toBe(true);
  expect(log.length).toBe(new Set(log).size);
  expect(ResultsFile.open(path, header, true).rows).toHaveLength(6);
});

test("a line that was cut by a kill is asked again", async () => {
  const log: string[] = [];
  await run([system("model", "1;", log)], ResultsFile.open(path, header, false));
  const whole = readFileSync(path, "utf8");
  appendFileSync(path, whole.split("\n")[1]?.slice(0, 40) ?? "");
  expect(ResultsFile.open(path, header, true).rows).toHaveLength(3);
});

test("a file of another question is refused, and begun anew without resume", async () => {
  ResultsFile.open(path, header, false);
  expect(() => ResultsFile.open(path, { ...header, set: "other" }, true)).toThrow(/another set/);
  expect(ResultsFile.open(path, { ...header, set: "other" }, false).rows).toEqual([]);
});

test("no code is written unless it is asked for", async () => {
  await run([system("model", "secret(2);", [])], ResultsFile.open(path, header, false));
  expect(readFileSync(path, "utf8")).not.toContain("secret");
  await run([system("model", "secret(2);", [])], ResultsFile.open(path, header, false), undefined, true);
  expect(readFileSync(path, "utf8")).toContain("secret(2);");
});

test("a result says how the text scored and whether the document parses with it", async () => {
  const results = ResultsFile.open(path, header, false);
  await run([system("model", "secret(1);", []), system("empty", "((", [])], results);
  const [right, wrong] = results.rows;
  expect(right).toMatchObject({ span: "a", system: "model", score: { exact: true, similarity: 1, parses: true }, confidence: 0.5 });
  expect(wrong).toMatchObject({ span: "a", system: "empty", score: { exact: false, parses: false } });
});
