// sources: paths of files and folders in, the source files in them out, each with the package it is part of: the folder of the
// nearest package.json, or the one below site-packages. Bounded by `filesMax` and `foldersMax`.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { SlipstreamError } from "../../lib/errors.ts";
import { languageOf } from "../../lib/languages.ts";
import type { Source } from "./generate.ts";
import { traceLimits } from "./trace.ts";

interface SourcesOptions {
  /** Of one package alone. */
  readonly package?: string;
  /** Files with more and fewer characters are left out, when they were not named themselves. */
  readonly utf16Min?: number;
  readonly utf16Max?: number;
  readonly filesMax?: number;
}

const foldersMax = 20_000;
/** What is no code that people type: built, generated, other people's, data. */
const passedOver = /^(\.|node_modules$|dist$|build$|__pycache__$|coverage$|vendor$)|\.min\.|\.d\.[cm]?ts$/;
const typedByPeople = new Set(
  "typescript typescriptreact javascript javascriptreact python go rust java c cpp csharp ruby php kotlin swift shellscript".split(
    " ",
  ),
);

export function sourcesOf(paths: readonly string[], options: SourcesOptions = {}): Source[] {
  const { utf16Min = 1_000, utf16Max = 200_000, filesMax = 2_000 } = options;
  const found: Source[] = [];
  const packages: Packages = new Map();
  let folders = 0;
  const take = (path: string, named: boolean) => {
    const part = packageOf(path, packages);
    if (options.package !== undefined && part !== options.package) return;
    const bytes = statSync(path).size;
    // UTF-8 has at most three bytes a unit.
    if (!named && (bytes < utf16Min || bytes > 3 * utf16Max)) return;
    const text = decoded(path, named);
    if (text === undefined || text === "" || (!named && (text.length < utf16Min || text.length > utf16Max))) return;
    if (text.length > traceLimits.documentUtf16Max)
      throw new SlipstreamError("invalid_request", `${path}: longer than ${traceLimits.documentUtf16Max} characters`);
    found.push({
      path: relative("", path) || path,
      language: languageOf(path),
      ...(part !== undefined && { package: part }),
      text,
    });
  };
  const walk = (folder: string) => {
    folders += 1;
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (found.length >= filesMax || folders >= foldersMax) return;
      const path = join(folder, entry.name);
      if (passedOver.test(entry.name)) continue;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile() && typedByPeople.has(languageOf(entry.name))) take(path, false);
    }
  };
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) throw new SlipstreamError("not_found", `${path}: no such file or folder`);
    if (stat.isDirectory()) walk(path);
    else take(path, true);
  }
  if (found.length === 0)
    throw new SlipstreamError(
      "not_found",
      `no source files${options.package === undefined ? "" : ` of package ${options.package}`} in ${paths.join(", ")}`,
    );
  return found;
}

/** Names by folder. */
type Packages = Map<string, string | undefined>;

function packageOf(path: string, packages: Packages): string | undefined {
  const parts = path.split(sep);
  const below = parts.lastIndexOf("site-packages");
  if (below >= 0 && below < parts.length - 1) return parts[below + 1]?.replace(/\.py$/, "");
  return ofFolder(dirname(resolve(path)), packages);
}

function ofFolder(folder: string, packages: Packages): string | undefined {
  if (packages.has(folder)) return packages.get(folder);
  const manifest = join(folder, "package.json");
  const parent = dirname(folder);
  const name =
    (existsSync(manifest) ? nameIn(manifest) : undefined) ?? (parent === folder ? undefined : ofFolder(parent, packages));
  packages.set(folder, name);
  return name;
}

/** Manifests without a name only say how the files beside them are read. */
function nameIn(manifest: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(manifest, "utf8")) as { name?: unknown };
    return typeof name === "string" && name !== "" ? name : undefined;
  } catch {
    return basename(dirname(manifest));
  }
}

function decoded(path: string, mustBe: boolean): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch {
    if (mustBe) throw new SlipstreamError("invalid_request", `${path} cannot be read as UTF-8 text`);
    return undefined;
  }
}
