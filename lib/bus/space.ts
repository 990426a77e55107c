// bus/space: one bus that several deployments share, seen by a part of one of them: what it says is told to those of its own space
// alone, and it hears nobody else. Pools, workers and routers of one name in two namespaces of a cluster do not meet.
import type { Bus, BusMessage, Subscription } from "./bus.ts";
import { Readers } from "./reader.ts";
import { inSpace, outOfSpace } from "./subjects.ts";

/** `space` "": the bus as it is. */
export function spaced(bus: Bus, space: string): Bus {
  return space === "" ? bus : new SpacedBus(bus, space);
}

class SpacedBus implements Bus {
  readonly #bus: Bus;
  readonly #space: string;
  readonly #readers = new Readers();

  constructor(bus: Bus, space: string) {
    this.#bus = bus;
    this.#space = space;
  }

  get connected(): boolean {
    return this.#bus.connected;
  }

  get shared(): boolean {
    return this.#bus.shared;
  }

  publish(subject: string, data: Uint8Array): boolean {
    return this.#bus.publish(inSpace(this.#space, subject), data);
  }

  append(subject: string, data: Uint8Array, id: string): Promise<void> {
    return this.#bus.append(inSpace(this.#space, subject), data, id);
  }

  listen(pattern: string, take: (message: BusMessage) => void): Disposable {
    return this.#bus.listen(inSpace(this.#space, pattern), ({ subject, data }) => take({ subject: outOfSpace(subject), data }));
  }

  subscribe(pattern: string, options: { readonly max: number }): Subscription {
    return this.#readers.read(this, pattern, options);
  }

  close(): Promise<void> {
    this.#readers.end();
    return this.#bus.close();
  }
}
