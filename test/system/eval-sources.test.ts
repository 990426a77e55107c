// Packages whose code is evaluated on, brought by the registries' own clients: pinned, verified, whole or not at all.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bringSource } from "../../learn/evaluation/bringing.ts";
import { findSource, readSources, type Source, sourceFiles } from "../../learn/evaluation/sources.ts";

const folder = mkdtempSync(join(tmpdir(), "slipstream-sources-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const named = (name: string): Source => {
  const source = readSources().find((each) => each.package === name);
  if (!source) throw new Error(`no source ${name}`);
  return source;
};

const program = "go";
const hasGo = spawnSync(program, ["version"]).status === 0;

test.each(["deepmerge", "schedule", ...(hasGo ? ["github.com/pkg/errors"] : [])])(
  "%s is brought once, and is there then",
  async (name) => {
    const source = named(name);
    expect(findSource(source, folder)).toBeUndefined();
    const place = await bringSource(source, folder);
    expect(sourceFiles(source, place).length).toBeGreaterThan(0);
    expect(findSource(source, folder)).toBe(place);
    expect(await bringSource({ ...source, sha256: "0", sum: "0" }, folder), "what is there is not brought again").toBe(place);
  },
);

test("an archive with another digest is not used, and nothing of it stays", async () => {
  const other = mkdtempSync(join(folder, "other-"));
  await expect(bringSource({ ...named("schedule"), sha256: "0".repeat(64) }, other)).rejects.toThrow(/another is pinned/);
  if (hasGo)
    await expect(bringSource({ ...named("github.com/pkg/errors"), sum: "h1:0" }, other)).rejects.toThrow(/another is pinned/);
  for (const ecosystem of readdirSync(other)) expect(readdirSync(join(other, ecosystem))).toEqual([]);
});

test("what a registry does not have is one sentence", async () => {
  const missing = { ...named("deepmerge"), version: "0.0.0-none" };
  await expect(bringSource(missing, folder)).rejects.toThrow(/^deepmerge 0\.0\.0-none cannot be brought: /);
  expect(existsSync(join(folder, "npm", "deepmerge@0.0.0-none"))).toBe(false);
});
