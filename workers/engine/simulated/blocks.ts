// blocks: the KV memory of a pretend GPU. A prompt's chained block keys in, a Lease on memory out: the longest resident
// prefix is shared, the rest is room for itself. Bounded by `capacity` blocks; what nobody holds stays resident until
// room is needed and leaves least recently used first, the far end of a prompt before its start.
import assert from "node:assert/strict";
import { Residency } from "./residency.ts";
import type { Block } from "./tokens.ts";

interface Resident {
  readonly key: number;
  holders: number;
}

export interface KvChanges {
  stored: string[];
  removed: string[];
}

/** Memory of one sequence. */
export interface Lease {
  /** Blocks of the prompt that were resident. */
  readonly hits: number;
  /** The next block's KV is computed: it can be shared from now on. */
  commit(block: Block): void;
  release(): void;
}

export class Blocks {
  readonly capacity: number;
  readonly #resident = new Map<number, Resident>();
  /** Resident blocks without a holder, the first to leave first. */
  readonly #idle = new Map<number, Resident>();
  readonly #residency = new Residency();
  /** Blocks held for one sequence alone: not yet computed, or a partly filled last one. */
  #own = 0;

  constructor(options: { capacity: number }) {
    this.capacity = options.capacity;
  }

  /** Blocks that some sequence holds. */
  get held(): number {
    return this.#resident.size - this.#idle.size + this.#own;
  }

  get resident(): number {
    return this.#resident.size;
  }

  /** Length of the longest resident prefix, in blocks. */
  lookup(blocks: readonly Block[]): number {
    let hits = 0;
    while (hits < blocks.length && this.#resident.has((blocks[hits] as Block).key)) hits += 1;
    return hits;
  }

  /**
   * Room for `total` blocks, of which the first `shareMax` may be shared; undefined while the others hold too much.
   * `digests` are the router's 64-byte digests of the prompt.
   */
  lease(blocks: readonly Block[], shareMax: number, total: number, digests: Uint8Array): Lease | undefined {
    const hits = Math.min(this.lookup(blocks), shareMax);
    const shared = blocks.slice(0, hits).map((block) => this.#resident.get(block.key) as Resident);
    const newlyHeld = shared.filter((block) => block.holders === 0).length;
    if (this.held + newlyHeld + (total - hits) > this.capacity) return undefined;
    for (const block of shared) this.#hold(block);
    this.#own += total - hits;
    this.#makeRoom();
    for (const [index, block] of blocks.slice(0, hits).entries()) this.#residency.name(block, blocks[index - 1], digests);
    return this.#lease(shared, total - hits, hits, digests, blocks[hits - 1]);
  }

  /** Digests that came and went since the last call. */
  changes(): KvChanges {
    return this.#residency.take();
  }

  /** All is lost, as when the GPU was reset. Every lease has been released before. */
  clear(): void {
    assert(this.held === 0, "KV memory cleared while a sequence holds some");
    this.#resident.clear();
    this.#idle.clear();
    this.#residency.clear();
  }

  #lease(shared: Resident[], room: number, hits: number, digests: Uint8Array, last: Block | undefined): Lease {
    let own = room;
    let previous = last;
    let released = false;
    return {
      hits,
      commit: (block) => {
        if (released || own === 0) return;
        const found = this.#resident.get(block.key);
        // Two sequences may compute the same block at once: the first stays, the second's room is free again.
        own -= 1;
        this.#own -= 1;
        const resident = found ?? { key: block.key, holders: 0 };
        if (!found) this.#resident.set(block.key, resident);
        this.#hold(resident);
        shared.push(resident);
        this.#residency.name(block, previous, digests);
        previous = block;
      },
      release: () => {
        if (released) return;
        released = true;
        this.#own -= own;
        for (const block of shared.reverse()) {
          block.holders -= 1;
          if (block.holders === 0) this.#idle.set(block.key, block);
        }
      },
    };
  }

  #hold(block: Resident): void {
    block.holders += 1;
    this.#idle.delete(block.key);
  }

  #makeRoom(): void {
    for (const [key] of this.#idle) {
      if (this.#resident.size + this.#own <= this.capacity) return;
      this.#idle.delete(key);
      this.#resident.delete(key);
      this.#residency.forget(key);
    }
  }
}
