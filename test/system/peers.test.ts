// The real programs of others before our workers: a short run of the whole comparison gives every row, and says how busy the
// machine was. What the figures are is not asserted: a test machine is busy.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findTool, type ToolName } from "../../tools/toolbox.ts";
import { shell } from "../support/command.ts";

const tools = (["smg", "vllm-router", "envoy"] as const satisfies readonly ToolName[]).map((name) => findTool(name));
const here = test.skipIf(tools.some(({ path }) => path === undefined));
const out = mkdtempSync(join(tmpdir(), "slipstream-peers-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const numbers = ["p50_ms", "p95_ms", "p99_ms", "fresh_per_key", "recomputed_tokens_per_key", "waste_share", "triggers"];
const editors = ["naive", "careful", "expert"];
const peers = [
  ...["direct", "smg cache_aware", "vllm-router consistent_hash", "vllm-router cache_aware"],
  ...["envoy least_request", "envoy ring_hash"],
];

// Brought by this project's own tools into a folder that the toolbox names: NAME/VERSION/NAME.
const toolsFolder = dirname(dirname(dirname(tools[0]?.path ?? "/a/b/c")));
const turnMs = 600_000;
const run = (words: string, env: Record<string, string> = {}) =>
  shell(`node bin/slipstream.js bench peers --quick --json --out ${out} ${words}`, {
    timeoutMs: turnMs,
    env: { SLIPSTREAM_TOOLS_DIR: toolsFolder, ...env },
  });

here("a quick run compares every peer with every editor, and ours", { timeout: turnMs }, async () => {
  const { code, out: said, err } = await run("--people 4");
  expect(code, err).toBe(0);
  const report = JSON.parse(said);
  expect(report).toMatchObject({ seed: 1, dilation: 2, missing: [] });
  const [{ profile, end, agreement, rows }] = report.profiles;
  expect({ profile, end, agreement }).toEqual({ profile: "h100-7b-eagle3", end: "slow", agreement: 0.3 });
  const names = rows.map(({ name, editor }: Record<string, string>) => `${name} / ${editor}`);
  expect(names.toSorted()).toEqual(
    ["slipstream / native", ...peers.flatMap((name) => editors.map((editor) => `${name} / ${editor}`))].toSorted(),
  );
  for (const row of rows) {
    for (const name of numbers) expect(row[name], `${row.name} / ${row.editor}: ${name}`).toEqual(expect.any(Number));
    expect(row.triggers, `${row.name} / ${row.editor}`).toBeGreaterThan(0);
    expect(row).toHaveProperty("developers_per_gpu");
  }
  // Each round says how busy the machine was, and one beyond the bound is marked.
  expect(report.machine_busy_max).toBeGreaterThan(0);
  for (const { machine_busy } of report.invalid) expect(machine_busy).toBeGreaterThan(0.7);
  if (report.machine_busy_max > 0.7) expect(report.invalid.length).toBeGreaterThan(0);
  expect(report.check).toHaveLength(rows.length);
  const page = readFileSync(join(out, "peers.html"), "utf8");
  expect(page).toContain("Routers side by side");
  expect(page).not.toMatch(/<(script|link|img)\b|https?:\/\//);
});

test("a peer that is not installed is named, and the rest goes on", { timeout: turnMs }, async () => {
  const env = { SLIPSTREAM_TOOLS_DIR: out, XDG_CACHE_HOME: out };
  const { code, out: said, err } = await run("--people 2", env);
  expect(code, err).toBe(0);
  const report = JSON.parse(said);
  expect(report.missing.map(({ name }: Record<string, string>) => name)).toContain("smg cache_aware");
  expect(err).toContain('smg cache_aware: not installed; "npm run tools -- smg" brings it');
  const measured = new Set(report.check.map(({ name }: Record<string, string>) => name));
  expect([...measured].sort()).toEqual(["direct", "slipstream"]);
});
