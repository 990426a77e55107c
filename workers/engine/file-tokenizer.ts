// file-tokenizer: a model's tokenizer.json in, its vocabulary out. Text is encoded without a look at special tokens, so that no
// code of a user can spell one. The file is read once; what was encoded is remembered within a bound.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { SlipstreamError } from "../../lib/errors.ts";
import { remembering } from "./encoded.ts";
import { bytesBehind, type EngineTokenizer } from "./tokenizer.ts";

/** The largest vocabularies in use are some 35 MB. */
const fileBytesMax = 128 << 20;
/** Pieces of the prompts of some hundred documents. */
const encodedMax = { textsMax: 10_000, bytesMax: 16 << 20 };

const part = z.looseObject({ type: z.string() });
const shape = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.number().int().min(0), content: z.string() })).default([]),
  decoder: part.nullish(),
  pre_tokenizer: part.nullish(),
  model: z.looseObject({ vocab: z.union([z.record(z.string(), z.number()), z.array(z.tuple([z.string(), z.number()]))]) }),
});
type Shape = z.infer<typeof shape>;

export class FileTokenizer implements EngineTokenizer {
  readonly kind = "file";
  readonly encodeText: (text: string) => readonly number[];
  readonly #specials: ReadonlyMap<string, number>;
  readonly #bytes: Uint16Array;

  private constructor(raw: unknown, path: string) {
    const read = shape.safeParse(raw);
    if (!read.success) throw unreadable(path, "is no tokenizer.json (no model with a vocabulary)");
    const { added_tokens: added } = read.data;
    this.#specials = new Map(added.map(({ content, id }) => [content, id]));
    this.#bytes = byteCounts(read.data);
    const plain = new Tokenizer({ ...(raw as object), added_tokens: [] }, {});
    this.encodeText = remembering((text) => plain.encode(text, { add_special_tokens: false }).ids, encodedMax);
  }

  /** `path`: the file, or the folder of the model. */
  static async open(path: string): Promise<FileTokenizer> {
    const found = await stat(path).catch(() => undefined);
    const file = found?.isDirectory() ? join(path, "tokenizer.json") : path;
    const bytes = (await stat(file).catch(() => undefined))?.size;
    if (bytes === undefined) throw unreadable(file, "is not there");
    if (bytes > fileBytesMax) throw unreadable(file, `has ${bytes} bytes, more than ${fileBytesMax}`);
    try {
      return new FileTokenizer(JSON.parse(await readFile(file, "utf8")), file);
    } catch (thrown) {
      if (thrown instanceof SlipstreamError) throw thrown;
      throw unreadable(file, `cannot be used (${thrown instanceof Error ? thrown.message.slice(0, 200) : "unknown"})`, thrown);
    }
  }

  async know(): Promise<void> {}

  specialToken(text: string): number | undefined {
    return this.#specials.get(text);
  }

  bytesOf(token: number): number {
    return this.#bytes[token] ?? 0;
  }
}

function byteCounts({ added_tokens: added, decoder, pre_tokenizer, model }: Shape): Uint16Array {
  const entries = Array.isArray(model.vocab) ? model.vocab.map(([text], id) => [text, id] as const) : Object.entries(model.vocab);
  const last = [...entries.map(([, id]) => id), ...added.map(({ id }) => id)].reduce((most, id) => Math.max(most, id), 0);
  const counts = new Uint16Array(last + 1);
  const byteLevel = JSON.stringify([decoder, pre_tokenizer]).includes('"ByteLevel"');
  for (const [text, id] of entries) counts[id] = bytesBehind(text, byteLevel);
  for (const { content, id } of added) counts[id] = Buffer.byteLength(content);
  return counts;
}

function unreadable(path: string, why: string, cause?: unknown): SlipstreamError {
  return new SlipstreamError("model_unusable", `the tokenizer ${path} ${why}`, { cause });
}
