import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SlipstreamError } from "../lib/errors.ts";
import { trace } from "./trace.ts";

const folder = mkdtempSync(join(tmpdir(), "trace-"));
const put = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const source = put("a.ts", Array.from({ length: 80 }, (_, i) => `const value${i} = compute(${i});\n`).join(""));
const other = put("b.ts", readFileSync(source, "utf8").replace("value7", "changed7"));
const bad = put("bad.ndjson", '{"slipstream_trace":1}\n');

async function ran(...args: string[]) {
  const said = { out: "", err: "" };
  const code = await trace(args, {
    env: {},
    out: (text) => {
      said.out += text;
    },
    complain: (line) => {
      said.err += `${line}\n`;
    },
    on: () => {},
  });
  return { code, ...said };
}

test("a mistake is a sentence that names the flag or the line, with the exit code of its kind", async () => {
  const cases: readonly (readonly [string[], number, RegExp])[] = [
    [[], 64, /generate, inspect, play or record/],
    [["invent", source], 64, /generate, inspect, play or record/],
    [["inspect"], 64, /and what of/],
    [["inspect", bad, bad], 64, /and what of/],
    [["inspect", bad], 64, /bad\.ndjson: line 1: slipstream_trace/],
    [["inspect", source], 64, /a\.ts: line 1: not JSON/],
    [["inspect", join(folder, "none.ndjson")], 66, /none\.ndjson: no such file/],
    [["play", bad], 64, /bad\.ndjson: line 1/],
    [["play", source, "--speed", "0"], 64, /--speed: "0"/],
    [["generate", source, "--keys", "-1"], 64, /keys/],
    [["generate", source, "--keys", "many"], 64, /--keys: "many"/],
    [["generate", source, "--hours", "0"], 64, /--hours: "0"/],
    [["generate", source, "--seed", "1.5"], 64, /--seed: "1\.5"/],
    [["generate", source, "--people", "0", "--out", folder], 64, /--people: "0"/],
    [["generate", source, "--people", "2"], 64, /--people needs --out FOLDER/],
    [["generate", source, "--out", join(folder, "a.txt")], 64, /--out ".*a\.txt" does not end in \.ndjson/],
    [["generate", source, "--package", "none"], 66, /no source files of package none/],
    [["generate", join(folder, "none.ts")], 66, /none\.ts: no such file or folder/],
    [["generate", source, "--from", source], 64, /the two versions are the same/],
    [["generate", source, other, "--from", source], 64, /--from goes with one FILE/],
    [["generate", source, "--magic"], 64, /magic/],
    [["record", "--listen", "0.0.0.0:1"], 64, /--listen: "0\.0\.0\.0:1" is no HOST:PORT of this machine alone/],
    [["record", "now"], 64, /"now" is not an option/],
  ];
  for (const [args, exit, says] of cases) {
    let thrown: unknown;
    try {
      await ran(...args);
    } catch (error) {
      thrown = error;
    }
    expect(thrown, args.join(" ")).toBeInstanceOf(SlipstreamError);
    const { message, row } = thrown as SlipstreamError;
    expect({ args, exit: row.exit, message }).toMatchObject({ args, exit, message: expect.stringMatching(says) });
  }
});

test("what is generated is inspected, drawn, and packed where its name says so", async () => {
  const [plain, packed, page] = [join(folder, "t.ndjson"), join(folder, "t.ndjson.gz"), join(folder, "t.html")];
  await ran("generate", source, "--work", "--keys", "400", "--out", plain);
  await ran("generate", source, "--work", "--keys", "400", "--out", packed);
  const [one, two] = [await ran("inspect", plain, "--json", "--html", page), await ran("inspect", packed, "--json")];
  expect(one.out).toBe(two.out);
  expect(JSON.parse(one.out)).toMatchObject({ source: "generated", seed: 1, documents: [{ language: "typescript" }] });
  expect(JSON.parse(one.out).events).toBeGreaterThan(300);
  expect(readFileSync(page, "utf8")).toMatch(/<svg[\s\S]*Between keys/);
  expect(readFileSync(packed).length).toBeLessThan(readFileSync(plain).length / 2);
  expect((await ran("inspect", plain)).out).toMatch(/events {4}\d+ in .* keys a second while typing/);
});

test("a crowd is a folder of traces, each by a seed of its own; versions become one another", async () => {
  const crowd = join(folder, "crowd");
  await ran("generate", source, "--people", "3", "--keys", "50", "--out", crowd);
  const texts = [0, 1, 2].map((nth) => readFileSync(join(crowd, `${nth}.ndjson`), "utf8"));
  expect(new Set(texts).size).toBe(3);
  const { out } = await ran("generate", other, "--from", source);
  expect(out).toMatch(/"source":"versions"/);
  expect(out).toMatch(/"k","c"\]/);
});
