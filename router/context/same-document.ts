// same-document: pieces of the document above the prompt's window, ranked by the identifiers they share with the lines around
// the cursor (Jaccard over sets of words). Cut at places that stay while the person types, so that a piece chosen twice is the
// same bytes. What was read of a document is kept while it stays the same: a key then costs the words around it, not a scan.
import { Lru } from "../../lib/structures/lru.ts";
import type { Snippet, Trigger } from "../completion.ts";

const pieceLines = 16;
const minScore = 0.1;
/** The scan begins at a multiple of this, and so moves seldom. */
const anchorUtf16 = 4_096;
/** Pieces, their words and the index, in bytes for a unit of text: measured on TypeScript, rounded up. */
const keptPerUtf16 = 12;

interface Scan {
  readonly start: number;
  /** From there to the end of the last piece. */
  text: string;
  readonly pieces: { readonly text: string; readonly words: number }[];
  /** Pieces by the words in them. */
  readonly index: Map<string, number[]>;
}

export class SameDocument {
  readonly #scans: Lru<Scan>;

  constructor(options: { readonly bytesMax: number; readonly documentsMax: number }) {
    this.#scans = new Lru({
      max: options.documentsMax,
      maxWeight: options.bytesMax,
      weigh: (scan) => scan.text.length * keptPerUtf16,
    });
  }

  find(trigger: Trigger, bounds: { readonly windowUtf16: number; readonly scanUtf16Max: number }): readonly Snippet[] {
    const end = trigger.text.lengthBefore - bounds.windowUtf16;
    const start = Math.ceil(Math.max(0, end - bounds.scanUtf16Max) / anchorUtf16) * anchorUtf16;
    if (end <= start) return [];
    const scan = this.#scanOf(trigger, start, trigger.text.range(start, end));
    const here = words(trigger.text.before(600) + trigger.text.after(200));
    const shared = new Uint16Array(scan.pieces.length);
    for (const word of here) for (const piece of scan.index.get(word) ?? []) shared[piece] = (shared[piece] ?? 0) + 1;
    const found: Snippet[] = [];
    for (const [i, piece] of scan.pieces.entries()) {
      const both = shared[i] ?? 0;
      const score = both / Math.max(1, here.size + piece.words - both);
      if (score >= minScore) found.push({ path: trigger.path, text: piece.text, score, stable: false });
    }
    return found.sort((a, b) => b.score - a.score);
  }

  /** What was read before, as far as that is still what stands there, and what came to it since. */
  #scanOf({ document }: Trigger, start: number, text: string): Scan {
    const known = this.#scans.get(document, 0);
    // Compared as a whole: `startsWith` goes unit by unit.
    const same = known?.start === start && text.slice(0, known.text.length) === known.text;
    const scan = same && known ? known : { start, text: "", pieces: [], index: new Map() };
    const before = scan.text.length;
    extend(scan, text);
    if (!same || scan.text.length > before) this.#scans.set(document, scan, 0);
    return scan;
  }
}

/** Reads on to the end of the last whole piece of `text`. */
function extend(scan: Scan, text: string): void {
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

function words(text: string): ReadonlySet<string> {
  return new Set(text.match(/[A-Za-z_$][\w$]{2,}/g) ?? []);
}
