// memory: what is remembered of documents' last prompts, by model: how the last key was laid out, and the prompts that were
// sent to workers. Bounded in documents and bytes; what is forgotten costs one prompt, no answer.
import { Lru } from "../../lib/structures/lru.ts";
import { commonBytes, type Rendered } from "./digest.ts";
import type { LastLayout } from "./layout.ts";

export interface Sent {
  readonly worker: string;
  readonly rendered: Rendered;
  /** As its worker counted them; 0: not told yet. */
  promptTokens: number;
}

interface Remembered {
  last: LastLayout | undefined;
  /** The newest first. */
  sent: readonly Sent[];
}

/** The prompt of a key, the one asked ahead of it, and the one before. */
const sentMax = 3;
/** Objects and keys of an entry. */
const overheadBytes = 512;

export class LayoutMemory {
  readonly #entries: Lru<Remembered>;

  constructor(options: { readonly documentsMax: number; readonly bytesMax: number }) {
    this.#entries = new Lru({
      max: options.documentsMax,
      maxWeight: options.bytesMax,
      weigh: ({ last, sent }) =>
        sent.reduce((sum, { rendered }) => sum + rendered.bytes.length + rendered.digests.length, overheadBytes) +
        2 * (last?.suffix.length ?? 0),
    });
  }

  last(place: string): LastLayout | undefined {
    return this.#entries.get(place, 0)?.last;
  }

  keep(place: string, last: LastLayout): void {
    this.#entries.set(place, { sent: this.#entries.get(place, 0)?.sent ?? [], last }, 0);
  }

  sent(place: string, one: Sent): void {
    const known = this.#entries.get(place, 0);
    this.#entries.set(place, { last: known?.last, sent: [one, ...(known?.sent ?? [])].slice(0, sentMax) }, 0);
  }

  /** Of the newest prompt whose tokens are known: documents differ more than their prompts do from key to key. */
  bytesPerToken(place: string): number | undefined {
    const known = this.#entries.get(place, 0)?.sent.find(({ promptTokens }) => promptTokens > 0);
    return known && known.rendered.bytes.length / known.promptTokens;
  }

  /** The prompt that was sent and has most in common with this one, to any worker or to the one named. */
  nearest(place: string, bytes: Buffer, worker?: string): { readonly rendered: Rendered; readonly common: number } | undefined {
    let best: { rendered: Rendered; common: number } | undefined;
    for (const { rendered, worker: to } of this.#entries.get(place, 0)?.sent ?? []) {
      if (worker !== undefined && to !== worker) continue;
      const common = commonBytes(rendered.bytes, bytes);
      if (!best || common > best.common) best = { rendered, common };
    }
    return best;
  }
}
