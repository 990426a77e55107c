// blocks: a pretend prefix cache of vLLM's: full blocks by chained hash, least recently used evicted first. Tells what is stored and
// removed as the engine's events do.
import { createHash } from "node:crypto";

export interface BlockEvent {
  readonly type: "BlockStored" | "BlockRemoved" | "AllBlocksCleared";
  readonly block_hashes?: bigint[];
  readonly parent_block_hash?: bigint | null;
  readonly token_ids?: number[];
  readonly block_size?: number;
  readonly lora_name?: string | null;
  readonly extra_keys?: ([string] | null)[];
}

export class FakeBlocks {
  readonly #options: { readonly blockTokens: number; readonly blocks: number };
  /** By the number of the block, oldest use first; the same hash may be in two. */
  #blocks = new Map<number, bigint>();
  readonly #holders = new Map<bigint, number[]>();
  #nextBlock = 0;
  readonly #tell: (events: BlockEvent[]) => void;
  asked = 0;
  hit = 0;

  constructor(options: { blockTokens: number; blocks: number }, deps: { tell: (events: BlockEvent[]) => void }) {
    this.#options = options;
    this.#tell = deps.tell;
  }

  get size(): number {
    return this.#holders.size;
  }

  /** Tokens of the prompt that were there; all its full blocks are, afterwards. The last token is always computed. */
  use(tokens: readonly number[], salt: string, lora: string): number {
    const { blockTokens, blocks } = this.#options;
    const hashes: bigint[] = [];
    for (let at = 0; at + blockTokens <= tokens.length; at += blockTokens) {
      const link = [hashes.at(-1) ?? `${salt}|${lora}`, tokens.slice(at, at + blockTokens)].join("|");
      hashes.push(createHash("sha1").update(link).digest().readBigUInt64BE());
    }
    const usable = hashes.slice(0, Math.floor((tokens.length - 1) / blockTokens));
    const firstMissing = usable.findIndex((hash) => !this.#holders.has(hash));
    const cached = firstMissing < 0 ? usable.length : firstMissing;
    for (const hash of hashes.slice(0, cached)) {
      const block = this.#holders.get(hash)?.[0] as number;
      this.#blocks.delete(block);
      this.#blocks.set(block, hash);
    }
    const events: BlockEvent[] = [];
    // What follows a missing block is computed anew, though some of it may be there; so is the last block of a whole prompt.
    const first = cached;
    if (first < hashes.length) {
      const fresh = hashes.slice(first);
      for (const hash of fresh) {
        const block = this.#nextBlock++;
        this.#blocks.set(block, hash);
        this.#holders.set(hash, [...(this.#holders.get(hash) ?? []), block]);
      }
      events.push({
        ...{ type: "BlockStored", block_hashes: fresh, parent_block_hash: hashes[first - 1] ?? null },
        token_ids: tokens.slice(first * blockTokens, (first + fresh.length) * blockTokens),
        ...{ block_size: blockTokens, lora_name: lora === "" ? null : lora },
        extra_keys: fresh.map((_, index) => (first + index === 0 && salt !== "" ? [salt] : null)),
      });
    }
    const removed: bigint[] = [];
    while (this.#blocks.size > blocks) {
      const [oldest, hash] = this.#blocks.entries().next().value as [number, bigint];
      this.#blocks.delete(oldest);
      const left = (this.#holders.get(hash) ?? []).filter((block) => block !== oldest);
      if (left.length > 0) this.#holders.set(hash, left);
      else this.#holders.delete(hash);
      removed.push(hash);
    }
    if (removed.length > 0) events.push({ type: "BlockRemoved", block_hashes: removed });
    this.asked += tokens.length;
    this.hit += cached * blockTokens;
    if (events.length > 0) this.#tell(events);
    return cached * blockTokens;
  }

  clear(): void {
    this.#blocks = new Map();
    this.#holders.clear();
    this.#tell([{ type: "AllBlocksCleared" }]);
  }
}
