// sequence: one generation inside the pretend engine: its tokens, its memory, what it has said, and the mailbox its reader
// takes pieces from. The engine's steps move it on; it never waits by itself.
import type { Random } from "../../../lib/random.ts";
import { type Finished, type Generation, noUsage, type Piece, type Usage } from "../../generation.ts";
import type { Lease } from "./blocks.ts";
import type { TokenChain } from "./tokens.ts";

export interface SequenceParts {
  readonly work: Generation;
  /** Lower runs first: the lane's place, warming last. */
  readonly rank: number;
  /** Tokens to generate; 0 for warming. */
  readonly tokensMax: number;
  readonly chain: TokenChain;
  readonly text: Iterator<string, void>;
  readonly random: Random;
  readonly arrivedMs: number;
}

export class Sequence {
  readonly work: Generation;
  readonly rank: number;
  readonly tokensMax: number;
  readonly chain: TokenChain;
  readonly text: Iterator<string, void>;
  readonly random: Random;
  readonly arrivedMs: number;
  readonly promptTokens: number;
  readonly usage: Usage = noUsage();
  /** Memory, once admitted. */
  lease: Lease | undefined;
  admittedMs = 0;
  /** Prompt tokens whose KV is there. */
  computed = 0;
  firstTokenMs: number | undefined;
  /** Time of the reader's abort, if it came. */
  abortedMs: number | undefined;
  finished: Finished | undefined;
  readonly #pieces: Piece[] = [];
  #told = false;
  #wake: (() => void) | undefined;

  constructor(parts: SequenceParts) {
    this.work = parts.work;
    this.rank = parts.rank;
    this.tokensMax = parts.tokensMax;
    this.chain = parts.chain;
    this.text = parts.text;
    this.random = parts.random;
    this.arrivedMs = parts.arrivedMs;
    this.promptTokens = parts.chain.tokens;
    this.usage.promptTokens = this.promptTokens;
  }

  get prefilled(): boolean {
    return this.computed >= this.promptTokens;
  }

  /** What the prompt cost, to be told with the first piece and no other. */
  promptUse(): Pick<Piece, "prompt"> {
    if (this.#told) return {};
    this.#told = true;
    const { promptTokens, cachedTokens, recomputedTokens } = this.usage;
    return { prompt: { promptTokens, cachedTokens, recomputedTokens } };
  }

  /** At most `tokensMax` pieces are ever pushed. */
  push(piece: Piece): void {
    this.#pieces.push(piece);
    this.#wake?.();
  }

  /** The end, once; the memory is free again. */
  finish(finished: Finished): void {
    if (this.finished) return;
    this.finished = finished;
    this.lease?.release();
    this.#wake?.();
  }

  async *read(): AsyncGenerator<Piece, Finished> {
    for (;;) {
      for (let piece = this.#pieces.shift(); piece; piece = this.#pieces.shift()) yield piece;
      if (this.finished) return this.finished;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
