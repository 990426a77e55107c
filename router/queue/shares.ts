// shares: who has how many of the slots, and how long slots stood idle while something waited. Bookings by tenant in; what part
// of its share a tenant uses, and the share of idle slots of late, out. Bounded by the tenants
// with something under way within seconds.
import type { Clock } from "../../lib/clock.ts";

/** "used": in use. "wanted": idle while something waited. "idle": idle, and nobody wanted it. */
export type SlotState = "used" | "wanted" | "idle";

interface Deps {
  readonly clock: Clock;
  readonly slots: () => { readonly all: number; readonly used: number };
  readonly seconds: (state: SlotState, seconds: number) => void;
}

const halfLifeMs = 10_000;
/** A tenant that had no slot for so long needs none kept for it. */
const aboutMs = 10_000;

export class Shares {
  readonly #deps: Deps;
  readonly #held = new Map<string, number>();
  readonly #seenMs = new Map<string, number>();
  #at: number;
  #wanted = false;
  #last: { readonly all: number; readonly used: number };
  /** Slot time of late, what is older counting for less. */
  #recent = { all: 0, wanted: 0 };

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#at = deps.clock.now();
    this.#last = { all: 0, used: 0 };
  }

  /** A slot for a tenant, until it is given back. */
  take(tenant: string): () => void {
    this.#count(tenant, 1);
    return () => this.#count(tenant, -1);
  }

  /** Slots or who waits for them may have changed. */
  changed(waiting: number): void {
    const now = this.#deps.clock.now();
    const seconds = (now - this.#at) / 1_000;
    if (seconds > 0) {
      const { all, used } = this.#last;
      const idle = Math.max(0, all - used) * seconds;
      this.#deps.seconds("used", Math.min(all, used) * seconds);
      this.#deps.seconds(this.#wanted ? "wanted" : "idle", idle);
      const keep = 0.5 ** ((now - this.#at) / halfLifeMs);
      this.#recent = {
        all: this.#recent.all * keep + all * seconds,
        wanted: this.#recent.wanted * keep + (this.#wanted ? idle : 0),
      };
    }
    this.#at = now;
    this.#wanted = waiting > 0;
    this.#last = this.#deps.slots();
  }

  get idle(): number {
    return this.#recent.all === 0 ? 0 : this.#recent.wanted / this.#recent.all;
  }

  /** Of a tenant's equal share of all slots, how much it uses; no bound for one that is alone. */
  of(tenant: string): number {
    const { all } = this.#deps.slots();
    const tenants = this.#about(tenant);
    if (tenants === 1) return Number.POSITIVE_INFINITY;
    return all === 0 ? 0 : ((this.#held.get(tenant) ?? 0) * tenants) / all;
  }

  /** Has it more than its share already, while others are about? */
  isGreedy(tenant: string): boolean {
    const share = this.of(tenant);
    return share >= 1 && share !== Number.POSITIVE_INFINITY;
  }

  /** Tenants that had a slot of late, this one among them. */
  #about(tenant: string): number {
    const now = this.#deps.clock.now();
    for (const [oldest, atMs] of this.#seenMs) {
      if (now - atMs <= aboutMs) break;
      this.#seenMs.delete(oldest);
    }
    return this.#seenMs.size + (this.#seenMs.has(tenant) ? 0 : 1);
  }

  #count(tenant: string, by: number): void {
    // The one seen last is the last of the list.
    this.#seenMs.delete(tenant);
    this.#seenMs.set(tenant, this.#deps.clock.now());
    const held = (this.#held.get(tenant) ?? 0) + by;
    if (held > 0) this.#held.set(tenant, held);
    else this.#held.delete(tenant);
  }
}
