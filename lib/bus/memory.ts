// bus/memory: the bus of one process (`slipstream up`, tests, simulation): same promises as NATS, no wire. Records are kept by
// whoever reads them; the bus remembers the last `idsMax` ids, so that one sent twice is told once.
import { SlipstreamError } from "../errors.ts";
import { Lru } from "../structures/lru.ts";
import { type Bus, type BusMessage, matches, type Subscription } from "./bus.ts";
import { Readers } from "./reader.ts";

const idsMax = 10_000;

export class MemoryBus implements Bus {
  readonly #listeners = new Map<(message: BusMessage) => void, string>();
  readonly #readers = new Readers();
  readonly #ids = new Lru<true>({ max: idsMax });
  #closed = false;
  readonly shared: boolean;
  connected = true;

  constructor(options: { readonly shared?: boolean } = {}) {
    this.shared = options.shared ?? false;
  }

  publish(subject: string, data: Uint8Array): boolean {
    if (!this.connected) return false;
    for (const [take, pattern] of this.#listeners) if (matches(pattern, subject)) take({ subject, data });
    return true;
  }

  async append(subject: string, data: Uint8Array, id: string): Promise<void> {
    if (!this.connected) throw new SlipstreamError("unavailable", "the bus is away");
    if (this.#ids.get(id, 0)) return;
    this.#ids.set(id, true, 0);
    this.publish(subject, data);
  }

  listen(pattern: string, take: (message: BusMessage) => void): Disposable {
    // One function may listen twice.
    const own = (message: BusMessage) => take(message);
    if (!this.#closed) this.#listeners.set(own, pattern);
    return { [Symbol.dispose]: () => void this.#listeners.delete(own) };
  }

  subscribe(pattern: string, options: { max: number }): Subscription {
    const subscription = this.#readers.read(this, pattern, options);
    if (this.#closed) this.#readers.end();
    return subscription;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.connected = false;
    this.#listeners.clear();
    this.#readers.end();
    return Promise.resolve();
  }
}
