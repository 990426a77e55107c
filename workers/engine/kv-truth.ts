// kv-truth: what the engine says it stored and removed in, by the tokens of its blocks; the router's 64-byte blocks that came and went
// out, by the prompts that were asked with. A block of the engine has a name for routers once a prompt of ours went through it. Bounded
// by the engine's own blocks, and by as many names.

import { blockKeys, seedOf } from "./block-chain.ts";
import type { KvEvent } from "./engine.ts";
import type { KvMessage } from "./kv-message.ts";

export interface Prompted {
  /** Of the prompt's full blocks. */
  readonly keys: readonly number[];
  /** Where each of them ends in the rendered prompt. */
  readonly byteEnds: readonly number[];
  /** Chained digests of its 64-byte blocks, 8 bytes each. */
  readonly digests: Uint8Array;
}

const byteBlock = 64;
const digestBytes = 8;

export class KvTruth {
  readonly #options: { readonly blockTokens: number; readonly blocksMax: number };
  readonly #tell: (event: KvEvent) => void;
  /** By the engine's hash; oldest first. Requests side by side make the same block twice, and the engine tells of each. */
  readonly #keyOf = new Map<string, { readonly key: number; blocks: number; near: boolean }>();
  /** How many blocks of the engine hold these tokens. */
  readonly #resident = new Map<number, number>();
  /** Digests that end within a block; least recently asked first. */
  readonly #names = new Map<number, readonly string[]>();
  readonly #holders = new Map<string, number>();
  /** Stored blocks whose place in a chain is not known. */
  unplaced = 0;
  /** Blocks that the engine gave up for others. */
  evicted = 0;

  constructor(options: { blockTokens: number; blocksMax: number }, deps: { tell: (event: KvEvent) => void }) {
    this.#options = options;
    this.#tell = deps.tell;
  }

  /** Blocks of the engine that are known. */
  get size(): number {
    return this.#keyOf.size;
  }

  get names(): number {
    return this.#names.size;
  }

  /** `of`: the rank that tells; equal names of two ranks are two blocks. */
  take(messages: readonly KvMessage[], of = ""): void {
    const changed = { stored: new Set<string>(), removed: new Set<string>() };
    for (const message of messages) {
      if (message.kind === "cleared") {
        this.clear();
        changed.stored.clear();
        changed.removed.clear();
      } else if (message.kind === "removed") for (const hash of message.hashes) this.#remove(of + hash, changed);
      else if (message.kind === "moved") for (const hash of message.hashes) this.#move(of + hash, message.near, changed);
      else this.#store(message, of, changed);
    }
    if (changed.stored.size + changed.removed.size > 0)
      this.#tell({ stored: [...changed.stored], removed: [...changed.removed], cleared: false });
  }

  /** A prompt of ours: from now on its blocks have names. */
  prompted({ keys, byteEnds, digests }: Prompted): void {
    const changed = { stored: new Set<string>(), removed: new Set<string>() };
    const whole = Math.floor(digests.length / digestBytes);
    for (const [index, key] of keys.entries()) {
      const known = this.#names.get(key);
      if (known) {
        this.#names.delete(key);
        this.#names.set(key, known);
        continue;
      }
      const end = Math.floor((byteEnds[index] as number) / byteBlock);
      // Digests end where the prompt's last whole 64 bytes do.
      if (end > whole) break;
      const names: string[] = [];
      for (let at = Math.floor((byteEnds[index - 1] ?? 0) / byteBlock); at < end; at++)
        names.push(Buffer.from(digests.subarray(at * digestBytes, (at + 1) * digestBytes)).toString("hex"));
      this.#names.set(key, names);
      if (this.#resident.has(key)) for (const name of names) this.#hold(name, changed);
    }
    for (const key of this.#names.keys()) {
      if (this.#names.size <= this.#options.blocksMax) break;
      if (this.#resident.has(key)) for (const name of this.#names.get(key) ?? []) this.#release(name, changed);
      this.#names.delete(key);
    }
    if (changed.stored.size + changed.removed.size > 0)
      this.#tell({ stored: [...changed.stored], removed: [...changed.removed], cleared: false });
  }

  /** Leading blocks of a chain that are there. */
  known(keys: readonly number[]): number {
    const missing = keys.findIndex((key) => !this.#resident.has(key));
    return missing < 0 ? keys.length : missing;
  }

  /** Nothing of what was known holds any more. */
  clear(): void {
    this.#keyOf.clear();
    this.#resident.clear();
    this.#holders.clear();
    this.#tell({ stored: [], removed: [], cleared: true });
  }

  #store(message: Extract<KvMessage, { kind: "stored" }>, of: string, changed: Changed): void {
    const { hashes, parent, tokens, blockTokens, salt, adapter } = message;
    if (blockTokens !== this.#options.blockTokens || tokens.length < hashes.length * blockTokens) return;
    const before = parent === undefined ? undefined : this.#keyOf.get(of + parent)?.key;
    if (parent !== undefined && before === undefined) {
      this.unplaced += hashes.length;
      return;
    }
    const keys = blockKeys(tokens, blockTokens, seedOf(salt, adapter), before);
    for (const [index, name] of hashes.entries()) {
      const hash = of + name;
      const key = keys[index] as number;
      const known = this.#keyOf.get(hash);
      if (known) {
        known.blocks += 1;
        continue;
      }
      this.#keyOf.set(hash, { key, blocks: 1, near: true });
      this.#come(key, changed);
    }
    // One batch may store before it removes. An engine that stores twice what it has has not told what it removed.
    for (const hash of this.#keyOf.keys()) {
      if (this.#keyOf.size <= 2 * this.#options.blocksMax) return;
      this.#forget(hash, changed);
    }
  }

  #remove(hash: string, changed: Changed): void {
    const known = this.#keyOf.get(hash);
    if (!known) return;
    this.evicted += 1;
    known.blocks -= 1;
    if (known.blocks === 0) this.#forget(hash, changed);
  }

  #move(hash: string, near: boolean, changed: Changed): void {
    const known = this.#keyOf.get(hash);
    if (!known || known.near === near) return;
    known.near = near;
    if (near) this.#come(known.key, changed);
    else this.#go(known.key, changed);
  }

  #forget(hash: string, changed: Changed): void {
    const known = this.#keyOf.get(hash);
    this.#keyOf.delete(hash);
    if (known?.near) this.#go(known.key, changed);
  }

  #come(key: number, changed: Changed): void {
    const holders = this.#resident.get(key) ?? 0;
    this.#resident.set(key, holders + 1);
    if (holders === 0) for (const name of this.#names.get(key) ?? []) this.#hold(name, changed);
  }

  #go(key: number, changed: Changed): void {
    const holders = (this.#resident.get(key) ?? 0) - 1;
    if (holders > 0) {
      this.#resident.set(key, holders);
      return;
    }
    this.#resident.delete(key);
    for (const name of this.#names.get(key) ?? []) this.#release(name, changed);
  }

  /** The same bytes can be in two blocks: cut into tokens otherwise. */
  #hold(name: string, { stored, removed }: Changed): void {
    const holders = (this.#holders.get(name) ?? 0) + 1;
    this.#holders.set(name, holders);
    if (holders === 1 && !removed.delete(name)) stored.add(name);
  }

  #release(name: string, { stored, removed }: Changed): void {
    const holders = (this.#holders.get(name) ?? 0) - 1;
    if (holders > 0) {
      this.#holders.set(name, holders);
      return;
    }
    this.#holders.delete(name);
    if (!stored.delete(name)) removed.add(name);
  }
}

interface Changed {
  readonly stored: Set<string>;
  readonly removed: Set<string>;
}
