// bus/memory: the bus of one process (`slipstream up`, tests, simulation): same promises as NATS core, no wire.
import { Mailbox } from "../structures/mailbox.ts";
import { type Bus, type BusMessage, matches, type Subscription } from "./bus.ts";

export class MemoryBus implements Bus {
  readonly #subscribers = new Map<Mailbox<BusMessage>, string>();
  connected = true;

  publish(subject: string, data: Uint8Array): boolean {
    if (!this.connected) return false;
    for (const [mailbox, pattern] of this.#subscribers) if (matches(pattern, subject)) mailbox.push({ subject, data });
    return true;
  }

  subscribe(pattern: string, options: { max: number }): Subscription {
    const mailbox = new Mailbox<BusMessage>({ max: options.max, full: "drop_oldest" });
    if (this.connected) this.#subscribers.set(mailbox, pattern);
    else mailbox.end();
    return {
      [Symbol.asyncIterator]: () => mailbox[Symbol.asyncIterator](),
      get dropped() {
        return mailbox.dropped;
      },
      [Symbol.dispose]: () => {
        this.#subscribers.delete(mailbox);
        mailbox.end();
      },
    };
  }

  close(): Promise<void> {
    this.connected = false;
    for (const mailbox of this.#subscribers.keys()) mailbox.end();
    this.#subscribers.clear();
    return Promise.resolve();
  }
}
