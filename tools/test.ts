// test: a tier in, its vitest projects run, one plain line `N passed, N failed` last. `npm` needs npm alone; `system` brings
// the real tools it needs; `night` takes hours. Further arguments go to vitest (file names, -t).
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bring } from "./bring.ts";
import { packageProgram, run } from "./child.ts";
import { clusterToolNames } from "./cluster/programs.ts";
import { line, nothing, type Tally, tally } from "./tally.ts";
import type { ToolName } from "./tool-table.ts";

interface Tier {
  readonly projects: readonly string[];
  readonly tools: readonly ToolName[];
  /** In CI every suite of the tier must run. */
  readonly skipsFailInCi: boolean;
}

const tiers: Readonly<Record<string, Tier>> = {
  npm: { projects: ["unit", "integration", "simulation"], tools: [], skipsFailInCi: false },
  system: {
    projects: ["system"],
    tools: [
      "k6",
      "grpcio",
      "torch",
      "promtool",
      "prometheus",
      "chromium",
      "axe",
      "tokenizers",
      "tokenizer-qwen",
      "tokenizer-deepseek",
      "clients-node",
      "clients-python",
      "smg",
      "vllm-router",
      "envoy",
      "vllm",
      "kwok",
      "lws",
      "neovim",
      "vsce",
      ...clusterToolNames,
    ],
    skipsFailInCi: true,
  },
  night: { projects: ["night"], tools: ["nats-server", "chromium", "kwok", ...clusterToolNames], skipsFailInCi: false },
};

const say = (text: string) => void process.stdout.write(`${text}\n`);

const [name = "npm", ...rest] = process.argv.slice(2);
const tier = tiers[name];
if (tier) process.exitCode = await runTier(tier, rest);
else {
  say(`test: there is no tier ${name}; the tiers are ${Object.keys(tiers).join(", ")}`);
  process.exitCode = 64;
}

async function runTier(tier: Tier, extra: readonly string[]): Promise<number> {
  for (const tool of tier.tools)
    await bring(tool, { say }).catch((error: Error) => say(`${error.message}; suites that need it are skipped`));
  const { code, counts } = await vitest(tier.projects, extra);
  const skipped = process.env["CI"] && tier.skipsFailInCi && counts.skipped > 0;
  if (skipped) say(`test: in CI a skipped ${name} suite is a failure; \`npm run tools\` says what is missing`);
  const none = counts.passed + counts.failed + counts.skipped === 0;
  if (none) say("test: no test was found");
  say(line(counts));
  return code !== 0 || counts.failed > 0 || skipped || none ? 1 : 0;
}

async function vitest(projects: readonly string[], extra: readonly string[]): Promise<{ code: number; counts: Tally }> {
  const folder = mkdtempSync(join(tmpdir(), "slipstream-test-"));
  const report = join(folder, "report.json");
  try {
    const chosen = projects.flatMap((project) => ["--project", project]);
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const { code } = await run([...packageProgram("vitest", "vitest.mjs"), "run", ...chosen, ...reporters, ...extra], {
      show: true,
    });
    return { code, counts: readReport(report, code) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run that died before its report counts as one failure. */
function readReport(path: string, code: number): Tally {
  try {
    return tally(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return { ...nothing, failed: code === 0 ? 0 : 1 };
  }
}
