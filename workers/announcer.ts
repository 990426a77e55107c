// announcer: says on the bus where this worker is, every `everyMs` while it serves, so that routers find it without a list; and that
// it leaves, so that they do not wait for its silence. With it goes what its engine guessed ahead, for whoever looks after pools.
import { create, toBinary } from "@bufbuild/protobuf";
import type { Bus } from "../lib/bus/bus.ts";
import { subjects } from "../lib/bus/subjects.ts";
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { type DraftReport, WorkerAnnouncementSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";

export interface AnnouncerOptions {
  readonly worker: string;
  readonly pool: string;
  readonly address: string;
  readonly everyMs: number;
  readonly ttlMs: number;
}

/** How it is doing, for whoever decides over it. */
export interface Doing {
  readonly outstanding: number;
  readonly leaving: boolean;
  readonly kvBlocksUsed: number;
  /** Absent: its engine guesses nothing ahead, or does not say. */
  readonly drafts?: DraftReport;
}

interface Deps {
  readonly clock: Clock;
  readonly bus: Pick<Bus, "publish">;
  readonly doing?: () => Doing;
}

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #deps: Deps;
  #timer: Disposable | undefined;
  #says: "nothing" | "warming" | "serving" = "nothing";

  constructor(options: AnnouncerOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** "warming": routers may connect, and send nothing that somebody waits for. */
  says(what: "nothing" | "warming" | "serving"): void {
    if (what === this.#says) return;
    this.#says = what;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (what === "nothing") this.#say(0);
    else this.#announce();
  }

  /** Says it now, where it serves. */
  again(): void {
    if (!this.#timer) return;
    this.#timer[Symbol.dispose]();
    this.#announce();
  }

  #announce(): void {
    const { everyMs, ttlMs } = this.#options;
    this.#say(ttlMs);
    this.#timer = this.#deps.clock.timer(everyMs, () => this.#announce());
  }

  #say(ttlMs: number): void {
    const { worker, pool, address } = this.#options;
    const unixMs = BigInt(Math.round(this.#deps.clock.wall()));
    const warming = this.#says === "warming";
    const message = create(WorkerAnnouncementSchema, { worker, pool, address, unixMs, ttlMs, warming, ...this.#deps.doing?.() });
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
