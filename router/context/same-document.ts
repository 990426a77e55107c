// same-document: pieces of the document above the prompt's window, ranked by the words they share with the lines around the
// cursor. What was read of a document is kept while it stays the same: a key then costs the words around it, not a scan.
import { Lru } from "../../lib/structures/lru.ts";
import type { Snippet, Trigger } from "../completion.ts";
import { alike, extend, keptPerUtf16, newScan, type Scan } from "./pieces.ts";

/** The scan begins at a multiple of this, and so moves seldom. */
const anchorUtf16 = 4_096;

export class SameDocument {
  readonly #scans: Lru<Scan>;

  constructor(options: { readonly bytesMax: number; readonly documentsMax: number }) {
    this.#scans = new Lru({
      max: options.documentsMax,
      maxWeight: options.bytesMax,
      weigh: (scan) => scan.text.length * keptPerUtf16,
    });
  }

  find(
    trigger: Trigger,
    here: ReadonlySet<string>,
    bounds: { readonly windowUtf16: number; readonly scanUtf16Max: number },
  ): readonly Snippet[] {
    const end = trigger.text.lengthBefore - bounds.windowUtf16;
    const start = Math.ceil(Math.max(0, end - bounds.scanUtf16Max) / anchorUtf16) * anchorUtf16;
    if (end <= start) return [];
    const scan = this.#scanOf(trigger, start, trigger.text.range(start, end));
    return alike(scan, here).map(({ text, score }) => ({ path: trigger.path, text, score, stable: false }));
  }

  /** What was read before, as far as that is still what stands there, and what came to it since. */
  #scanOf({ document }: Trigger, start: number, text: string): Scan {
    const known = this.#scans.get(document, 0);
    // Compared as a whole: `startsWith` goes unit by unit.
    const same = known?.start === start && text.slice(0, known.text.length) === known.text;
    const scan = same && known ? known : newScan(start);
    const before = scan.text.length;
    extend(scan, text);
    if (!same || scan.text.length > before) this.#scans.set(document, scan, 0);
    return scan;
  }
}
