// asked-tokenizer: vLLM's POST /tokenize behind EngineTokenizer, where the model's files are not at hand. Each text is asked once
// and remembered within a bound; from key to key only the piece that is typed is new.
import { z } from "zod";
import { SlipstreamError } from "../../../lib/errors.ts";
import { Lru } from "../../../lib/structures/lru.ts";
import type { HttpEngine } from "../http.ts";
import { bytesBehind, type EngineTokenizer, spelledBytes } from "../tokenizer.ts";

const shape = z.looseObject({ tokens: z.array(z.number().int().min(0)), token_strs: z.array(z.string()).nullish() });

const rememberedMax = { textsMax: 10_000, bytesMax: 32 << 20 };
/** Of one prompt: a first prompt has dozens of pieces, and the connections are for generations too. */
const askedAtOnce = 4;
/** The largest vocabularies have some 260,000 tokens. */
const vocabularyMax = 1 << 19;

export class AskedTokenizer implements EngineTokenizer {
  readonly kind = "asked";
  readonly #model: string;
  readonly #http: Pick<HttpEngine, "ask">;
  readonly #known: Lru<{ readonly text: string; readonly tokens: readonly number[] }>;
  readonly #bytes = new Map<number, number>();

  constructor(options: { model: string }, deps: { http: Pick<HttpEngine, "ask"> }) {
    this.#model = options.model;
    this.#http = deps.http;
    this.#known = new Lru({
      max: rememberedMax.textsMax,
      maxWeight: rememberedMax.bytesMax,
      weigh: ({ text, tokens }) => 2 * text.length + 8 * tokens.length + 128,
    });
  }

  async know(texts: readonly string[], signal: AbortSignal): Promise<void> {
    const asked = [...new Set(texts)].filter((text) => text !== "" && !this.#known.get(text, 0));
    const some = async () => {
      for (let text = asked.pop(); text !== undefined; text = asked.pop()) await this.#ask(text, signal);
    };
    await Promise.all(Array.from({ length: Math.min(askedAtOnce, asked.length) }, some));
  }

  encodeText(text: string): readonly number[] {
    if (text === "") return [];
    const found = this.#known.get(text, 0);
    if (!found) throw new SlipstreamError("internal", "a text was encoded before it was asked for");
    return found.tokens;
  }

  /** One token that is spelled as it is written is taken for a special one. */
  specialToken(text: string): number | undefined {
    const tokens = this.#known.get(text, 0)?.tokens ?? [];
    return tokens.length === 1 ? tokens[0] : undefined;
  }

  bytesOf(token: number): number {
    return this.#bytes.get(token) ?? 0;
  }

  async #ask(text: string, signal: AbortSignal): Promise<void> {
    const body = { model: this.#model, prompt: text, add_special_tokens: false, return_token_strs: true };
    const answer = await this.#http.ask("/tokenize", body, { signal });
    const read = answer.status === 200 ? shape.safeParse(parsed(answer.text)) : undefined;
    if (!read?.success)
      throw new SlipstreamError("engine_failed", `the engine does not tokenise (/tokenize: status ${answer.status})`);
    const { tokens, token_strs: strings } = read.data;
    this.#known.set(text, { text, tokens }, 0);
    if (!strings || this.#bytes.size > vocabularyMax) return;
    for (const [index, token] of tokens.entries()) {
      const string = strings[index] ?? "";
      this.#bytes.set(token, bytesBehind(string, spelledBytes(string) !== undefined && !string.includes("▁")).length);
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
