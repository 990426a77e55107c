// bus/reader: messages that are taken as they arrive, made into a Subscription that is read when there is time.
import { Mailbox } from "../structures/mailbox.ts";
import type { Bus, BusMessage, Subscription } from "./bus.ts";

export class Readers {
  readonly #mailboxes = new Set<Mailbox<BusMessage>>();

  read(bus: Pick<Bus, "listen">, pattern: string, { max }: { readonly max: number }): Subscription {
    const mailbox = new Mailbox<BusMessage>({ max, full: "drop_oldest" });
    this.#mailboxes.add(mailbox);
    const heard = bus.listen(pattern, (message) => void mailbox.push(message));
    return {
      [Symbol.asyncIterator]: () => mailbox[Symbol.asyncIterator](),
      get dropped() {
        return mailbox.dropped;
      },
      [Symbol.dispose]: () => {
        heard[Symbol.dispose]();
        this.#mailboxes.delete(mailbox);
        mailbox.end();
      },
    };
  }

  end(): void {
    for (const mailbox of this.#mailboxes) mailbox.end();
    this.#mailboxes.clear();
  }
}
