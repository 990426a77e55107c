// results: the file of a run: a header that says what was asked of whom, then a line for each span and system as it is scored.
// A run that was interrupted goes on from it. Holds ids and scores; text only where the run was told to keep it.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { SlipstreamError } from "../../lib/errors.ts";
import { kinds, languages, score } from "./span.ts";

export const resultRow = z.object({
  span: z.string(),
  system: z.string(),
  language: z.enum(languages),
  kind: z.enum(kinds).optional(),
  package: z.string(),
  score,
  /** Of a playground situation: only names that are in scope, one of the accepted answers. */
  inScope: z.boolean().optional(),
  accepted: z.boolean().optional(),
  outcome: z.string(),
  finish: z.string(),
  confidence: z.number().optional(),
  firstTextMs: z.number(),
  totalMs: z.number(),
  promptTokens: z.number(),
  text: z.string().optional(),
});
export type ResultRow = z.infer<typeof resultRow>;

export interface Header {
  /** Digest of the set. */
  readonly set: string;
  /** What each system is: digest of its weights, or a word. */
  readonly systems: Readonly<Record<string, string>>;
}

export class ResultsFile {
  readonly #path: string;
  readonly rows: ResultRow[];

  private constructor(path: string, rows: ResultRow[]) {
    this.#path = path;
    this.rows = rows;
  }

  /** A new file, or the one at hand when it is to be resumed and was made for the same question. */
  static open(path: string, header: Header, resume: boolean): ResultsFile {
    const first = JSON.stringify(header);
    if (resume && existsSync(path)) {
      const [made = "", ...lines] = readFileSync(path, "utf8").split("\n");
      if (made !== first)
        throw new SlipstreamError(
          "invalid_request",
          `${path} is of another set, other weights or other systems; run without --resume`,
        );
      return new ResultsFile(path, lines.flatMap(parsed));
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${first}\n`);
    return new ResultsFile(path, []);
  }

  has(span: string, system: string): boolean {
    return this.rows.some((row) => row.span === span && row.system === system);
  }

  add(row: ResultRow): void {
    appendFileSync(this.#path, `${JSON.stringify(row)}\n`);
    this.rows.push(row);
  }
}

/** A line half written when the process was killed is asked again. */
function parsed(line: string): ResultRow[] {
  try {
    return [resultRow.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}
