// pieces: a text as pieces of sixteen lines with an index of the words in them, and of two such sets how alike they are (Jaccard).
// Text is read once: what came to its end since is read on. Cut at places that stay while a person types, so that a piece
// found twice is the same bytes.

const pieceLines = 16;
/** Pieces, their words and the index, in bytes for a unit of text: measured on TypeScript, rounded up. */
export const keptPerUtf16 = 12;
/** Less in common than this is chance. */
const minScore = 0.1;

export interface Scan {
  /** Where it begins in its document. */
  readonly start: number;
  /** From there to the end of the last piece. */
  text: string;
  readonly pieces: { readonly text: string; readonly words: number }[];
  /** Pieces by the words in them. */
  readonly index: Map<string, number[]>;
}

export const newScan = (start: number): Scan => ({ start, text: "", pieces: [], index: new Map() });

/** Pieces with their likeness to these words, best first. */
export function alike(scan: Scan, here: ReadonlySet<string>): { text: string; score: number }[] {
  const shared = new Uint16Array(scan.pieces.length);
  for (const word of here) for (const piece of scan.index.get(word) ?? []) shared[piece] = (shared[piece] ?? 0) + 1;
  const found: { text: string; score: number }[] = [];
  for (const [i, piece] of scan.pieces.entries()) {
    const both = shared[i] ?? 0;
    const score = both / Math.max(1, here.size + piece.words - both);
    if (score >= minScore) found.push({ text: piece.text, score });
  }
  return found.sort((a, b) => b.score - a.score);
}

/** Reads on to the end of the last whole piece of `text`. */
export function extend(scan: Scan, text: string): void {
  let at = scan.text.length;
  // Where the scan begins inside a line, that line is not whole.
  if (at === 0 && scan.start > 0) at = text.indexOf("\n") + 1;
  if (at === 0 && scan.start > 0) return;
  for (let end = pieceEnd(text, at); end > 0; end = pieceEnd(text, at)) {
    const piece = text.slice(at, end - 1);
    const found = words(piece);
    for (const word of found) {
      const pieces = scan.index.get(word);
      if (pieces) pieces.push(scan.pieces.length);
      else scan.index.set(word, [scan.pieces.length]);
    }
    scan.pieces.push({ text: piece, words: found.size });
    at = end;
  }
  scan.text = text.slice(0, at);
}

/** After the line feed that ends the last line of a piece; 0: the text ends before it. */
function pieceEnd(text: string, from: number): number {
  let at = from;
  for (let line = 0; line < pieceLines; line++) {
    at = text.indexOf("\n", at) + 1;
    if (at === 0) return 0;
  }
  return at;
}

/** Names, keywords and the words of comments. */
export function words(text: string): ReadonlySet<string> {
  return new Set(text.match(/[A-Za-z_$][\w$]{2,}/g) ?? []);
}
