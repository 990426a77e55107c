// sources: the packages whose code is evaluated on, and where their files are on this machine: in node_modules, else in the
// folder that `slipstream eval bring` fills. None of them is ever trained on (models/train/held-out.txt).
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, posix } from "node:path";
import { z } from "zod";
import { packageRoot } from "../../lib/package-root.ts";
import { type Hole, languages, type SpanReference } from "./span.ts";

const sourceRow = z.object({
  ecosystem: z.enum(["npm", "pypi", "go"]),
  package: z.string(),
  version: z.string(),
  licence: z.string(),
  language: z.enum(languages),
  /** Where in the package the code is; "" is all of it. */
  folder: z.string(),
  /** Of the archive, for those that are brought. */
  sha256: z.string().optional(),
  /** Of a Go module, as in go.sum. */
  sum: z.string().optional(),
});
export type Source = z.infer<typeof sourceRow>;

/** Where things of the evaluation lie in this package. */
export const evaluationFolder = () => join(packageRoot(), "learn", "evaluation");

export function readSources(): readonly Source[] {
  return z.array(sourceRow).parse(JSON.parse(readFileSync(join(evaluationFolder(), "sources.json"), "utf8")));
}

/** The user's folder of brought packages, outside any checkout: SLIPSTREAM_SOURCES_DIR, else in the XDG cache. */
export function sourcesFolder(env: Readonly<Record<string, string | undefined>>): string {
  const cache = env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return env["SLIPSTREAM_SOURCES_DIR"] || join(cache, "slipstream", "sources");
}

type Named = Pick<Source, "ecosystem" | "package" | "version">;

export const broughtFolder = (folder: string, { ecosystem, package: name, version }: Named) =>
  join(folder, ecosystem, `${name.replaceAll("/", "+")}@${version}`);

/** Where a package is on this machine at its pinned version; undefined: nowhere. */
export function findSource(source: Named, folder: string): string | undefined {
  const installed = join(packageRoot(), "node_modules", source.package);
  if (source.ecosystem === "npm" && versionOf(installed) === source.version) return installed;
  const brought = broughtFolder(folder, source);
  return existsSync(brought) ? brought : undefined;
}

function versionOf(folder: string): string | undefined {
  const path = join(folder, "package.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as { version?: string }).version : undefined;
}

const endings: Readonly<Record<Source["language"], RegExp>> = {
  typescript: /(?<!\.d|\.test|\.spec)\.ts$/,
  javascript: /(?<!\.test|\.spec|\.min|rollup\.config|\.d)\.m?js$/,
  python: /\.py$/,
  go: /(?<!_test)\.go$/,
};
/** Folders of tests, builds and other people's code. */
const skipped = /(^|\/)(node_modules|dist|build|tests?|__tests__|__fixtures__|vendor|bin|examples?|generated|testdata)(\/|$)/;
const fileBytes = { min: 800, max: 60_000 };
const lineMax = 240;
const filesMax = 400;

/** Files of a source that a person wrote and reads, in a fixed order. */
export function sourceFiles(source: Source, root: string): readonly string[] {
  const found: string[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = posix.join(folder, entry.name);
      if (skipped.test(path) || found.length >= filesMax) continue;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile() && endings[source.language].test(path) && readable(join(root, path))) found.push(path);
    }
  };
  if (existsSync(join(root, source.folder))) walk(source.folder);
  return found;
}

function readable(path: string): boolean {
  const { size } = statSync(path);
  if (size < fileBytes.min || size > fileBytes.max) return false;
  return readFileSync(path, "utf8")
    .split("\n")
    .every((line) => line.length <= lineMax);
}

export const digestOf = (text: string) => createHash("sha256").update(text).digest("hex");

/** The hole of a reference; a word when its source is not here or is another. */
export function holeOf(reference: SpanReference, folder: string): Hole | "missing" | "differs" {
  const root = findSource(reference, folder);
  const path = root === undefined ? "" : join(root, reference.file);
  if (root === undefined || !existsSync(path)) return "missing";
  const text = readFileSync(path, "utf8");
  const end = reference.offset + reference.length;
  const gold = text.slice(reference.offset, end);
  if (digestOf(gold) !== reference.sha256) return "differs";
  const { id, language, file } = reference;
  return { id, language, path: file, prefix: text.slice(0, reference.offset), suffix: text.slice(end), gold };
}
