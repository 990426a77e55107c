// discovery: where workers are, from three sources, in; the addresses to hold links to, whenever they change, out. A static list, DNS
// names looked up again and again, and what workers say of themselves on the bus until they are silent. Each source stands
// alone: with NATS away list and DNS still find a new worker; a DNS that does not answer leaves what it said last. Bounded by
// `max` addresses.
import { fromBinary } from "@bufbuild/protobuf";
import type { Bus } from "../../lib/bus/bus.ts";
import { subjects } from "../../lib/bus/subjects.ts";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { type WorkerAnnouncement, WorkerAnnouncementSchema } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import type { RouterMetrics } from "../metrics.ts";
import { addressesOf, type Resolver } from "./names.ts";

export type { Resolver } from "./names.ts";

export interface DiscoveryOptions {
  readonly listed: readonly string[];
  /** "host:port", or "_service._proto.name" for SRV records. */
  readonly names: readonly string[];
  readonly everyMs: number;
  readonly max: number;
}

export interface DiscoveryDeps {
  readonly clock: Clock;
  readonly bus: Pick<Bus, "listen">;
  readonly resolver: Resolver;
  readonly log: Log;
  readonly metrics: Pick<RouterMetrics, "workers_found">;
  /** Where a worker of this name is reached now, if it is. */
  readonly reached: (worker: string) => string | undefined;
  readonly found: (addresses: readonly string[]) => void;
}

interface Announced {
  readonly worker: string;
  readonly timer: Disposable;
}

const sources = ["list", "dns", "bus"] as const;
/** A worker that says nothing for longer than it may want to be believed. */
const ttlMsMax = 300_000;
const addressPattern = /^(\[[0-9a-fA-F:]+\]|[^\s:[\]]+):\d{1,5}$/;

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #deps: DiscoveryDeps;
  readonly #resolved = new Map<string, readonly string[]>();
  readonly #failing = new Set<string>();
  /** By address. */
  readonly #announced = new Map<string, Announced>();
  readonly #listening: Disposable;
  #timer: Disposable | undefined;
  #told = "";
  #closed = false;

  constructor(options: DiscoveryOptions, deps: DiscoveryDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#listening = deps.bus.listen(subjects.allWorkers, ({ data }) => this.#hear(data));
    this.#tell();
    if (options.names.length > 0) void this.#lookUp();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    this.#listening[Symbol.dispose]();
    for (const { timer } of this.#announced.values()) timer[Symbol.dispose]();
    this.#announced.clear();
  }

  async #lookUp(): Promise<void> {
    await Promise.all(this.#options.names.map((name) => this.#lookUpOne(name)));
    if (this.#closed) return;
    this.#tell();
    this.#timer = this.#deps.clock.timer(this.#options.everyMs, () => void this.#lookUp());
  }

  async #lookUpOne(name: string): Promise<void> {
    const { resolver, log } = this.#deps;
    try {
      this.#resolved.set(name, await addressesOf(name, resolver));
      this.#failing.delete(name);
    } catch (thrown) {
      // What was there a moment ago most likely still is.
      if (!this.#failing.has(name))
        log.warn({ name, why: SlipstreamError.from(thrown).message }, "DNS does not answer; workers stay as they were");
      this.#failing.add(name);
    }
  }

  #hear(data: Uint8Array): void {
    const said = read(data);
    if (!said || !addressPattern.test(said.address)) return;
    const { address, worker, ttlMs } = said;
    const before = this.#announced.get(address);
    before?.timer[Symbol.dispose]();
    this.#announced.delete(address);
    if (ttlMs > 0 && (before || this.#announced.size < this.#options.max)) {
      const timer = this.#deps.clock.timer(Math.min(ttlMs, ttlMsMax), () => {
        this.#announced.delete(address);
        this.#tell();
      });
      this.#announced.set(address, { worker, timer });
    }
    this.#tell();
  }

  #tell(): void {
    const { metrics, found, log } = this.#deps;
    const dns = [...this.#resolved.values()].flat();
    const named = new Set([...this.#options.listed, ...dns]);
    // A worker that is reached by a name of the list is not another one for saying its address itself.
    const announced = [...this.#announced].filter(([, { worker }]) => !named.has(this.#deps.reached(worker) ?? ""));
    const bySource = { list: this.#options.listed, dns, bus: announced.map(([address]) => address) };
    for (const source of sources) metrics.workers_found.set({ source }, bySource[source].length);
    const all = [...new Set([...bySource.list, ...dns, ...bySource.bus])];
    const addresses = all.slice(0, this.#options.max);
    const told = [...addresses].sort().join();
    if (told === this.#told) return;
    this.#told = told;
    if (all.length > addresses.length)
      log.error({ workers: all.length, max: addresses.length }, "more workers than this router links to");
    found(addresses);
  }
}

function read(data: Uint8Array): WorkerAnnouncement | undefined {
  try {
    return fromBinary(WorkerAnnouncementSchema, data);
  } catch {
    return undefined;
  }
}
