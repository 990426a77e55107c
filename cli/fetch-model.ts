// fetch-model: a source and what it must be in, the files in their folder out. A file is written beside its place, proved, and
// renamed last; the folder is marked when it is whole.
import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { open, type Reach } from "./fetch-http.ts";

export interface Wanted {
  readonly source: string;
  readonly to: string;
  readonly revision: string;
  readonly checksum: string | undefined;
  readonly mirror: string | undefined;
  readonly proxy: string | undefined;
  readonly ca: string | undefined;
  readonly tokenFile: string | undefined;
}

interface Deps {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly progress: (name: string, bytes: number, total: number | undefined) => void;
}

interface File {
  readonly name: string;
  readonly url: string;
  /** As its source says it is. */
  readonly sha256: string | undefined;
}

const mark = ".slipstream-fetched";
const hub = "https://huggingface.co";
const filesMax = 1_000;
const tries = 5;

export async function fetchModel(wanted: Wanted, deps: Deps): Promise<string[]> {
  const { to, revision, checksum } = wanted;
  const whole = join(to, mark);
  const expected = `${revision} ${checksum ?? ""}\n`;
  mkdirSync(to, { recursive: true });
  // Whoever comes second finds it done: a claim that many pods fill is filled once.
  if (existsSync(whole) && readFileSync(whole, "utf8").startsWith(expected))
    return readFileSync(whole, "utf8").trimEnd().split("\n").slice(1);
  const reach: Reach = {
    proxy: wanted.proxy,
    ca: wanted.ca === undefined ? undefined : readFileSync(wanted.ca, "utf8"),
    token: wanted.tokenFile === undefined ? undefined : readFileSync(wanted.tokenFile, "utf8").trim(),
    signal: deps.signal,
  };
  const files = await listed(wanted, reach);
  const digests: string[] = [];
  for (const file of files) digests.push(`${await brought(file, to, reach, deps)}  ${file.name}`);
  const only =
    digests.length === 1
      ? (digests[0] ?? "").slice(0, 64)
      : sha256(
          [...digests]
            .sort()
            .map((line) => `${line}\n`)
            .join(""),
        );
  const must = checksum ?? (revision.startsWith("sha256:") ? revision : undefined);
  if (must !== undefined && must !== `sha256:${only}`) {
    for (const { name } of files) rmSync(join(to, name), { force: true });
    throw new SlipstreamError(
      "model_unusable",
      `what ${wanted.source} gave has sha256:${only}, and ${must} is wanted; it was thrown away`,
    );
  }
  writeFileSync(`${whole}.part`, `${expected}${files.map(({ name }) => `${name}\n`).join("")}`);
  renameSync(`${whole}.part`, whole);
  return files.map(({ name }) => name);
}

async function listed({ source, revision, mirror }: Wanted, reach: Reach): Promise<File[]> {
  if (source.startsWith("file://")) return [{ name: basename(fileURLToPath(source)), url: source, sha256: undefined }];
  if (!source.startsWith("hf://")) return [{ name: basename(new URL(source).pathname) || "model", url: source, sha256: undefined }];
  const repository = source.slice("hf://".length);
  const base = (mirror ?? hub).replace(/\/$/, "");
  const commit = revision.startsWith("sha256:") ? "main" : revision;
  const { body } = await open(`${base}/api/models/${repository}/revision/${commit}?blobs=true`, reach);
  let text = "";
  for await (const part of body) text += part;
  const { siblings = [] } = JSON.parse(text) as { siblings?: { rfilename: string; lfs?: { sha256?: string } }[] };
  if (siblings.length === 0 || siblings.length > filesMax)
    throw new SlipstreamError("model_unusable", `${source} lists ${siblings.length} files; 1 to ${filesMax} are fetched`);
  return siblings.map(({ rfilename, lfs }) => {
    // A name from outside never leaves the folder.
    if (normalize(rfilename).startsWith("..") || rfilename.startsWith("/") || rfilename.includes("\0"))
      throw new SlipstreamError("model_unusable", `${source} lists a file outside of its folder: ${rfilename}`);
    return { name: rfilename, url: `${base}/${repository}/resolve/${commit}/${encodeURI(rfilename)}`, sha256: lfs?.sha256 };
  });
}

/** Returns the file's digest. */
async function brought(file: File, to: string, reach: Reach, deps: Deps): Promise<string> {
  const path = join(to, file.name);
  const part = `${path}.part`;
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path)) {
    const digest = await digestOf(path);
    if (file.sha256 === undefined || file.sha256 === digest) return digest;
  }
  for (let tried = 1; ; tried++) {
    try {
      await download(file, part, reach, deps);
      break;
    } catch (thrown) {
      const error = SlipstreamError.from(thrown);
      if (!error.row.retryable || tried >= tries || deps.signal.aborted) throw error;
      await deps.clock.sleep(500 * 2 ** tried, deps.signal);
    }
  }
  const digest = await digestOf(part);
  if (file.sha256 !== undefined && file.sha256 !== digest) {
    rmSync(part);
    throw new SlipstreamError(
      "model_unusable",
      `${file.name} has sha256:${digest}, and its source says sha256:${file.sha256}; it was thrown away`,
    );
  }
  renameSync(part, path);
  return digest;
}

async function download({ name, url }: File, part: string, reach: Reach, { progress, signal }: Deps): Promise<void> {
  if (url.startsWith("file://")) return pipeline(createReadStream(fileURLToPath(url)), createWriteStream(part), { signal });
  const have = existsSync(part) ? statSync(part).size : 0;
  const { body, resumed, length } = await open(url, reach, have);
  let bytes = resumed ? have : 0;
  const total = length === undefined ? undefined : bytes + length;
  const file = openSync(part, resumed ? "a" : "w");
  try {
    await new Promise<void>((resolve, reject) => {
      // At once, piece by piece: what waits in a stream that breaks off is lost, and would be fetched again.
      body.on("data", (piece: Buffer) => {
        try {
          writeSync(file, piece);
        } catch (thrown) {
          body.destroy(thrown as Error);
          return;
        }
        bytes += piece.length;
        progress(name, bytes, total);
      });
      body.once("end", resolve).once("error", reject);
    });
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const { code, message } = thrown as NodeJS.ErrnoException;
    throw code === "ENOSPC"
      ? new SlipstreamError("config", `${part}: the volume is full`, { cause: thrown })
      : new SlipstreamError("unavailable", `${url} broke off: ${message}`, { cause: thrown });
  } finally {
    closeSync(file);
  }
  if (total !== undefined && bytes !== total)
    throw new SlipstreamError("unavailable", `${url} broke off after ${bytes} of ${total} bytes`);
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
