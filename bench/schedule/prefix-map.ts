// prefix-map: which workers were sent the beginning of a prompt, whoever's it was. Digests of 64-byte blocks and a worker in, the
// bytes of a new prompt that each worker has not seen out. By own placements, which are known at once; not by reports of workers.
// Bounded by `blocksMax` blocks; the oldest leave first.
import type { Prompt, Remembered } from "../../router/completion.ts";

const digestBytes = 8;
const blockBytes = 64;
/** More workers than that hold a prefix for everyone. */
const workersMax = 8;

export class PrefixMap {
  readonly #blocksMax: number;
  readonly #workers = new Map<bigint, string[]>();

  constructor(options: { readonly blocksMax: number }) {
    this.#blocksMax = options.blocksMax;
  }

  sent(worker: string, blocks: Uint8Array): void {
    for (const digest of digests(blocks)) {
      const known = this.#workers.get(digest) ?? [];
      this.#workers.delete(digest);
      this.#workers.set(digest, [worker, ...known.filter((each) => each !== worker)].slice(0, workersMax));
    }
    for (const oldest of this.#workers.keys()) {
      if (this.#workers.size <= this.#blocksMax) return;
      this.#workers.delete(oldest);
    }
  }

  /** What is remembered of a document, and beside it what the map knows. */
  with(warm: Remembered["warm"], { bytes, blocks }: Pick<Prompt, "bytes" | "blocks">): Remembered["warm"] {
    const fresh = new Map(warm.map(({ worker, freshBytes }) => [worker, freshBytes]));
    let at = 0;
    for (const digest of digests(blocks)) {
      const workers = this.#workers.get(digest);
      if (!workers) break;
      at += 1;
      for (const worker of workers)
        fresh.set(worker, Math.min(fresh.get(worker) ?? Number.POSITIVE_INFINITY, bytes - at * blockBytes));
    }
    return [...fresh].map(([worker, freshBytes]) => ({ worker, freshBytes }));
  }
}

function* digests(blocks: Uint8Array): Generator<bigint> {
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
  for (let at = 0; at + digestBytes <= blocks.length; at += digestBytes) yield view.getBigUint64(at);
}
