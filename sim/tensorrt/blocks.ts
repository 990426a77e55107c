// blocks: a pretend KV cache of TensorRT-LLM's: full blocks by chained hash, of a tenant and an adapter, least recently used given up first.
// Tells what is stored and removed as the engine's events do.
import { createHash } from "node:crypto";

export type BlockChange =
  | { readonly type: "stored"; readonly parent: bigint | null; readonly blocks: readonly StoredBlock[] }
  | { readonly type: "removed"; readonly hashes: readonly bigint[] }
  | { readonly type: "moved"; readonly hash: bigint; readonly from: number; readonly to: number };

export interface StoredBlock {
  readonly hash: bigint;
  readonly tokens: readonly number[];
}

export class StandInBlocks {
  readonly #options: { readonly blockTokens: number; readonly blocks: number };
  readonly #tell: (change: BlockChange) => void;
  /** Least recently used first; value: level of the cache. */
  readonly #resident = new Map<bigint, number>();
  /** Blocks that had to go for others. */
  gaveUp = 0;

  constructor(options: { blockTokens: number; blocks: number }, deps: { tell: (change: BlockChange) => void }) {
    this.#options = options;
    this.#tell = deps.tell;
  }

  get size(): number {
    return this.#resident.size;
  }

  /** Tokens of the prompt that were there; all its full blocks are, afterwards. The last token is always computed. */
  use(tokens: readonly number[], salt: string, adapter: string): number {
    const { blockTokens, blocks } = this.#options;
    const chain: StoredBlock[] = [];
    for (let at = 0; at + blockTokens <= tokens.length; at += blockTokens) {
      const own = tokens.slice(at, at + blockTokens);
      const link = [chain.at(-1)?.hash ?? `${salt}|${adapter}`, own].join("|");
      chain.push({ hash: createHash("sha1").update(link).digest().readBigUInt64BE(), tokens: own });
    }
    const missing = chain.findIndex(({ hash }) => !this.#resident.has(hash));
    const there = missing < 0 ? chain.length : missing;
    for (const { hash } of chain.slice(0, there)) {
      if (this.#resident.get(hash) !== 0) this.move(hash, 0);
      this.#resident.delete(hash);
      this.#resident.set(hash, 0);
    }
    const fresh = chain.slice(there);
    for (const { hash } of fresh) this.#resident.set(hash, 0);
    if (fresh.length > 0) this.#tell({ type: "stored", parent: chain[there - 1]?.hash ?? null, blocks: fresh });
    const removed: bigint[] = [];
    for (const hash of this.#resident.keys()) {
      if (this.#resident.size <= blocks) break;
      this.#resident.delete(hash);
      removed.push(hash);
    }
    this.gaveUp += removed.length;
    if (removed.length > 0) this.#tell({ type: "removed", hashes: removed });
    return Math.min(there, Math.floor((tokens.length - 1) / blockTokens)) * blockTokens;
  }

  /** To another level of the cache: 0 is the accelerator's memory. */
  move(hash: bigint, to: number): void {
    const from = this.#resident.get(hash);
    if (from === undefined || from === to) return;
    this.#resident.set(hash, to);
    this.#tell({ type: "moved", hash, from, to });
  }

  hashes(): readonly bigint[] {
    return [...this.#resident.keys()];
  }
}
