// check: `npm run check`. What a change must pass before its tests matter: format and lint, types, house rules, unused code,
// generated files. Every step runs, two at a time; what fails is shown whole, and the end is 1. `npm run check -- tsc tidy` runs the
// steps that begin with these words.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bring } from "./bring.ts";
import { packageProgram, root, run } from "./child.ts";
import { breaking, contractFiles, generateContracts, lint, type Verdict } from "./contracts.ts";
import { stalePages } from "./reference.ts";
import { currentStamp, differences, readStamp } from "./stamp.ts";
import { findTool } from "./toolbox.ts";

interface Step {
  readonly name: string;
  readonly run: () => Promise<Verdict & { readonly note?: string }>;
}

const atOnce = 2;
const say = (text: string) => void process.stdout.write(`${text}\n`);

const program =
  (name: string, words: readonly string[]): Step["run"] =>
  async () => {
    const { code, output } = await run(words, { env: { NO_COLOR: "1" } });
    return { ok: code === 0, text: output || `${name} ended with ${code}` };
  };

const steps: readonly Step[] = [
  {
    name: "biome (format, lint)",
    run: program("biome", [...packageProgram("@biomejs/biome", "bin/biome"), "check", "--error-on-warnings", "."]),
  },
  { name: "tsc (types)", run: program("tsc", [...packageProgram("typescript", "bin/tsc"), "--noEmit", "-p", "tsconfig.json"]) },
  {
    name: "tsc (the console's page)",
    run: program("tsc", [...packageProgram("typescript", "bin/tsc"), "--noEmit", "-p", "console/tsconfig.json"]),
  },
  {
    name: "tidy (house rules)",
    run: program("vitest", [...packageProgram("vitest", "vitest.mjs"), "run", "--project", "unit", "--reporter=dot", "test/tidy"]),
  },
  { name: "knip (unused code)", run: program("knip", [...packageProgram("knip", "bin/knip.js"), "--no-progress"]) },
  { name: "generated is current", run: generatedIsCurrent },
  { name: "buf (contracts)", run: contracts },
];

const words = process.argv.slice(2);
const unknown = words.filter((word) => !steps.some(({ name }) => name.startsWith(word)));
const chosen = words.length === 0 ? steps : steps.filter(({ name }) => words.some((word) => name.startsWith(word)));
const waiting = unknown.length > 0 ? [] : [...chosen];
const failed: string[] = [];
await Promise.all(Array.from({ length: atOnce }, work));
if (failed.length > 0) say(`check: ${failed.length} of ${chosen.length} steps failed: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 ? 1 : 0;
if (unknown.length > 0) {
  say(`check: no step begins with ${unknown.join(" or ")}; there are ${steps.map(({ name }) => name).join(", ")}`);
  process.exitCode = 64;
}

async function work(): Promise<void> {
  for (let step = waiting.shift(); step; step = waiting.shift()) {
    const startedMs = performance.now();
    const { ok, text, note } = await step.run().catch((error: Error) => ({ ok: false, text: error.message, note: undefined }));
    const ms = String(Math.round(performance.now() - startedMs)).padStart(6);
    say(`${ok ? "ok    " : "FAILED"} ${ms} ms  ${step.name}${note ? ` (${note})` : ""}`);
    if (ok) continue;
    failed.push(step.name);
    say(text.trimEnd().replace(/^/gm, "    "));
  }
}

async function generatedIsCurrent(): Promise<Verdict> {
  const stale = [...differences(readStamp(), currentStamp()), ...stalePages()];
  return { ok: stale.length === 0, text: [...stale, "`npm run generate` makes them current"].join("\n") };
}

/** Lint and breaking changes, and a fresh generation beside the committed one. Needs buf: always in CI, else where it is already. */
async function contracts(): Promise<Verdict & { note?: string }> {
  const found = findTool("buf");
  if (found.path === undefined && !process.env["CI"]) return { ok: true, text: "", note: `skipped: ${found.missing}` };
  const buf = await bring("buf");
  const folder = mkdtempSync(join(tmpdir(), "slipstream-check-"));
  try {
    const against = await breaking(buf, folder);
    const verdicts = [await lint(buf), against, await generateContracts(buf, join(folder, "fresh"))];
    const texts = verdicts.filter(({ ok }) => !ok).map(({ text }) => text);
    if (texts.length === 0) texts.push(...otherThan(contractFiles(join(folder, "fresh"))));
    return { ok: texts.length === 0, text: texts.join("\n"), ...(against.ok && against.text !== "" ? { note: against.text } : {}) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function otherThan(fresh: Readonly<Record<string, string>>): string[] {
  const committed = contractFiles(root);
  const paths = [...new Set([...Object.keys(fresh), ...Object.keys(committed)])];
  return paths.filter((path) => fresh[path] !== committed[path]).map((path) => `${path} is not what \`npm run generate\` makes`);
}
