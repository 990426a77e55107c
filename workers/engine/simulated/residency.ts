// residency: engine blocks in, the router's 64-byte blocks out. A 64-byte block is resident when the engine block that
// holds its last byte is (all before it are, by the chain). The same bytes can be held by two engine blocks (cut into
// segments otherwise), so each digest counts its holders.
import type { KvChanges } from "./blocks.ts";
import type { Block } from "./tokens.ts";

const digestBytes = 8;
const byteBlock = 64;

export class Residency {
  readonly #digestsOf = new Map<number, readonly string[]>();
  readonly #holders = new Map<string, number>();
  #stored = new Set<string>();
  #removed = new Set<string>();

  /** Engine block `block`, which follows `previous`, is resident; `digests` are those of its prompt. */
  name(block: Block, previous: Block | undefined, digests: Uint8Array): void {
    // Known already, or text that the model wrote: the router has no digest for it until it sends it back in a prompt.
    if (this.#digestsOf.has(block.key)) return;
    const first = Math.floor((previous?.byteEnd ?? 0) / byteBlock);
    const end = Math.min(Math.floor(block.byteEnd / byteBlock), Math.floor(digests.length / digestBytes));
    if (end < Math.floor(block.byteEnd / byteBlock)) return;
    const names: string[] = [];
    for (let i = first; i < end; i++)
      names.push(Buffer.from(digests.subarray(i * digestBytes, (i + 1) * digestBytes)).toString("hex"));
    this.#digestsOf.set(block.key, names);
    for (const name of names) {
      const holders = (this.#holders.get(name) ?? 0) + 1;
      this.#holders.set(name, holders);
      if (holders === 1 && !this.#removed.delete(name)) this.#stored.add(name);
    }
  }

  forget(key: number): void {
    for (const name of this.#digestsOf.get(key) ?? []) {
      const holders = (this.#holders.get(name) ?? 0) - 1;
      if (holders > 0) this.#holders.set(name, holders);
      else {
        this.#holders.delete(name);
        if (!this.#stored.delete(name)) this.#removed.add(name);
      }
    }
    this.#digestsOf.delete(key);
  }

  clear(): void {
    this.#digestsOf.clear();
    this.#holders.clear();
    this.#stored.clear();
    this.#removed.clear();
  }

  take(): KvChanges {
    const changes = { stored: [...this.#stored], removed: [...this.#removed] };
    if (this.#stored.size > 0) this.#stored = new Set();
    if (this.#removed.size > 0) this.#removed = new Set();
    return changes;
  }
}
