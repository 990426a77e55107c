// editors: how clients that speak HTTP ask, from the plainest to the best that a client can do by itself. A document, a cursor
// and an editor's manners in, the prompt as text out. Pure. All see the same piece of the document: `prefixUtf16` before the
// cursor, `suffixUtf16` after it.

export const editorNames = ["naive", "careful", "expert"] as const;
export type EditorName = (typeof editorNames)[number];

export interface Manners {
  /** "sliding": the last so many characters; "anchored": its start moves seldom, by half a window. */
  readonly window: "sliding" | "anchored";
  readonly order: "prefix_first" | "suffix_first";
  /** After each key, before anything is asked. */
  readonly debounceMs: number;
  /** The next key ends a request that is no longer wanted. */
  readonly cancels: boolean;
  /** What is typed of the text that is shown, or that is coming, is not asked for again. */
  readonly typesThrough: boolean;
  /** Ends a request when its first statement or block is there. */
  readonly cuts: boolean;
  readonly stop: readonly string[];
}

export const editors: Readonly<Record<EditorName, Manners>> = {
  naive: {
    ...{ window: "sliding", order: "prefix_first", debounceMs: 0 },
    ...{ cancels: false, typesThrough: false, cuts: false, stop: [] },
  },
  careful: {
    ...{ window: "anchored", order: "prefix_first", debounceMs: 75 },
    ...{ cancels: true, typesThrough: false, cuts: false, stop: ["\n\n"] },
  },
  expert: {
    ...{ window: "anchored", order: "suffix_first", debounceMs: 0 },
    ...{ cancels: true, typesThrough: true, cuts: true, stop: ["\n\n"] },
  },
};

export const windowUtf16 = { prefix: 5_250, suffix: 1_750 } as const;

export function promptOf(text: string, cursor: number, { window, order }: Pick<Manners, "window" | "order">): string {
  const start = window === "sliding" ? Math.max(0, cursor - windowUtf16.prefix) : anchor(text, cursor);
  const prefix = text.slice(start, cursor);
  const suffix = suffixOf(text, cursor);
  return order === "prefix_first"
    ? `<|fim_prefix|>${prefix}<|fim_suffix|>${suffix}<|fim_middle|>`
    : `<|fim_suffix|>${suffix}<|fim_prefix|>${prefix}`;
}

/** A multiple of half a window, moved on to the next line. */
function anchor(text: string, cursor: number): number {
  if (cursor <= windowUtf16.prefix) return 0;
  const step = windowUtf16.prefix / 2;
  const start = Math.ceil((cursor - windowUtf16.prefix) / step) * step;
  const line = text.indexOf("\n", start);
  return line >= 0 && line < start + step / 2 ? line + 1 : start;
}

/** Up to a line end, where there is one. */
function suffixOf(text: string, cursor: number): string {
  const suffix = text.slice(cursor, cursor + windowUtf16.suffix);
  const line = suffix.lastIndexOf("\n");
  return cursor + windowUtf16.suffix < text.length && line > 0 ? suffix.slice(0, line + 1) : suffix;
}
