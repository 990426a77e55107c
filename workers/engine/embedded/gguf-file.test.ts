import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkGgufFile, ggufFileAt, headerProblem } from "./gguf-file.ts";

function header(change: { magic?: string; version?: number; tensors?: bigint; keys?: bigint } = {}): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.write(change.magic ?? "GGUF", "latin1");
  bytes.writeUInt32LE(change.version ?? 3, 4);
  bytes.writeBigUInt64LE(change.tensors ?? 56n, 8);
  bytes.writeBigUInt64LE(change.keys ?? 30n, 16);
  return bytes;
}

const cases: [title: string, bytes: Buffer, problem: RegExp | undefined][] = [
  ["a header of version 3", header(), undefined],
  ["a header of version 2", header({ version: 2 }), undefined],
  ["an empty file", Buffer.alloc(0), /empty/],
  ["a text file", Buffer.from("hello, this is no model at all"), /not a GGUF file/],
  ["an LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\n"), /LFS pointer/],
  ["a file of the magic alone", Buffer.from("GGUF"), /cut off inside its header/],
  ["version 1", header({ version: 1 }), /version 1 is not known/],
  ["version 99", header({ version: 99 }), /version 99 is not known/],
  ["a big-endian file", header({ version: 0x03000000 }), /big-endian/],
  ["a wild count of tensors", header({ tensors: 1n << 60n }), /count of tensors/],
  ["a wild count of keys", header({ keys: 1n << 63n }), /count of metadata keys/],
];

test.each(cases)("%s is told by its header", (_title, bytes, problem) => {
  if (problem) expect(headerProblem(bytes)).toMatch(problem);
  else expect(headerProblem(bytes)).toBeUndefined();
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipstream-gguf-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a folder with one model stands for its file; with two, or none, for itself", async () => {
  const fetched = join(folder, "fetched");
  await mkdir(fetched);
  await writeFile(join(fetched, "config.json"), "{}");
  expect(await ggufFileAt(fetched)).toBe(fetched);
  await writeFile(join(fetched, "a.gguf"), header());
  expect(await ggufFileAt(fetched)).toBe(join(fetched, "a.gguf"));
  expect(await ggufFileAt(join(fetched, "a.gguf"))).toBe(join(fetched, "a.gguf"));
  await writeFile(join(fetched, "b.gguf"), header());
  expect(await ggufFileAt(fetched)).toBe(fetched);
});

test("a good header passes and a missing file, a folder and a bad header are model_unusable with a sentence", async () => {
  const good = join(folder, "good.gguf");
  await writeFile(good, header());
  await expect(checkGgufFile(good)).resolves.toBeUndefined();
  await expect(checkGgufFile(join(folder, "none.gguf"))).rejects.toMatchObject({
    code: "model_unusable",
    message: expect.stringMatching(/there is no such file/),
  });
  await expect(checkGgufFile(folder)).rejects.toMatchObject({ code: "model_unusable", message: expect.stringMatching(/a folder/) });
  const bad = join(folder, "bad.gguf");
  await writeFile(bad, "not a model");
  await expect(checkGgufFile(bad)).rejects.toMatchObject({ code: "model_unusable", message: expect.stringMatching(/not a GGUF/) });
});

test.skipIf(process.getuid?.() === 0)("a file that may not be read says so", async () => {
  const secret = join(folder, "secret.gguf");
  await writeFile(secret, header());
  await chmod(secret, 0o000);
  await expect(checkGgufFile(secret)).rejects.toMatchObject({
    code: "model_unusable",
    message: expect.stringMatching(/may not be read/),
  });
});
