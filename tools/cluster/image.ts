// image: the project's Dockerfile in, an archive that a node imports out, made by buildah without a daemon. The base is made here of
// the system's own packages and a pinned Node, because no registry of images may be at hand. What has not changed is not made again.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../child.ts";
import { command } from "../command.ts";
import { prune, used } from "./archives.ts";
import { pauseImage } from "./node.ts";

export const natsImage = "localhost/nats";
export const imageName = "localhost/slipstream";

export interface ImagePrograms {
  readonly buildah: string;
  readonly mmdebstrap: string;
  /** A Node of the line that the Dockerfile names. */
  readonly node24: string;
  readonly nats: string;
}

export interface Archive {
  readonly path: string;
  readonly tag: string;
}

/** What the program needs of a system, and nothing to install more with. */
const packages = ["libstdc++6", "libgomp1", "libatomic1", "ca-certificates"];
const baseName = "localhost/node:24";

function imagesFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "slipstream", "images");
}

interface BuildOptions {
  /** A checkout: this one, or another of the same project. */
  readonly from?: string;
  /** Makes every layer anew, under a tag of its own. */
  readonly anew?: string;
  readonly folder?: string;
}

/** The image of a checkout, tagged by its content. */
export async function buildImage(
  programs: ImagePrograms,
  say: (line: string) => void,
  { from = root, anew, folder = imagesFolder() }: BuildOptions = {},
): Promise<Archive> {
  const base = await baseImage(programs, say, folder);
  const tag = `${digest([base, ...(await contextFiles(from))]).slice(0, 16)}${anew === undefined ? "" : `-${anew}`}`;
  const path = join(folder, `slipstream-${tag}.tar`);
  if (existsSync(path)) {
    used(path);
    return { path, tag };
  }
  say(`image ${tag}: building the Dockerfile`);
  const secrets = mkdtempSync(join(tmpdir(), "slipstream-image-"));
  try {
    await patiently(async () =>
      command(
        [
          ...[...buildah(programs, folder), "bud", "--isolation", "chroot", "--timestamp", "0", "--network", "host"],
          ...["--layers", ...(anew === undefined ? [] : ["--no-cache"])],
          ...["--build-arg", `NODE_IMAGE=${baseName}`, "--pull-never", ...(await registryOfThisMachine(secrets))],
          ...["--volume", `${await npm("config", "get", "cache")}:/root/.npm`, "--tag", `${imageName}:${tag}`, from],
        ],
        "buildah could not build the Dockerfile",
      ),
    );
  } finally {
    rmSync(secrets, { recursive: true, force: true });
  }
  await archive(programs, folder, `${imageName}:${tag}`, path);
  for (const old of prune(folder))
    await command([...buildah(programs, folder), "rmi", "--force", `${imageName}:${old}`], "").catch(() => "");
  return { path, tag };
}

/** On a busy machine buildah now and then cannot seal the copy of itself that it runs on; layers that are made stay made. */
async function patiently(build: () => Promise<unknown>): Promise<void> {
  for (let tries = 3; ; tries--) {
    try {
      await build();
      return;
    } catch (thrown) {
      if (tries <= 1 || !(thrown as Error).message.includes("Device or resource busy")) throw thrown;
    }
  }
}

/** What holds a pod's network open: the base with nothing to do. */
export async function pauseArchive(programs: ImagePrograms, say: (line: string) => void, folder = imagesFolder()): Promise<string> {
  const base = await baseImage(programs, say, folder);
  const path = join(folder, `pause-${base}.tar`);
  if (!existsSync(path)) {
    const container = (await command([...buildah(programs, folder), "from", "--pull-never", baseName], "no container")).trim();
    const run = (...words: string[]) => command([...buildah(programs, folder), ...words], "buildah could not make the pause image");
    await run("config", "--entrypoint", '["sleep","infinity"]', "--user", "65535:65535", container);
    await run("commit", "--timestamp", "0", "--rm", container, pauseImage);
    await archive(programs, folder, pauseImage, path);
  }
  return path;
}

