// other-documents: pieces of the session's other open documents, ranked by the words they share with the lines around the cursor.
// A document that has not changed is not read again; those that are read cost what they are long, up to `scanUtf16Max`.

import { Lru } from "../../lib/structures/lru.ts";
import type { Rope } from "../../lib/structures/rope.ts";
import type { OpenDocument } from "../cursor-text.ts";
import { alike, extend, keptPerUtf16, newScan, type Scan } from "./pieces.ts";

interface Read {
  readonly text: Rope;
  readonly scan: Scan;
}

export class OtherDocuments {
  readonly #scanUtf16Max: number;
  readonly #read: Lru<Read>;

  constructor(options: { readonly bytesMax: number; readonly documentsMax: number; readonly scanUtf16Max: number }) {
    this.#scanUtf16Max = options.scanUtf16Max;
    this.#read = new Lru({
      max: options.documentsMax,
      maxWeight: options.bytesMax,
      weigh: ({ scan }) => scan.text.length * keptPerUtf16,
    });
  }

  find({ document, text }: OpenDocument, here: ReadonlySet<string>): { text: string; score: number }[] {
    const known = this.#read.get(document, 0);
    // Ropes never change: the same one is the same text.
    if (known?.text === text) return alike(known.scan, here);
    const scan = newScan(0);
    extend(scan, text.slice(0, Math.min(text.length, this.#scanUtf16Max)));
    this.#read.set(document, { text, scan }, 0);
    return alike(scan, here);
  }
}
