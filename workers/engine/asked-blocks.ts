// asked: which prefixes the engine has been asked to compute, for one that does not tell what it holds: block keys in, how much of a
// prompt is likely there out. At most as many blocks as the engine has, the least recently asked forgotten first.

export class AskedBlocks {
  readonly #blocksMax: number;
  /** Oldest first. */
  readonly #keys = new Set<number>();

  constructor(options: { blocksMax: number }) {
    this.#blocksMax = options.blocksMax;
  }

  /** Leading blocks of the chain that were asked for. */
  known(keys: readonly number[]): number {
    const missing = keys.findIndex((key) => !this.#keys.has(key));
    return missing < 0 ? keys.length : missing;
  }

  /** The engine has computed them. */
  computed(keys: readonly number[]): void {
    for (const key of keys) {
      this.#keys.delete(key);
      this.#keys.add(key);
    }
    for (const key of this.#keys) {
      if (this.#keys.size <= this.#blocksMax) return;
      this.#keys.delete(key);
    }
  }
}
