// The README's commands, as written, in order: a newcomer's first minutes.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../lib/package-root.ts";
import { type Running, shell, start } from "../support/command.ts";
import { defaultPorts } from "../support/default-ports.ts";

const turnMs = 240_000;

/** The shell lines under a heading. */
function commands(heading: string): string[] {
  const page = readFileSync(join(packageRoot(), "README.md"), "utf8");
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((block) => (block[1] ?? "").trim().split("\n"));
}

const npm = (line: string) => line.startsWith("npm ");
let running: Running;
let ports: AsyncDisposable;

beforeAll(async () => {
  ports = await defaultPorts();
  expect(commands("Run it").slice(0, 2)).toEqual(["npm ci", "npm start"]);
  running = await start("npm", ["start"], /Try next/);
}, turnMs);
afterAll(async () => {
  rmSync(join(packageRoot(), "typing.ndjson"), { force: true });
  await running?.end("SIGINT");
  await ports?.[Symbol.asyncDispose]();
});

test("what to try next works while `npm start` runs", async () => {
  const lines = commands("Run it").filter((line) => !npm(line) && !line.includes("path/to/model"));
  expect(lines.length).toBeGreaterThanOrEqual(4);
  for (const line of lines) {
    const { code, out, err } = await shell(line);
    expect({ line, code, err }).toMatchObject({ code: 0 });
    expect(`${out}${err}`, line).not.toBe("");
    if (line.includes(" complete ")) expect(out.trim(), `${line} completes nothing`).not.toBe("");
  }
});

test("each API completes by the command that the page gives for it", async () => {
  const lines = commands("Clients");
  expect(lines.length).toBeGreaterThanOrEqual(6);
  for (const line of lines) {
    const { code, out, err } = await shell(line.replace("curl ", "curl -sS --fail-with-body "));
    expect({ line, code, err, said: code === 0 ? "" : out }).toEqual({ line, code: 0, err: "", said: "" });
    expect(out.trim(), `${line} says nothing`).not.toBe("");
  }
});

test("the commands that npm start itself suggests work", async () => {
  const suggested = running.out().match(/^ {2}npx slipstream .*$/gm) ?? [];
  expect(suggested.length).toBeGreaterThanOrEqual(2);
  for (const line of suggested) {
    const ran = await shell(line);
    expect({ line, ...ran }).toMatchObject({ code: 0 });
    expect(ran.out.trim(), `${line} says nothing`).not.toBe("");
  }
});

test("a trace can be made, looked at and typed into it, and what became of it explained", { timeout: 180_000 }, async () => {
  for (const line of commands("Type into it")) {
    const { code, err } = await shell(line, { timeoutMs: 120_000 });
    expect({ line, code, err }).toMatchObject({ code: 0 });
  }
});

test("a router and a worker run apart", { timeout: 180_000 }, async () => {
  await running.end("SIGINT");
  const [worker = "", router = "", ...more] = commands("A router and workers apart");
  expect(more).toEqual([]);
  await using apart = await start("bash", ["-c", worker], /"listening"/);
  await using front = await start("bash", ["-c", router], /worker joined/);
  expect(apart.pid).not.toBe(front.pid);
  const { code, err } = await shell("npx slipstream complete docs/examples/basket.ts:19:12");
  expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
});
