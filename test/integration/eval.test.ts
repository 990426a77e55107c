// The evaluation through the real path: router, link, worker and built-in model in the process of the command.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { evaluate } from "../../cli/eval.ts";
import { SlipstreamError } from "../../lib/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "slipstream-eval-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
/** Without a download only what an install brings is there. */
const env = { SLIPSTREAM_SOURCES_DIR: join(folder, "sources") };
const out = join(folder, "out");
/** The command in this process, with what it said. */
async function command(...args: string[]) {
  const [printed, said]: [string[], string[]] = [[], []];
  const io = {
    env,
    out: (text: string) => void printed.push(text),
    complain: (line: string) => void said.push(line),
    on: () => {},
  };
  const code = await evaluate(args, io);
  return { code, out: printed.join(""), err: said.join("\n") };
}
const run = (...more: string[]) => command("run", "--spans", "10", "--out", out, "--json", ...more);

test("ten spans are asked of the model and of what costs nothing; what is not here is said", async () => {
  const { code, out: printed, err } = await run();
  expect({ code, err }).toMatchObject({ code: 0 });
  expect(err).toMatch(/spans are left out.*more-itertools/);
  const report = JSON.parse(printed);
  expect(report).toMatchObject({ set: "builtin", spans: 10, complete: true });
  expect(report.missing).toBeGreaterThan(100);
  const [all] = report.slices;
  for (const system of ["model", "empty", "repeat", "similar"]) expect(all.systems[system].spans).toBe(10);
  expect(all.systems.model.similarity.value).toBeGreaterThan(0);
  expect(all.systems.empty).toMatchObject({ similarity: { value: 0 }, empty: { value: 1 } });
  expect(all.differences.map((each: { against: string }) => each.against)).toEqual(["empty", "repeat", "similar"]);
  expect(report.confidence[0], "the engine tells how sure it is").toMatchObject({ min: 0, shown: 1 });
  expect(existsSync(join(out, "report.html"))).toBe(true);
}, 120_000);

test("the results hold no code, and a resumed run asks nothing again and reports the same", async () => {
  const before = readFileSync(join(out, "results.ndjson"), "utf8");
  const [header = "", ...rows] = before.trimEnd().split("\n");
  expect(Object.keys(JSON.parse(header).systems)).toEqual(["model", "empty", "repeat", "similar"]);
  expect(rows).toHaveLength(40);
  for (const row of rows) expect(JSON.parse(row)).not.toHaveProperty("text");
  const report = readFileSync(join(out, "report.json"), "utf8");
  const { code, err } = await run("--resume");
  expect({ code, err }).toMatchObject({ code: 0 });
  expect(readFileSync(join(out, "results.ndjson"), "utf8")).toBe(before);
  expect(readFileSync(join(out, "report.json"), "utf8")).toBe(report);
});

test.each([
  [[], 64, /run, make or bring/],
  [["run", "--set", "mine"], 64, /--set: "mine" is none of builtin, playground/],
  [["run", "--spans", "0"], 64, /--spans: "0"/],
  [["run", "--weights", "none.gguf"], 66, /none\.gguf: no such file/],
  [["run", "--weights", "other.gguf", "--resume"], 66, /other\.gguf/],
  [["run", "--set", "package.json"], 64, /package\.json is no set of references/],
  [["make", "--times", "many"], 64, /--times: "many"/],
  [["make"], 66, /eval bring.*first; not here/],
] as const)("slipstream eval %j is a mistake in one sentence", async (args, exit, says) => {
  const mistake = await command(...args, "--out", out).then(
    () => undefined,
    (thrown: unknown) => SlipstreamError.from(thrown),
  );
  expect(mistake?.message).toMatch(says);
  expect(mistake?.row.exit).toBe(exit);
});
