// span: the nouns of an evaluation: where a span of real code lies, what is asked there, what came, and how it scored.
import { z } from "zod";

export const languages = ["typescript", "javascript", "python", "go"] as const;
export type Language = (typeof languages)[number];

/** rest: from a token of a line to its end · expression: inside a line · line: a whole one · block: several lines. */
export const kinds = ["rest", "expression", "line", "block"] as const;
export type SpanKind = (typeof kinds)[number];

/** Where a span lies: never its text. `sha256` is that of the span's text, so that another file is noticed. */
export const spanReference = z.object({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  language: z.enum(languages),
  kind: z.enum(kinds),
  ecosystem: z.enum(["npm", "pypi", "go"]),
  package: z.string().min(1).max(200),
  version: z.string().min(1).max(50),
  file: z.string().min(1).max(500),
  /** UTF-16 units from the file's beginning. */
  offset: z.number().int().min(0),
  length: z.number().int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type SpanReference = z.infer<typeof spanReference>;

/** A hole in a document, and what stood there. */
export interface Hole {
  readonly id: string;
  readonly language: Language;
  readonly path: string;
  readonly prefix: string;
  readonly suffix: string;
  readonly gold: string;
}

/** What a completion server said of a hole. Text "" is an answer too. */
export interface Answer {
  readonly text: string;
  readonly outcome: string;
  readonly finish: string;
  readonly firstTextMs: number;
  readonly totalMs: number;
  readonly promptTokens: number;
  /** Mean probability of the first tokens, where the way to the engine tells it. */
  readonly confidence?: number;
}

/** Asks one completion server for the text of a hole, greedily. */
export type Ask = (hole: Hole, signal: AbortSignal) => Promise<Answer>;

export const score = z.object({
  /** The first line that has anything on it is the one that stood there. */
  exact: z.boolean(),
  /** 1 − edit distance over the longer length. */
  similarity: z.number(),
  /** The document parses with the text in the hole. */
  parses: z.boolean(),
  /** The text says again what follows the hole. */
  duplicate: z.boolean(),
  /** The text goes on behind what stood there. */
  over: z.boolean(),
  /** The text ends as what stood there: as many lines, as many open brackets. */
  stops: z.boolean(),
  /** Nothing came. */
  empty: z.boolean(),
});
export type Score = z.infer<typeof score>;
