// lru: a map of at most `max` entries and `maxWeight` in all; the least recently used leave first. Optional time to live.

export interface LruOptions<V> {
  readonly max: number;
  readonly maxWeight?: number;
  readonly weigh?: (value: V) => number;
  readonly ttlMs?: number;
  readonly onEvict?: (key: string, value: V) => void;
}

export class Lru<V> {
  readonly #options: LruOptions<V>;
  readonly #entries = new Map<string, { value: V; weight: number; at: number }>();
  #weight = 0;
  /** Used last: it need not be moved to where it is. */
  #newest: string | undefined;

  constructor(options: LruOptions<V>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get weight(): number {
    return this.#weight;
  }

  /** The value, now the most recently used; undefined when absent or older than the time to live. */
  get(key: string, now: number): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (this.#options.ttlMs !== undefined && now - entry.at > this.#options.ttlMs) {
      this.delete(key);
      return undefined;
    }
    if (key !== this.#newest) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      this.#newest = key;
    }
    return entry.value;
  }

  set(key: string, value: V, now: number): void {
    this.delete(key);
    const weight = this.#options.weigh?.(value) ?? 1;
    const maxWeight = this.#options.maxWeight ?? Number.POSITIVE_INFINITY;
    if (weight > maxWeight || this.#options.max < 1) return;
    this.#entries.set(key, { value, weight, at: now });
    this.#newest = key;
    this.#weight += weight;
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= this.#options.max && this.#weight <= maxWeight) break;
      this.delete(oldest);
      this.#options.onEvict?.(oldest, entry.value);
    }
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    this.#weight -= entry.weight;
    return this.#entries.delete(key);
  }

  *entries(): IterableIterator<[string, V]> {
    for (const [key, entry] of this.#entries) yield [key, entry.value];
  }
}
