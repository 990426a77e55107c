// form: a form as it is written in a family's data in, its pieces out: special tokens, literal text and holes. Read once, when
// the program starts; a form with a brace that is no hole, or without its sides, is a mistake of ours and thrown at once.
import { type Family, type FimTexts, type Hole, holes, type Order } from "./family.ts";

export type Piece = { readonly special: string } | { readonly text: string } | { readonly hole: Hole };

export interface Form {
  readonly order: Order;
  readonly single: readonly Piece[];
  /** Undefined: other code stands before the prefix. */
  readonly repository: readonly Piece[] | undefined;
  readonly file: readonly Piece[];
  /** Ends with the middle token: text after it reads as the middle's beginning, so a line may be moved there. */
  readonly endsWithMiddle: boolean;
}

/** Other code where a family has no form for it: what its training data most likely held. */
const commented = "{comment} Path: {path}\n{text}\n";

const roles = ["prefix", "suffix", "middle", "fileSeparator", "repository"] as const satisfies readonly (keyof FimTexts)[];

/** Everything a family's tokeniser takes for one special token, the longest first. */
export function specialsOf({ tokens, specials, ends, begin }: Family): string[] {
  const all = [...roles.map((role) => tokens[role]), ...specials, ...ends, begin ?? ""].filter((text) => text !== "");
  return [...new Set(all)].sort((a, b) => b.length - a.length);
}

export function formsOf(family: Family): readonly Form[] {
  const specials = specialsOf(family);
  return family.forms.map(({ order, single, repository }) => ({
    order,
    single: sided(read(single, specials), family),
    repository: repository === undefined ? undefined : sided(read(repository, specials), family),
    file: read(family.file ?? commented, specials),
    endsWithMiddle: family.tokens.middle !== "" && single.endsWith(`${family.tokens.middle}`),
  }));
}

function read(written: string, specials: readonly string[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let text = "";
  const flush = () => {
    if (text !== "") pieces.push({ text });
    text = "";
  };
  for (let at = 0; at < written.length; ) {
    const special = specials.find((each) => written.startsWith(each, at));
    const hole = holes.find((each) => written.startsWith(`{${each}}`, at));
    if (special === undefined && hole === undefined) {
      if (written[at] === "{") throw new Error(`"${written}" has no such hole at ${at}`);
      text += written[at];
      at += 1;
      continue;
    }
    flush();
    pieces.push(special === undefined ? { hole: hole as Hole } : { special });
    at += special === undefined ? (hole as Hole).length + 2 : special.length;
  }
  flush();
  return pieces;
}

function sided(pieces: readonly Piece[], { name }: Family): readonly Piece[] {
  for (const hole of ["prefix", "suffix"] as const)
    if (pieces.filter((piece) => "hole" in piece && piece.hole === hole).length !== 1)
      throw new Error(`a form of ${name} does not hold its ${hole} once`);
  return pieces;
}

/** A text as a pattern that matches only it. */
export function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, (character) => `\\${character}`);
}
