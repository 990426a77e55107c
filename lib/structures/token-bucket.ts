// token-bucket: a rate with a bounded burst. `TokenBucket` is one allowance; `TokenBuckets` keeps one for each of at most
// `keysMax` keys. A key that was not used for so long that others took its place starts with a full bucket again.
import { Lru } from "./lru.ts";

export interface TokenBucketOptions {
  readonly perSecond: number;
  /** Most tokens that can be taken at once; also where a bucket starts. */
  readonly burst: number;
}

export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #at: number;

  constructor(options: TokenBucketOptions, now: number) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#at = now;
  }

  /** Takes `n` tokens when there are as many, else none. More than the burst is never there. */
  take(now: number, n = 1): boolean {
    this.#refill(now);
    if (!(n <= this.#tokens)) return false;
    this.#tokens -= Math.max(0, n);
    return true;
  }

  /** Milliseconds until `take(now, n)` would say true; Infinity when it never will. */
  waitMs(now: number, n = 1): number {
    this.#refill(now);
    if (n <= this.#tokens) return 0;
    return n > this.#options.burst ? Number.POSITIVE_INFINITY : ((n - this.#tokens) / this.#options.perSecond) * 1_000;
  }

  #refill(now: number): void {
    const elapsed = Math.max(0, now - this.#at);
    this.#tokens = Math.min(this.#options.burst, this.#tokens + (elapsed / 1_000) * this.#options.perSecond);
    this.#at = Math.max(this.#at, now);
  }
}

export class TokenBuckets {
  readonly #options: TokenBucketOptions;
  readonly #buckets: Lru<TokenBucket>;

  constructor(options: TokenBucketOptions & { readonly keysMax: number }) {
    this.#options = options;
    this.#buckets = new Lru({ max: options.keysMax });
  }

  take(key: string, now: number, n = 1): boolean {
    return this.#bucket(key, now).take(now, n);
  }

  waitMs(key: string, now: number, n = 1): number {
    return this.#bucket(key, now).waitMs(now, n);
  }

  #bucket(key: string, now: number): TokenBucket {
    const known = this.#buckets.get(key, now);
    if (known) return known;
    const bucket = new TokenBucket(this.#options, now);
    this.#buckets.set(key, bucket, now);
    return bucket;
  }
}
