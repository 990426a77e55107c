// bringing: one pinned source in, its unpacked folder out. Downloads by the registry's own client, verifies the pinned digest
// before anything is unpacked, and renames into place last; what is there already is not brought again.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { SlipstreamError } from "../../lib/errors.ts";
import { broughtFolder, findSource, type Source } from "./sources.ts";

const run = promisify(execFile);

/** Where the source is now; throws a sentence when it cannot be brought. */
export async function bringSource(source: Source, folder: string): Promise<string> {
  const found = findSource(source, folder);
  if (found !== undefined) return found;
  const place = broughtFolder(folder, source);
  const work = `${place}.${process.pid}`;
  mkdirSync(join(work, "unpacked"), { recursive: true });
  try {
    const unpacked = await fetchers[source.ecosystem](source, work);
    mkdirSync(dirname(place), { recursive: true });
    renameSync(unpacked, place);
    return place;
  } catch (cause) {
    if (cause instanceof SlipstreamError) throw cause;
    const said = String((cause as { stderr?: unknown }).stderr || (cause as Error).message);
    const why = said.trim().split("\n").at(-1) ?? "";
    throw new SlipstreamError("unavailable", `${source.package} ${source.version} cannot be brought: ${why}`, { cause });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const fetchers: Readonly<Record<Source["ecosystem"], (source: Source, work: string) => Promise<string>>> = {
  async npm(source, work) {
    await run("npm", ["pack", "--silent", "--pack-destination", work, `${source.package}@${source.version}`]);
    await run("tar", ["-xzf", verified(source, work), "-C", join(work, "unpacked")]);
    return onlyFolder(join(work, "unpacked"));
  },
  async pypi(source, work) {
    const pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
    await run("python3", [...pip, "--dest", work, `${source.package}==${source.version}`]);
    await run("python3", ["-m", "zipfile", "-e", verified(source, work), join(work, "unpacked")]);
    return join(work, "unpacked");
  },
  async go(source, work) {
    const { stdout } = await run("go", ["mod", "download", "-json", `${source.package}@${source.version}`]);
    const module = JSON.parse(stdout) as { Sum: string; Dir: string };
    if (module.Sum !== source.sum) throw otherDigest(source, module.Sum);
    // The module cache is read-only; a copy can be removed.
    const unpacked = join(work, "unpacked");
    cpSync(module.Dir, unpacked, { recursive: true, mode: 0 });
    await run("chmod", ["-R", "u+w", unpacked]);
    return unpacked;
  },
};

function verified(source: Source, work: string): string {
  const name = readdirSync(work).find((each) => /\.(tgz|whl)$/.test(each));
  if (name === undefined) throw new SlipstreamError("unavailable", `the download of ${source.package} left no archive`);
  const digest = createHash("sha256")
    .update(readFileSync(join(work, name)))
    .digest("hex");
  if (digest !== source.sha256) throw otherDigest(source, digest);
  return join(work, name);
}

const otherDigest = ({ package: name, version }: Source, digest: string) =>
  new SlipstreamError("protocol", `${name} ${version} has digest ${digest}, another is pinned; it is not used`);

function onlyFolder(folder: string): string {
  const [name] = readdirSync(folder);
  if (name === undefined || !existsSync(join(folder, name))) throw new SlipstreamError("unavailable", "the archive is empty");
  return join(folder, name);
}
