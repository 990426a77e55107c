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
  readonly #resident = new Map<bigint, true>();
  readonly #tell: (events: BlockEvent[]) => void;
  asked = 0;
  hit = 0;

  constructor(options: { blockTokens: number; blocks: number }, deps: { tell: (events: BlockEvent[]) => void }) {
    this.#options = options;
    this.#tell = deps.tell;
  }

  get size(): number {
    return this.#resident.size;
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
    const firstMissing = usable.findIndex((hash) => !this.#resident.has(hash));
    const cached = firstMissing < 0 ? usable.length : firstMissing;
    for (const hash of hashes) if (this.#resident.delete(hash)) this.#resident.set(hash, true);
    const fresh = hashes.filter((hash) => !this.#resident.has(hash));
    const events: BlockEvent[] = [];
    if (fresh.length > 0) {
      const first = hashes.indexOf(fresh[0] as bigint);
      for (const hash of fresh) this.#resident.set(hash, true);
      events.push({
        ...{ type: "BlockStored", block_hashes: fresh, parent_block_hash: hashes[first - 1] ?? null },
        token_ids: tokens.slice(first * blockTokens, (first + fresh.length) * blockTokens),
        ...{ block_size: blockTokens, lora_name: lora === "" ? null : lora },
        extra_keys: fresh.map((_, index) => (first + index === 0 && salt !== "" ? [salt] : null)),
      });
    }
    const removed: bigint[] = [];
    while (this.#resident.size > blocks) {
      const oldest = this.#resident.keys().next().value as bigint;
      this.#resident.delete(oldest);
      removed.push(oldest);
    }
    if (removed.length > 0) events.push({ type: "BlockRemoved", block_hashes: removed });
    this.asked += tokens.length;
    this.hit += cached * blockTokens;
    if (events.length > 0) this.#tell(events);
    return cached * blockTokens;
  }

  clear(): void {
    this.#resident.clear();
    this.#tell([{ type: "AllBlocksCleared" }]);
  }
}
