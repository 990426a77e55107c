// origins: prompts that the engine is asked with in, whose a prompt's first block is out: an event of the engine tells a block's tokens and
// not its tenant. Two tenants with the same first block are told apart only as long as one of them has it already; else nobody is
// said to have it, since what is not there must not be counted on. Bounded by the last first blocks.
import { blockKeys } from "../block-chain.ts";

export interface Origin {
  readonly salt: string;
  readonly adapter: string;
}

interface Asked extends Origin {
  /** The engine's name for this first block of theirs, when it was told. */
  hash: string | undefined;
}

const rootsMax = 8_192;
/** Of one first block. */
const originsMax = 64;

export class Origins {
  readonly #blockTokens: number;
  /** By the tokens of the first block; least recently asked first. */
  readonly #roots = new Map<number, Asked[]>();
  readonly #byHash = new Map<string, Asked>();
  /** First blocks that could be several tenants'. */
  unclear = 0;

  constructor(options: { blockTokens: number }) {
    this.#blockTokens = options.blockTokens;
  }

  asked(tokens: readonly number[], salt: string, adapter: string): void {
    const root = this.#rootOf(tokens);
    if (root === undefined) return;
    const known = this.#roots.get(root) ?? [];
    this.#roots.delete(root);
    this.#roots.set(root, known);
    if (!known.some((each) => each.salt === salt && each.adapter === adapter)) known.push({ salt, adapter, hash: undefined });
    while (known.length > originsMax) this.#forget(known.shift());
    for (const [oldest, all] of this.#roots) {
      if (this.#roots.size <= rootsMax) return;
      this.#roots.delete(oldest);
      for (const each of all) this.#forget(each);
    }
  }

  /** Whose the first block `hash` is; undefined: nobody can say. What no prompt of ours began with is nobody's in particular. */
  of(tokens: readonly number[], hash: string): Origin | undefined {
    const told = this.#byHash.get(hash);
    if (told) return told;
    const root = this.#rootOf(tokens);
    const known = root === undefined ? undefined : this.#roots.get(root);
    if (!known) return { salt: "", adapter: "" };
    const open = known.filter((each) => each.hash === undefined);
    const [only] = open;
    if (!only || open.length > 1) {
      this.unclear += 1;
      return undefined;
    }
    only.hash = hash;
    this.#byHash.set(hash, only);
    return only;
  }

  removed(hash: string): void {
    this.#forget(this.#byHash.get(hash));
  }

  clear(): void {
    for (const each of this.#byHash.values()) each.hash = undefined;
    this.#byHash.clear();
  }

  #rootOf(tokens: readonly number[]): number | undefined {
    return blockKeys(tokens.slice(0, this.#blockTokens), this.#blockTokens, 0)[0];
  }

  #forget(asked: Asked | undefined): void {
    if (asked?.hash === undefined) return;
    this.#byHash.delete(asked.hash);
    asked.hash = undefined;
  }
}
