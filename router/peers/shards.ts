// shards: sessions are spread over subjects, and a router hears those of the sessions it serves. A shard is heard from its first use
// until none has come for a while.
import type { Clock } from "../../lib/clock.ts";

export interface ShardsOptions {
  readonly count: number;
  readonly idleMs: number;
}

export class Shards {
  readonly #options: ShardsOptions;
  readonly #clock: Clock;
  readonly #listen: (shard: number) => Disposable;
  readonly #heard = new Map<number, { readonly listening: Disposable; usedMs: number }>();
  #sweeping: Disposable | undefined;

  constructor(options: ShardsOptions, clock: Clock, listen: (shard: number) => Disposable) {
    this.#options = options;
    this.#clock = clock;
    this.#listen = listen;
  }

  /** The session's shard, heard from now on. */
  use(session: string): number {
    const shard = hash(session) % this.#options.count;
    const now = this.#clock.now();
    const heard = this.#heard.get(shard);
    if (heard) heard.usedMs = now;
    else this.#heard.set(shard, { listening: this.#listen(shard), usedMs: now });
    this.#sweeping ??= this.#clock.timer(this.#options.idleMs, () => this.#sweep());
    return shard;
  }

  close(): void {
    this.#sweeping?.[Symbol.dispose]();
    for (const { listening } of this.#heard.values()) listening[Symbol.dispose]();
    this.#heard.clear();
  }

  #sweep(): void {
    this.#sweeping = undefined;
    const { idleMs } = this.#options;
    for (const [shard, { listening, usedMs }] of this.#heard) {
      if (this.#clock.now() - usedMs < idleMs) continue;
      listening[Symbol.dispose]();
      this.#heard.delete(shard);
    }
    if (this.#heard.size > 0) this.#sweeping = this.#clock.timer(idleMs, () => this.#sweep());
  }
}

/** FNV-1a: the same on every router. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
