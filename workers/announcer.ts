// announcer: says on the bus where this worker is, every `everyMs` while it serves, so that routers find it without a list; and that
// it leaves, so that they do not wait for its silence.
import { create, toBinary } from "@bufbuild/protobuf";
import type { Bus } from "../lib/bus/bus.ts";
import { subjects } from "../lib/bus/subjects.ts";
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { WorkerAnnouncementSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";

export interface AnnouncerOptions {
  readonly worker: string;
  readonly pool: string;
  readonly address: string;
  readonly everyMs: number;
  readonly ttlMs: number;
}

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #deps: { readonly clock: Clock; readonly bus: Pick<Bus, "publish"> };
  #timer: Disposable | undefined;

  constructor(options: AnnouncerOptions, deps: { clock: Clock; bus: Pick<Bus, "publish"> }) {
    this.#options = options;
    this.#deps = deps;
  }

  serving(serves: boolean): void {
    if (serves === (this.#timer !== undefined)) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (serves) this.#announce();
    else this.#say(0);
  }

  #announce(): void {
    const { everyMs, ttlMs } = this.#options;
    this.#say(ttlMs);
    this.#timer = this.#deps.clock.timer(everyMs, () => this.#announce());
  }

  #say(ttlMs: number): void {
    const { worker, pool, address } = this.#options;
    const unixMs = BigInt(Math.round(this.#deps.clock.wall()));
    const message = create(WorkerAnnouncementSchema, { worker, pool, address, unixMs, ttlMs });
    this.#deps.bus.publish(subjects.worker(worker), toBinary(WorkerAnnouncementSchema, message));
  }
}

/** What routers can connect to: an address that stands for every interface is none. */
export function advertised(advertise: string, address: string, port: number): string {
  if (advertise !== "") return advertise;
  const host = address.slice(0, address.lastIndexOf(":"));
  if (["0.0.0.0", "[::]"].includes(host))
    throw new SlipstreamError(
      "config",
      `SLIPSTREAM_WORKER_ADVERTISE: is needed on the bus, as ${address} is no address to connect to`,
    );
  return `${host}:${port}`;
}
