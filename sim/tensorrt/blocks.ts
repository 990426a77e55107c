// blocks: a pretend KV cache of TensorRT-LLM's: full blocks by chained hash, of a tenant and an adapter, least recently used given up first,
// and of a prompt its end (WindowBlockManager::releaseBlocks). Told that the end of a prompt may go, it does it as they do
// (WindowBlockManager::truncateBlocks). Tells what is stored and removed as the engine's events do.
import { createHash } from "node:crypto";

export type BlockChange =
  | { readonly type: "stored"; readonly parent: bigint | null; readonly blocks: readonly StoredBlock[] }
  | { readonly type: "removed"; readonly hashes: readonly bigint[] }
  | { readonly type: "moved"; readonly hash: bigint; readonly from: number; readonly to: number };

export interface StoredBlock {
  readonly hash: bigint;
  readonly tokens: readonly number[];
}

interface Resident extends StoredBlock {
  /** Of the block before it; of a first one, whose it is. */
  readonly parent: bigint | string;
  /** Of the cache: 0 is the accelerator's memory. */
  level: number;
}

/** What stays of a prompt whose end may go: the whole blocks that it was told, one more where these are whole, or all. */
export type Truncates = "as_told" | "one_more" | "nothing";

interface Options {
  readonly blockTokens: number;
  readonly blocks: number;
  readonly truncates?: Truncates;
}

export class StandInBlocks {
  readonly #options: Options;
  readonly #tell: (change: BlockChange) => void;
  /** Least recently used first. */
  readonly #resident = new Map<bigint, Resident>();
  /** Of them those that follow on a block, or begin prompts. */
  readonly #next = new Map<bigint | string, Set<Resident>>();
  /** Blocks that had to go for others. */
  gaveUp = 0;

  constructor(options: Options, deps: { tell: (change: BlockChange) => void }) {
    this.#options = options;
    this.#tell = deps.tell;
  }

  get size(): number {
    return this.#resident.size;
  }

  /** Tokens of the prompt that were there; all its full blocks are, afterwards. The last token is always computed. */
  use(tokens: readonly number[], salt: string, adapter: string): number {
    const { blockTokens, blocks } = this.#options;
    const chain: Resident[] = [];
    for (let at = 0; at + blockTokens <= tokens.length; at += blockTokens) {
      const own = tokens.slice(at, at + blockTokens);
      const parent = chain.at(-1)?.hash ?? `${salt}|${adapter}`;
      chain.push({ hash: hashOf(parent, own), parent, tokens: own, level: 0 });
    }
    const missing = chain.findIndex(({ hash }) => !this.#resident.has(hash));
    const there = missing < 0 ? chain.length : missing;
    for (const { hash } of chain.slice(0, there)) this.move(hash, 0);
    for (const block of [...chain].reverse()) {
      const resident = this.#resident.get(block.hash) ?? block;
      this.#resident.delete(block.hash);
      this.#resident.set(block.hash, resident);
      const next = this.#next.get(block.parent) ?? new Set();
      this.#next.set(block.parent, next.add(resident));
    }
    const fresh = chain.slice(there).map(({ hash, tokens: own }) => ({ hash, tokens: own }));
    if (fresh.length > 0) this.#tell({ type: "stored", parent: chain[there - 1]?.hash ?? null, blocks: fresh });
    const removed: bigint[] = [];
    for (const hash of this.#resident.keys()) {
      if (this.#resident.size <= blocks) break;
      this.#remove(hash);
      removed.push(hash);
    }
    this.gaveUp += removed.length;
    if (removed.length > 0) this.#tell({ type: "removed", hashes: removed });
    return Math.min(there, Math.floor((tokens.length - 1) / blockTokens)) * blockTokens;
  }

  /** Of nobody's prompts alone: whose a prompt is cannot be said. What follows on the block that goes goes with it, whoever's it is. */
  truncate(tokens: readonly number[], keep: number): void {
    const { blockTokens, truncates = "one_more" } = this.#options;
    if (truncates === "nothing") return;
    let parent: bigint | string = "|";
    let matched = 0;
    for (let at = 0; at < tokens.length; at += blockTokens) {
      const found = this.#matching(parent, tokens.slice(at, at + blockTokens));
      if (!found) return;
      if (truncates === "as_told" ? matched + found.tokens > keep : matched > keep) {
        const removed = this.#below(found.block);
        for (const hash of removed) this.#remove(hash);
        this.#tell({ type: "removed", hashes: removed });
        return;
      }
      matched += found.tokens;
      parent = found.block.hash;
    }
  }

  /** To another level of the cache: 0 is the accelerator's memory. */
  move(hash: bigint, to: number): void {
    const block = this.#resident.get(hash);
    if (!block || block.level === to) return;
    const from = block.level;
    block.level = to;
    this.#tell({ type: "moved", hash, from, to });
  }

  hashes(): readonly bigint[] {
    return [...this.#resident.keys()];
  }

  /** Else the one after the same block that begins with most of the same tokens: reuse may be partial, there too. */
  #matching(parent: bigint | string, tokens: readonly number[]): { readonly block: Resident; readonly tokens: number } | undefined {
    const exact = this.#resident.get(hashOf(parent, tokens));
    if (exact) return { block: exact, tokens: tokens.length };
    let best: { readonly block: Resident; readonly tokens: number } | undefined;
    for (const block of this.#next.get(parent) ?? []) {
      const other = block.tokens.findIndex((token, place) => token !== tokens[place]);
      if (other > (best?.tokens ?? 0)) best = { block, tokens: other };
    }
    return best;
  }

  /** It last, and before it all that follow on it. */
  #below(block: Resident): bigint[] {
    return [...[...(this.#next.get(block.hash) ?? [])].flatMap((each) => this.#below(each)), block.hash];
  }

  #remove(hash: bigint): void {
    const block = this.#resident.get(hash);
    if (!block) return;
    this.#resident.delete(hash);
    const next = this.#next.get(block.parent);
    next?.delete(block);
    if (next?.size === 0) this.#next.delete(block.parent);
  }
}

function hashOf(parent: bigint | string, tokens: readonly number[]): bigint {
  return createHash("sha1").update([parent, tokens].join("|")).digest().readBigUInt64BE();
}
