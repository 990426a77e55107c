// gguf-file: a path in, nothing or a sentence out. Looks at what can be told from outside (there, a file, readable, the magic
// number, version and counts that make sense) before llama.cpp sees a byte; the tensors are checked by llama.cpp in the child.
import { constants } from "node:fs";
import { access, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { SlipstreamError } from "../../../lib/errors.ts";

/** Magic, version, tensor count, metadata count. */
const headerBytes = 24;
/** The largest models have some thousands of tensors and some hundreds of keys. */
const tensorsMax = 1_000_000n;
const keysMax = 1_000_000n;

/** A folder that holds one model, as a fetched one does, stands for its file. */
export async function ggufFileAt(path: string): Promise<string> {
  const names = (await readdir(path).catch(() => [])).filter((name) => name.endsWith(".gguf"));
  return names.length === 1 ? join(path, names[0] as string) : path;
}

export async function checkGgufFile(path: string): Promise<void> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw unusable(path, cause.code === "ENOENT" ? "there is no such file" : `it cannot be read (${cause.code})`, cause);
  });
  if (!info.isFile())
    throw unusable(path, info.isDirectory() ? "it is a folder without one .gguf file; give the file" : "it is not a file");
  await access(path, constants.R_OK).catch((cause: NodeJS.ErrnoException) => {
    throw unusable(path, `it may not be read by this user (${cause.code})`, cause);
  });
  const header = await readHeader(path);
  const problem = headerProblem(header);
  if (problem) throw unusable(path, problem);
}

export function unusable(path: string, problem: string, cause?: unknown): SlipstreamError {
  return new SlipstreamError(
    "model_unusable",
    `the model ${path} cannot be used: ${problem}`,
    cause === undefined ? {} : { cause },
  );
}

async function readHeader(path: string): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What is wrong with the first bytes of a GGUF file; undefined when nothing is. */
export function headerProblem(header: Buffer): string | undefined {
  if (header.length === 0) return "it is empty";
  if (header.subarray(0, 4).toString("latin1") !== "GGUF") {
    return header.toString("latin1").startsWith("version https://git-lfs")
      ? "it is a Git LFS pointer, not the file itself"
      : "it is not a GGUF file (its first four bytes are not GGUF)";
  }
  if (header.length < headerBytes) return "it is cut off inside its header";
  const version = header.readUInt32LE(4);
  if (version === 0x02000000 || version === 0x03000000) return "it is a big-endian GGUF file";
  if (version < 2 || version > 3) return `its GGUF version ${version} is not known here (2 and 3 are)`;
  if (header.readBigUInt64LE(8) > tensorsMax) return "its header is corrupt (count of tensors)";
  if (header.readBigUInt64LE(16) > keysMax) return "its header is corrupt (count of metadata keys)";
  return undefined;
}