/** The bus, as the chart's own: a stand-in for NATS's official image, with the same words after its entrypoint. */
export async function natsArchive(programs: ImagePrograms, version: string, folder = imagesFolder()): Promise<string> {
  const path = join(folder, `nats-${version}.tar`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const run = (...words: string[]) => command([...buildah(programs, folder), ...words], "buildah could not make the bus's image");
  const container = (await run("from", "scratch")).trim();
  await run("copy", "--quiet", container, programs.nats, "/nats-server");
  await run("config", "--entrypoint", '["/nats-server"]', container);
  const name = `${natsImage}:${version}`;
  await run("commit", "--quiet", "--timestamp", "0", "--rm", container, name);
  await archive(programs, folder, name, path);
  return path;
}

const buildah = ({ buildah: program }: ImagePrograms, folder: string) => [
  ...[program, "--root", join(folder, "storage"), "--runroot", join(folder, "run"), "--storage-driver", "overlay"],
];

async function archive(programs: ImagePrograms, folder: string, name: string, path: string): Promise<void> {
  const half = `${path}.${process.pid}`;
  await command([...buildah(programs, folder), "push", "--quiet", name, `docker-archive:${half}:${name}`], "no archive");
  renameSync(half, path);
}

/** Returns what it was made of, as a digest. */
async function baseImage(programs: ImagePrograms, say: (line: string) => void, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const made = digest([...packages, readFileSync(programs.node24).length, 1]).slice(0, 16);
  const mark = join(folder, `base-${made}`);
  if (existsSync(mark)) return made;
  say(`image ${baseName}: making it of the system's packages and Node (a minute)`);
  const work = mkdtempSync(join(folder, "base-work-"));
  try {
    const tar = join(work, "base.tar");
    const unread = ["doc", "man", "locale", "info"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
    const npmFolder = join((await npm("root", "--global")).trim(), "npm");
    await command(
      [
        ...[programs.mmdebstrap, "--quiet", "--mode=root", "--variant=essential", `--include=${packages.join(",")}`, ...unread],
        ...["--dpkgopt=path-include=/usr/share/doc/*/copyright", `--customize-hook=mkdir -p "$1/usr/local/lib/node_modules"`],
        `--customize-hook=cp -a '${npmFolder}' "$1/usr/local/lib/node_modules/npm"`,
        `--customize-hook=cp '${programs.node24}' "$1/usr/local/bin/node"`,
        `--customize-hook=ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"`,
        ...["bookworm", tar, "/etc/apt/sources.list.d/debian.sources"],
      ],
      "mmdebstrap could not make a base",
    );
    const run = (...words: string[]) => command([...buildah(programs, folder), ...words], "buildah could not make the base");
    const container = (await run("from", "scratch")).trim();
    await run("add", "--quiet", container, tar, "/");
    await run("config", "--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", container);
    await run("commit", "--quiet", "--timestamp", "0", "--rm", container, baseName);
    writeFileSync(mark, "");
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return made;
}

const npm = async (...words: string[]) => (await command(["npm", ...words], "npm does not answer")).trim();

/** npm's own settings of this machine, for the build alone. */
async function registryOfThisMachine(secrets: string): Promise<string[]> {
  const ca = await npm("config", "get", "cafile");
  const lines = [`registry=${await npm("config", "get", "registry")}`, ...(ca === "null" ? [] : ["cafile=/run/secrets/ca.crt"])];
  writeFileSync(join(secrets, "npmrc"), `${lines.join("\n")}\n`, { mode: 0o600 });
  return ["--secret", `id=npmrc,src=${join(secrets, "npmrc")}`, ...(ca === "null" ? [] : ["--secret", `id=ca,src=${ca}`])];
}

/** Names and contents of all that the Dockerfile may read. */
async function contextFiles(from: string): Promise<string[]> {
  const words = ["git", "ls-files", "--cached", "--others", "--exclude-standard"];
  const listed = await command(words, "git does not answer", { cwd: from });
  const read =
    /^(Dockerfile|\.dockerignore|\.npmrc|package(-lock)?\.json|LICENSE|tsconfig.*\.json|(main|up)\.ts|models\/[^/]+|(bin|bench|cli|console|editor|learn|lib|operator|proto|router|sim|workers)\/.*)$/;
  return listed
    .split("\n")
    .filter((path) => read.test(path) && !path.endsWith(".test.ts") && existsSync(join(from, path)))
    .sort()
    .flatMap((path) => [path, digest([readFileSync(join(from, path), "latin1")])]);
}

function digest(parts: readonly (string | number)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part}\n`);
  return hash.digest("hex");
}
