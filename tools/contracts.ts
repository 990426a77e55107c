// contracts: what buf does for proto/: lint, find breaking changes against the main branch, generate TypeScript and the
// reference pages into a folder. Everything local; the generated files are committed, so only a change of a .proto needs it.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { root, run } from "./child.ts";
import { protoReference } from "./proto-reference.ts";

const protoFolder = join(root, "proto");
const thirdPartyFolder = join(protoFolder, "third_party");
const pagesFolder = "docs/reference";
const ours = /^slipstream\//;

export interface Verdict {
  readonly ok: boolean;
  readonly text: string;
}

/** Version of the TypeScript plugin in use. */
export function pluginVersion(): string {
  const manifest = createRequire(join(root, "package.json")).resolve("@bufbuild/protoc-gen-es/package.json");
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

export async function lint(buf: string): Promise<Verdict> {
  const { code, output } = await run([buf, "lint"], { cwd: protoFolder });
  return { ok: code === 0, text: output };
}

/** Compares with the main branch, or on it with the commit before; without an earlier commit there is nothing to break. */
export async function breaking(buf: string, work: string): Promise<Verdict> {
  const base = await earlierCommit();
  if (!base) return { ok: true, text: "breaking changes not looked for: there is no earlier commit of proto/ here" };
  const before = join(work, "before");
  mkdirSync(before, { recursive: true });
  const archive = await run(["git", "archive", "--output", join(work, "before.tar"), base, "proto"]);
  const unpack = await run(["tar", "-xf", join(work, "before.tar"), "-C", before]);
  if (archive.code !== 0 || unpack.code !== 0) return { ok: false, text: `${archive.output}${unpack.output}` };
  const { code, output } = await run([buf, "breaking", "--against", join(before, "proto")], { cwd: protoFolder });
  return { ok: code === 0, text: output };
}

async function earlierCommit(): Promise<string | undefined> {
  const git = async (...words: string[]) => {
    const { code, stdout } = await run(["git", ...words]);
    return code === 0 ? stdout.trim() : undefined;
  };
  const head = await git("rev-parse", "HEAD");
  const main =
    (await git("rev-parse", "--verify", "--quiet", "origin/main")) ?? (await git("rev-parse", "--verify", "--quiet", "main"));
  const shared = main && (await git("merge-base", "HEAD", main));
  const changed = (await git("diff", "--quiet", "HEAD", "--", "proto")) === undefined;
  const base = shared && (shared !== head || changed) ? shared : await git("rev-parse", "--verify", "--quiet", "HEAD~1");
  return base && (await git("cat-file", "-e", `${base}:proto/buf.yaml`)) !== undefined ? base : undefined;
}

/** Generates TypeScript and the contracts' pages into `into`, laid out as in the checkout. */
export async function generateContracts(buf: string, into: string): Promise<Verdict> {
  const pages = join(into, pagesFolder);
  mkdirSync(pages, { recursive: true });
  // The template's plugin path is relative to where buf runs, its output folder to --output.
  const code = await run([buf, "generate", "--output", join(into, "proto")], { cwd: protoFolder });
  if (code.code !== 0) return { ok: false, text: code.output };
  const others = await run([buf, "generate", "--output", join(into, "proto")], { cwd: thirdPartyFolder });
  if (others.code !== 0) return { ok: false, text: others.output };
  const image = join(into, "descriptors.binpb");
  const built = await run([buf, "build", "--as-file-descriptor-set", "--output", image], { cwd: protoFolder });
  if (built.code !== 0) return { ok: false, text: built.output };
  for (const file of fromBinary(FileDescriptorSetSchema, readFileSync(image)).file.filter(({ name }) => ours.test(name))) {
    writeFileSync(join(pages, `${basename(file.name, ".proto")}.md`), protoReference(file));
  }
  rmSync(image);
  return { ok: true, text: "" };
}

/** What generateContracts leaves below a folder, and the checkout holds: path from it → text. */
export function contractFiles(base: string): Record<string, string> {
  const generated = filesIn(base, "proto/gen", ".ts");
  const pages = filesIn(root, "proto/slipstream", ".proto").map((path) => `${pagesFolder}/${basename(path, ".proto")}.md`);
  const here = [...generated, ...pages].filter((path) => existsSync(join(base, path)));
  return Object.fromEntries(here.map((path) => [path, readFileSync(join(base, path), "utf8")]));
}

/** Paths from `base`, in order. */
export function filesIn(base: string, folder: string, ending: string): string[] {
  if (!existsSync(join(base, folder))) return [];
  return readdirSync(join(base, folder), { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(ending))
    .sort();
}
