// The README's section on clusters from nothing: a fresh clone, and every cache of tools, modules, packages and images empty; then once
// more with what that has brought. Each as its lines stand, and the seconds that each part took.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../tools/child.ts";
import { readmeCommands, teller } from "../support/cluster.ts";

/** Where each client keeps what it has brought before. */
const caches = ["SLIPSTREAM_TOOLS_DIR", "XDG_CACHE_HOME", "GOCACHE", "GOMODCACHE", "npm_config_cache", "PIP_CACHE_DIR"];
const saidMax = 20_000;

// What it brings first it cannot bring where it may not build: as the suites on real kubelets, for root on Linux.
describe.skipIf(process.platform !== "linux" || process.getuid?.() !== 0)("from nothing", () => {
  const folder = mkdtempSync(join(tmpdir(), "slipstream-cold-"));
  const checkout = join(folder, "slipstream");
  // Go keeps modules read-only, which would stay when all is taken away.
  const goFlags = [process.env["GOFLAGS"], "-modcacherw"].filter(Boolean).join(" ");
  const env = { ...process.env, GOFLAGS: goFlags, ...Object.fromEntries(caches.map((name) => [name, join(folder, name)])) };
  const lines = join(folder, "lines.sh");

  beforeAll(() => {
    for (const name of caches) mkdirSync(join(folder, name));
    writeFileSync(lines, ["set -e", ...readmeCommands().install].join("\n"));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What it said. */
  function ran(words: readonly string[], cwd = checkout): Promise<string> {
    const child = spawn(words[0] as string, words.slice(1), { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => {
        said = `${said}${data}`.slice(-saidMax);
      });
    return new Promise((resolve, reject) =>
      child.on("close", (code) =>
        code === 0 ? resolve(said) : reject(new Error(`${words.join(" ")}: ended with ${code}\n${said}`)),
      ),
    );
  }

  async function completes(name: string): Promise<void> {
    const tell = teller();
    const cluster = ["npm", "run", "--silent", "cluster", "--"];
    try {
      await ran([...cluster, "up", name, "--nodes", "2"]);
      tell("the cluster is up");
      expect(await ran([...cluster, "run", name, "bash", lines])).toContain('"object":"text_completion"');
      tell("completed");
    } finally {
      await ran([...cluster, "down", name]);
      tell("taken away");
    }
  }

  test("a fresh clone comes to a completion with every cache empty", { timeout: 3_600_000 }, async () => {
    const tell = teller();
    await ran(["git", "clone", "--quiet", root, checkout], folder);
    await ran(["npm", "ci"]);
    tell("installed");
    await completes(`cold-${process.pid}`);
  });

  test("and with what that has brought", { timeout: 1_200_000 }, () => completes(`warm-${process.pid}`));
});
