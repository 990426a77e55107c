// indentation: generated lines in, the same with the document's own indentation out. Only tabs against spaces: how many spaces
// a level has is the model's to say, for it may align what it writes. Pure.

import type { Indent } from "../completion.ts";
import type { CursorText } from "../cursor-text.ts";

const beforeUtf16 = 2_000;
const afterUtf16 = 1_000;
const widthMax = 8;
/** As most editors show a tab. */
const tabWidth = 4;

/** How the document indents: as the client says, else as most of its indented lines near the cursor do; undefined: none is. */
export function indentOfDocument(text: CursorText, given: Indent | undefined): Indent | undefined {
  if (given) return given;
  let tabs = 0;
  const widths = new Map<number, number>();
  let last = 0;
  for (const line of `${text.before(beforeUtf16)}${text.after(afterUtf16)}`.split("\n")) {
    if (line.trim() === "") continue;
    const lead = leadOf(line);
    if (lead.startsWith("\t")) tabs += 1;
    const step = Math.abs(lead.length - last);
    if (!lead.includes("\t")) {
      if (step > 1 && step <= widthMax) widths.set(step, (widths.get(step) ?? 0) + 1);
      last = lead.length;
    }
  }
  const steps = [...widths].sort(([a, often], [b, more]) => more - often || a - b);
  const spaces = steps.reduce((sum, [, count]) => sum + count, 0);
  if (tabs > 0 && tabs >= spaces) return { tabs: true, width: tabWidth };
  return spaces > 0 ? { tabs: false, width: steps[0]?.[0] ?? tabWidth } : undefined;
}

/** Columns, a tab as four: only for comparing lines of one document. */
export function columnsOf(line: string): number {
  let columns = 0;
  for (const character of leadOf(line)) columns += character === "\t" ? tabWidth : 1;
  return columns;
}

export class Indentation {
  readonly #styleOf: () => Indent | undefined;
  #style: { readonly known: Indent | undefined } | undefined;
  /** Spaces that the model writes for a tab, once a line of it has shown them. */
  #unit: number | undefined;

  /** `styleOf` is asked once, when a line is indented: most completions have none. */
  constructor(styleOf: () => Indent | undefined) {
    this.#styleOf = styleOf;
  }

  /** `columns` (as columnsOf tells) that the line would have in the document, by the block it stands in: what the model's say of its unit. */
  inStyle(line: string, columns: number): string {
    const lead = leadOf(line);
    if (lead === "") return line;
    this.#style ??= { known: this.#styleOf() };
    const style = this.#style.known;
    if (!style) return line;
    if (!style.tabs) return lead.includes("\t") ? " ".repeat(spacesOf(lead, style.width)) + line.slice(lead.length) : line;
    // Spaces after tabs align; a document of tabs has them too.
    if (!lead.startsWith(" ")) return line;
    const spaces = spacesOf(lead, this.#unit ?? style.width);
    const level = Math.round(columns / tabWidth);
    const each = spaces / level;
    if (level > 0 && Number.isInteger(each) && each > 1 && each <= widthMax) this.#unit ??= each;
    const unit = this.#unit ?? style.width;
    return "\t".repeat(Math.floor(spaces / unit)) + " ".repeat(spaces % unit) + line.slice(lead.length);
  }
}

const leadOf = (line: string) => /^[ \t]*/.exec(line)?.[0] ?? "";

/** As wide as it is with tab stops at every `unit` columns. */
function spacesOf(lead: string, unit: number): number {
  let columns = 0;
  for (const character of lead) columns += character === "\t" ? unit - (columns % unit) : 1;
  return columns;
}
