// parted-bus: the bus of a simulated cluster: messages take time, one member can be cut off from it or all of them at once, and what
// is appended is stored once by its id, though its answer may be lost on the way back. Holds what was stored: bounded by the run.
import { type Bus, type BusMessage, matches, type Subscription } from "../lib/bus/bus.ts";
import { Readers } from "../lib/bus/reader.ts";
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";

export interface PartedBusOptions {
  readonly latencyMs: number;
  readonly jitterMs: number;
  /** A planted mistake: messages that nobody is told, or ids that are not remembered. */
  readonly plant?: "deaf" | "forgetful";
}

export class PartedBus {
  readonly #options: PartedBusOptions;
  readonly #deps: { readonly clock: Clock; readonly random: Random };
  readonly #members = new Set<Member>();
  readonly #ids = new Set<string>();
  /** In the order of their storing. */
  readonly stored: Uint8Array[] = [];
  away = false;

  constructor(options: PartedBusOptions, deps: { clock: Clock; random: Random }) {
    this.#options = options;
    this.#deps = deps;
  }

  join(): Member {
    const member = new Member(this);
    this.#members.add(member);
    return member;
  }

  leave(member: Member): void {
    this.#members.delete(member);
  }

  /** To every other member that is on the bus when it arrives. */
  send(from: Member, message: BusMessage): void {
    if (this.#options.plant === "deaf" && matches("slipstream.v1.supersede.*", message.subject)) return;
    for (const member of this.#members)
      if (member !== from)
        this.#after(() => {
          if (member.connected) member.hear(message);
        });
  }

  store(from: Member, data: Uint8Array, id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const lost = () => reject(new SlipstreamError("unavailable", "the bus went away"));
      this.#after(() => {
        if (!from.connected) return lost();
        if (!this.#ids.has(id) || this.#options.plant === "forgetful") this.stored.push(data);
        this.#ids.add(id);
        // Stored, and nobody knows, where it goes away now.
        this.#after(() => (from.connected ? resolve() : lost()));
      });
    });
  }

  #after(act: () => void): void {
    const { latencyMs, jitterMs } = this.#options;
    this.#deps.clock.timer(latencyMs + this.#deps.random.next() * jitterMs, act);
  }
}

export class Member implements Bus {
  readonly #hub: PartedBus;
  readonly #listeners = new Map<(message: BusMessage) => void, string>();
  readonly #readers = new Readers();
  readonly shared = true;
  parted = false;

  constructor(hub: PartedBus) {
    this.#hub = hub;
  }

  get connected(): boolean {
    return !this.#hub.away && !this.parted;
  }

  publish(subject: string, data: Uint8Array): boolean {
    if (this.connected) this.#hub.send(this, { subject, data });
    return this.connected;
  }

  async append(_subject: string, data: Uint8Array, id: string): Promise<void> {
    if (!this.connected) throw new SlipstreamError("unavailable", "the bus is away");
    await this.#hub.store(this, data, id);
  }

  listen(pattern: string, take: (message: BusMessage) => void): Disposable {
    const own = (message: BusMessage) => take(message);
    this.#listeners.set(own, pattern);
    return { [Symbol.dispose]: () => void this.#listeners.delete(own) };
  }

  subscribe(pattern: string, options: { max: number }): Subscription {
    return this.#readers.read(this, pattern, options);
  }

  hear(message: BusMessage): void {
    for (const [take, pattern] of this.#listeners) if (matches(pattern, message.subject)) take(message);
  }

  close(): Promise<void> {
    this.#readers.end();
    this.#listeners.clear();
    this.#hub.leave(this);
    return Promise.resolve();
  }
}

/** A machine's clock that is wrong by so much. */
export function skewed(clock: Clock, ms: number): Clock {
  return {
    now: () => clock.now(),
    wall: () => clock.wall() + ms,
    timer: (after, fire) => clock.timer(after, fire),
    sleep: (after, signal) => clock.sleep(after, signal),
  };
}
