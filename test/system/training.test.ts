// The whole training pipeline on a few hundred kilobytes: what the built-in model came from, kept running.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ran, root, run } from "../../tools/child.ts";
import { findTool } from "../../tools/toolbox.ts";

const torch = findTool("torch");
const names = ["slipstream-fim-tiny", "slipstream-draft-tiny"];

describe.skipIf(torch.path === undefined)("the training pipeline", () => {
  let work = "";
  let first: Ran;

  const pipeline = (...more: string[]) =>
    run([
      torch.path as string,
      "-m",
      "models.train",
      "--work",
      work,
      "--preset",
      "tiny",
      "--npm-modules",
      join(root, "node_modules"),
      ...more,
    ]);
  const lines = (pattern: RegExp) => first.output.split("\n").filter((line) => pattern.test(line));
  const lossesOf = (kind: string) =>
    lines(/EVAL validation/).map((line) => Number(new RegExp(`${kind} ([\\d.]+)`).exec(line)?.[1]));

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), "slipstream-training-"));
    first = await pipeline();
  });

  afterAll(() => rmSync(work, { recursive: true, force: true }));

  test("runs from packages to model files", () => {
    expect(first.code, first.output.slice(-2_000)).toBe(0);
    for (const name of names) expect(statSync(join(work, `${name}-q8_0.gguf`)).size).toBeGreaterThan(10_000);
  });

  test.each(["plain", "infill", "context"])("lowers the loss on packages not learned from: %s", (kind) => {
    const [targetBefore, targetAfter, draftBefore, draftAfter] = lossesOf(kind);
    expect(targetAfter).toBeLessThan((targetBefore as number) - 0.1);
    expect(draftAfter).toBeLessThan((draftBefore as number) - 0.05);
  });

  test("brings the draft nearer to the target", () => {
    const divergences = lines(/distil step/).map((line) => Number(/divergence ([\d.]+)/.exec(line)?.[1]));
    expect(divergences.length).toBeGreaterThan(1);
    expect(divergences.at(-1)).toBeLessThan(divergences[0] as number);
  });

  test.each(names)("writes a file that says what the checkpoint says: %s", (name) => {
    const check = JSON.parse((lines(new RegExp(`CHECK ${name} `))[0] as string).replace(/^.*?\{/, "{"));
    expect(check.largest_difference).toBeLessThan(0.1);
    expect(check.same).toBeGreaterThanOrEqual(check.prompts - 2);
    // The engine rounds activations too: a near tie may go the other way.
    expect(check.in_engine).toBeGreaterThanOrEqual(check.prompts - 2);
  });

  test("lists what it learned from, with licences, and nothing that is held out", () => {
    const rows = readFileSync(join(work, "packages.tsv"), "utf8").trim().split("\n").slice(1);
    const heldOut = new Set(readFileSync(join(root, "models", "train", "held-out.txt"), "utf8").split("\n"));
    expect(rows.length).toBeGreaterThan(3);
    for (const [name = "", , licence] of rows.map((row) => row.split("\t"))) {
      expect(heldOut.has(name), name).toBe(false);
      expect(licence).toMatch(/^(MIT|Apache-2\.0|ISC|0BSD|BSD-[23]-Clause)$/);
    }
  });

  test("goes on from a model file as from the checkpoint behind it", async () => {
    const compared = await pipeline("--steps", "compare", "--target-from", join(work, `${names[0]}-q8_0.gguf`));
    expect(compared.code, compared.output.slice(-2_000)).toBe(0);
    const less = compared.output.split("\n").filter((line) => line.includes(" less "));
    expect(less.length).toBeGreaterThan(0);
    // What Q8_0 rounds away is a thousandth of what training gained.
    for (const line of less)
      for (const kind of ["plain", "infill", "context"])
        expect(Math.abs(Number(new RegExp(`${kind} (-?[\\d.]+)`).exec(line)?.[1])), line).toBeLessThan(0.01);
  });

  test.each([
    ["another network's", () => join(work, `${names[1]}-q8_0.gguf`), "is not of this shape"],
    ["none", () => join(work, "nowhere.gguf"), "no such file of weights"],
  ])("refuses to go on from weights that are %s", async (_, file, why) => {
    const refused = await pipeline("--steps", "compare", "--target-from", file());
    expect(refused.code).toBe(64);
    expect(refused.output).toContain(`compare: ${file()}`);
    expect(refused.output).toContain(why);
  });

  test("passes over what is done when it is started again", async () => {
    const again = await pipeline();
    expect(again.code).toBe(0);
    expect(again.output).not.toMatch(/EVAL|data:|distil step/);
    expect(existsSync(join(work, "target.pt"))).toBe(true);
  });
});
