import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { packageRoot } from "../../lib/package-root.ts";
import { FileTokenizer } from "./file-tokenizer.ts";

const builtIn = join(packageRoot(), "models/tokenizer.json");
const texts = [
  "const total = items.reduce((sum, item) => sum + item.price, 0);\n",
  "漢字 und Gruß\r\n\t",
  "<|fim_prefix|>not a token",
  "",
];

test.each(texts)("the tokens of %j stand for all of its bytes", async (text) => {
  const tokenizer = await FileTokenizer.open(builtIn);
  const bytes = tokenizer.encodeText(text).reduce((sum, token) => sum + tokenizer.bytesOf(token), 0);
  expect(bytes).toBe(Buffer.byteLength(text));
});

test("a special token is one token by its text, and never comes from text", async () => {
  const tokenizer = await FileTokenizer.open(builtIn);
  const special = tokenizer.specialToken("<|fim_prefix|>") as number;
  expect(special).toBeGreaterThanOrEqual(0);
  expect(tokenizer.encodeText("a <|fim_prefix|> b")).not.toContain(special);
  expect(tokenizer.bytesOf(special)).toBe("<|fim_prefix|>".length);
  expect(tokenizer.specialToken("const")).toBeUndefined();
});

test("new texts are encoded one in a turn of the loop, and those that nobody waits for any more are not", async () => {
  const tokenizer = await FileTokenizer.open(builtIn);
  const long = (name: string) => `const ${name} = items.reduce((sum, item) => sum + item.price, 0);\n`;
  const stop = new AbortController();
  const waiting = tokenizer.know(["a", "b", "c"].map(long), stop.signal);
  const other = tokenizer.know([long("d")], new AbortController().signal);
  await nextTurn();
  await nextTurn();
  stop.abort();
  await expect(waiting).rejects.toThrow("nobody waits");
  await other;
  expect(["a", "c", "d"].map((name) => tokenizer.encodeText.knows(long(name)))).toEqual([true, false, true]);
});

test.each<[name: string, content: string | undefined, says: RegExp]>([
  ["nothing there", undefined, /is not there/],
  ["no JSON", "{", /cannot be used/],
  ["another JSON", '{"model":{}}', /no tokenizer.json/],
])("%s is told with the file's name", async (_, content, says) => {
  const folder = await mkdtemp(join(tmpdir(), "slipstream-tokenizer-"));
  try {
    const path = join(folder, "tokenizer.json");
    if (content !== undefined) await writeFile(path, content);
    await expect(FileTokenizer.open(path)).rejects.toThrow(says);
    await expect(FileTokenizer.open(path)).rejects.toThrow("tokenizer.json");
  } finally {
    await rm(folder, { recursive: true });
  }
});
