// warmth: what this router sent where, document by document: the digests of the last prompts in, and of a new prompt the bytes
// that a worker has not seen out. Digests are chained, so one that agrees stands for all before it. It knows nothing of what a
// worker has forgotten since. Bounded by `documentsMax` and `bytesMax` of digests.
import { Lru } from "../../lib/structures/lru.ts";
import type { Prompt, Remembered } from "../completion.ts";

export interface WarmthOptions {
  readonly documentsMax: number;
  readonly bytesMax: number;
  readonly ttlMs: number;
}

interface Sent {
  readonly worker: string;
  readonly blocks: Uint8Array;
}

/** The worker of now and the one before: a session that came back finds its prefix. */
const workersMax = 2;
const digestBytes = 8;
const blockBytes = 64;

export class Warmth {
  readonly #sent: Lru<readonly Sent[]>;

  constructor(options: WarmthOptions) {
    this.#sent = new Lru({
      max: options.documentsMax,
      maxWeight: options.bytesMax,
      weigh: (sent) => sent.reduce((sum, { blocks }) => sum + blocks.length, 0),
      ttlMs: options.ttlMs,
    });
  }

  sent(document: string, worker: string, { blocks }: Pick<Prompt, "blocks">, now: number): void {
    const others = (this.#sent.get(document, now) ?? []).filter((each) => each.worker !== worker);
    this.#sent.set(document, [{ worker, blocks }, ...others].slice(0, workersMax), now);
  }

  of(document: string, prompt: Pick<Prompt, "bytes" | "blocks">, now: number): Remembered["warm"] {
    return (this.#sent.get(document, now) ?? []).map(({ worker, blocks }) => ({
      worker,
      freshBytes: prompt.bytes - commonBlocks(blocks, prompt.blocks) * blockBytes,
    }));
  }
}

/** Blocks at the beginning that two prompts share. */
function commonBlocks(a: Uint8Array, b: Uint8Array): number {
  let [low, high] = [0, Math.min(a.length, b.length) / digestBytes];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (same(a, b, middle * digestBytes)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function same(a: Uint8Array, b: Uint8Array, at: number): boolean {
  for (let i = at; i < at + digestBytes; i++) if (a[i] !== b[i]) return false;
  return true;
}
