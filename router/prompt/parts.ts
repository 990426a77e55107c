// parts: what a prompt is made of, before a family's form is put around it. Each text is a segment that the worker encodes
// apart, and ends where it will still end at the next key.

/** A piece of other code. */
export interface Chunk {
  readonly path: string;
  readonly text: string;
}

export interface Parts {
  /** Stable ones first, in an order that stays from key to key. */
  readonly chunks: readonly Chunk[];
  /** The text before the cursor is `head`, then `tail`: from the last cut on, which moves seldom (cuts.ts). */
  readonly head: readonly string[];
  readonly tail: string;
  readonly suffix: string;
}
