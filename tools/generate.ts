// generate: `npm run generate`. From proto/ the TypeScript and its reference pages, from the product's tables theirs, and
// the stamp that lets every check see that they are current. Refuses contracts that break the rules or their users.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bring } from "./bring.ts";
import { root } from "./child.ts";
import { breaking, contractFiles, generateContracts, lint, type Verdict } from "./contracts.ts";
import { tablePages } from "./reference.ts";
import { currentStamp, stampPath } from "./stamp.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);

const work = mkdtempSync(join(tmpdir(), "slipstream-generate-"));
try {
  await generate();
} catch (error) {
  say((error as Error).message);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function generate(): Promise<void> {
  const buf = await bring("buf", { say });
  must("buf lint", await lint(buf));
  const against = await breaking(buf, work);
  must("buf breaking", against);
  if (against.text !== "") say(against.text);
  const fresh = join(work, "fresh");
  must("buf generate", await generateContracts(buf, fresh));
  const files = { ...contractFiles(fresh), ...tablePages() };
  for (const path of Object.keys(contractFiles(root))) if (!(path in files)) rmSync(join(root, path));
  for (const [path, text] of Object.entries(files)) write(path, text);
  write(stampPath, `${JSON.stringify(currentStamp(), null, 2)}\n`);
  say("proto/gen and docs/reference are current");
}

function must(step: string, { ok, text }: Verdict): void {
  if (!ok) throw new Error(`${step}:\n${text}`);
}

/** A file that is as it should be keeps its time, so that nothing is built anew for it. */
function write(path: string, text: string): void {
  if (existsSync(join(root, path)) && readFileSync(join(root, path), "utf8") === text) return;
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
