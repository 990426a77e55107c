import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureBuilt, root } from "./build.js";

let base = "";
let said: string[] = [];
const say = (line: string) => void said.push(line);
const write = (name: string, text: string) => writeFileSync(join(base, name), text);

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "slipstream-build-"));
  said = [];
  write("package.json", '{ "type": "module" }');
  const compilerOptions = { module: "nodenext", outDir: "dist", rootDir: ".", types: [], strict: true };
  write("tsconfig.build.json", JSON.stringify({ compilerOptions, include: ["*.ts"], exclude: ["*.test.ts"] }));
  write("main.ts", "export const answer: number = 1;\n");
  symlinkSync(join(root, "node_modules"), join(base, "node_modules"));
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

test("the first start builds, the next does not, a changed source builds again and a deleted one is gone", () => {
  write("other.ts", "export {};\n");
  expect(ensureBuilt({ base, say })).toMatchObject({ ok: true, built: true, problems: 0 });
  expect(ensureBuilt({ base, say })).toMatchObject({ ok: true, built: false });
  write("main.test.ts", "export {};\n");
  expect(ensureBuilt({ base, say })).toMatchObject({ built: false });
  rmSync(join(base, "other.ts"));
  expect(ensureBuilt({ base, say })).toMatchObject({ built: true });
  expect(existsSync(join(base, "dist", "other.js"))).toBe(false);
  expect(said).toEqual(["first start, building dist", "the sources have changed, building dist"]);
});

test("type errors do not stop a start and are counted each time", () => {
  write("main.ts", 'export const answer: number = "one";\n');
  expect(ensureBuilt({ base, say })).toMatchObject({ ok: true, problems: 1 });
  expect(ensureBuilt({ base, say })).toMatchObject({ ok: true, built: false, problems: 1 });
  expect(said.filter((line) => line.includes("type errors (1)"))).toHaveLength(2);
});

test("a lock left by a dead process is taken over", () => {
  mkdirSync(join(base, "dist.lock"));
  write(join("dist.lock", "pid"), "4194304");
  expect(ensureBuilt({ base, say })).toMatchObject({ ok: true, built: true });
  expect(readdirSync(base).filter((name) => name.startsWith("dist"))).toEqual(["dist"]);
});

test("an installation without sources starts as it is, and without dist says so", () => {
  rmSync(join(base, "tsconfig.build.json"));
  expect(ensureBuilt({ base, say })).toMatchObject({ ok: false, why: expect.stringContaining("install the package again") });
  mkdirSync(join(base, "dist"));
  expect(ensureBuilt({ base, say })).toEqual({ ok: true, built: false });
});

test("without TypeScript a present dist is started and a missing one named", () => {
  rmSync(join(base, "node_modules"));
  expect(ensureBuilt({ base, say })).toMatchObject({ ok: false, why: expect.stringContaining("TypeScript is not installed") });
  mkdirSync(join(base, "dist"));
  expect(ensureBuilt({ base, say })).toMatchObject({ ok: true, built: false });
});

test("starts at the same moment build once and each finds a whole program", async () => {
  const script = `const { ensureBuilt } = await import(${JSON.stringify(join(root, "bin/build.js"))});
    const { built } = ensureBuilt({ base: ${JSON.stringify(base)}, say: () => {} });
    console.log((await import(${JSON.stringify(join(base, "dist/main.js"))})).answer, built);`;
  const outputs = await Promise.all(Array.from({ length: 4 }, () => output(script)));
  expect(outputs.map((text) => text.split(" ")[0])).toEqual(["1", "1", "1", "1"]);
  expect(readdirSync(base).filter((name) => name.startsWith("dist"))).toEqual(["dist"]);
});

function output(script: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    child.on("close", () => resolve(text.trim()));
  });
}
