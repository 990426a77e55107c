// utf8-pieces: tokens in, whole characters out. A byte-level token may end inside a character; it waits here until the tokens
// that complete it have come. Holds at most `heldTokensMax` tokens of one generation.

/** Four bytes make the longest character; a token has at least one. */
const heldTokensMax = 4;
const replacement = "\uFFFD";

export interface Text {
  readonly text: string;
  readonly tokens: number;
  readonly confidence?: number;
}

export class Utf8Pieces {
  readonly #detokenize: (tokens: readonly number[], before: readonly number[]) => string;
  /** Tokens already given out that the detokeniser looks at (leading spaces of some vocabularies). */
  #before: readonly number[];
  /** What the first tokens spell again after healing: it stands before the cursor already. */
  #strip: string;
  #held: number[] = [];
  #confidences: number[] = [];

  constructor(
    options: { before: readonly number[]; strip?: string },
    deps: { detokenize(tokens: readonly number[], before: readonly number[]): string },
  ) {
    this.#before = options.before.slice(-heldTokensMax);
    this.#strip = options.strip ?? "";
    this.#detokenize = deps.detokenize;
  }

  push(token: number, confidence: number | undefined): Text | undefined {
    this.#held.push(token);
    if (confidence !== undefined) this.#confidences.push(confidence);
    const text = this.#detokenize(this.#held, this.#before);
    if (text.endsWith(replacement) && this.#held.length < heldTokensMax) return undefined;
    return this.#give(text);
  }

  /** What is left when the generation ends: a character that never became whole is dropped, its tokens are counted. */
  flush(): Text | undefined {
    if (this.#held.length === 0) return undefined;
    return this.#give(this.#detokenize(this.#held, this.#before).replace(/\uFFFD+$/, ""));
  }

  #give(whole: string): Text {
    const stripped = Math.min(this.#strip.length, whole.length);
    this.#strip = this.#strip.slice(stripped);
    const text = whole.slice(stripped);
    const tokens = this.#held.length;
    const known = this.#confidences;
    const confidence = known.length === tokens ? known.reduce((sum, one) => sum + one, 0) / tokens : undefined;
    this.#before = [...this.#before, ...this.#held].slice(-heldTokensMax);
    this.#held = [];
    this.#confidences = [];
    return confidence === undefined ? { text, tokens } : { text, tokens, confidence };
  }
}
