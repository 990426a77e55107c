// file-tokenizer: a model's tokenizer.json in, its vocabulary out. Text is encoded without a look at special tokens, so that no
// code of a user can spell one. The file is read once; what was encoded is remembered within a bound.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { SlipstreamError } from "../../lib/errors.ts";
import { type Remembering, remembering } from "./encoded.ts";
import { LoopTurns } from "./loop-turns.ts";
import { bytesBehind, type EngineTokenizer } from "./tokenizer.ts";

/** The largest vocabularies in use are some 35 MB. */
const fileBytesMax = 128 << 20;
/** Pieces of the prompts of some hundred documents. */
const encodedMax = { textsMax: 10_000, bytesMax: 16 << 20 };

const part = z.looseObject({ type: z.string() });
const shape = z.looseObject({
  added_tokens: z
    .array(z.looseObject({ id: z.number().int().min(0), content: z.string(), special: z.boolean().default(true) }))
    .default([]),
  decoder: part.nullish(),
  pre_tokenizer: part.nullish(),
  model: z.looseObject({ vocab: z.union([z.record(z.string(), z.number()), z.array(z.tuple([z.string(), z.number()]))]) }),
});
type Shape = z.infer<typeof shape>;

export class FileTokenizer implements EngineTokenizer {
  readonly kind = "file";
  readonly encodeText: Remembering;
  readonly #specials: ReadonlyMap<string, number>;
  readonly #turns = new LoopTurns();
  /** What all tokens spell, one behind the other, and where each begins. */
  readonly #spelled: Spelled;

  private constructor(raw: unknown, path: string) {
    const read = shape.safeParse(raw);
    if (!read.success) throw unreadable(path, "is no tokenizer.json (no model with a vocabulary)");
    const { added_tokens: added } = read.data;
    this.#specials = new Map(added.map(({ content, id }) => [content, id]));
    this.#spelled = spelledTokens(read.data);
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

  /** Texts that are new take the processor for milliseconds each: one in a turn of the event loop. */
  async know(texts: readonly string[], signal: AbortSignal): Promise<void> {
    for (const text of texts) {
      if (this.encodeText.knows(text)) continue;
      await this.#turns.next();
      if (signal.aborted) throw new SlipstreamError("cancelled", "nobody waits for its tokens any more");
      this.encodeText(text);
    }
  }

  /** Whether there is one that can be used. */
  static isAt(path: string): Promise<boolean> {
    return FileTokenizer.open(path).then(
      () => true,
      () => false,
    );
  }

  /** The given one must be there; else the one at `path`, without which, as `why` says, the engine cannot be used. */
  static async openFor(given: string, path: string, why: string): Promise<FileTokenizer> {
    try {
      return await FileTokenizer.open(given === "" ? path : given);
    } catch (thrown) {
      if (given !== "") throw thrown;
      const says = `${why}, and the model's vocabulary is not on this machine (${path === "" ? "the engine does not say where" : path})`;
      throw new SlipstreamError("model_unusable", `${says}; set SLIPSTREAM_WORKER_TOKENIZER to the model's folder`, {
        cause: thrown,
      });
    }
  }

  specialToken(text: string): number | undefined {
    return this.#specials.get(text);
  }

  bytesOf(token: number): number {
    const { starts } = this.#spelled;
    return token + 1 < starts.length ? (starts[token + 1] as number) - (starts[token] as number) : 0;
  }

  /** What a token spells in a text; undefined for special ones, which no text shows. */
  spell(token: number): Uint8Array | undefined {
    const { bytes, starts, hidden } = this.#spelled;
    if (hidden.has(token) || token + 1 >= starts.length) return undefined;
    return bytes.subarray(starts[token], starts[token + 1]);
  }
}

interface Spelled {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly hidden: ReadonlySet<number>;
}

function spelledTokens({ added_tokens: added, decoder, pre_tokenizer, model }: Shape): Spelled {
  const entries = Array.isArray(model.vocab) ? model.vocab.map(([text], id) => [text, id] as const) : Object.entries(model.vocab);
  const byteLevel = JSON.stringify([decoder, pre_tokenizer]).includes('"ByteLevel"');
  const texts: Uint8Array[] = [];
  for (const [text, id] of entries) texts[id] = bytesBehind(text, byteLevel);
  for (const { content, id } of added) texts[id] = Buffer.from(content);
  const starts = new Uint32Array(texts.length + 1);
  for (let id = 0; id < texts.length; id++) starts[id + 1] = (starts[id] as number) + (texts[id]?.length ?? 0);
  const bytes = Buffer.concat(Array.from(texts, (text) => text ?? new Uint8Array()));
  return { bytes, starts, hidden: new Set(added.flatMap(({ id, special }) => (special ? [id] : []))) };
}

function unreadable(path: string, why: string, cause?: unknown): SlipstreamError {
  return new SlipstreamError("model_unusable", `the tokenizer ${path} ${why}`, { cause });
}
