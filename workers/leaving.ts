// leaving: the operator's wish that this worker goes in, a drain out (drain.ts): its routers move its sessions, what is under way ends.
// The wish holds as long as it is said again: an operator that changes its mind, or is gone, leaves a worker that serves.
import { fromBinary } from "@bufbuild/protobuf";
import type { Bus } from "../lib/bus/bus.ts";
import { subjects } from "../lib/bus/subjects.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { type LeaveRequest, LeaveRequestSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";

interface Deps {
  readonly clock: Clock;
  readonly log: Log;
  readonly bus: Pick<Bus, "listen">;
  readonly agent: { drain(graceMs: number): Promise<void>; stay(): void };
  /** It began, nothing is under way any more, or it is over: the next announcement need not wait. */
  readonly changed: () => void;
}

/** Nobody may hold a worker back for longer with one message. */
const ttlMsMax = 60_000;
const graceMsMax = 600_000;

export class Leaving implements Disposable {
  readonly #deps: Deps;
  readonly #worker: string;
  readonly #listening: Disposable;
  #holds: Disposable | undefined;
  #graceMs = 0;

  constructor(options: { readonly worker: string }, deps: Deps) {
    this.#deps = deps;
    this.#worker = options.worker;
    this.#listening = deps.bus.listen(subjects.leave(options.worker), ({ data }) => this.#hear(data));
  }

  get active(): boolean {
    return this.#holds !== undefined;
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    this.#holds?.[Symbol.dispose]();
    this.#holds = undefined;
  }

  #hear(data: Uint8Array): void {
    const said = read(data);
    if (!said || said.worker !== this.#worker) return;
    if (said.ttlMs === 0) {
      this.#stay("the operator says so");
      return;
    }
    const began = this.active;
    this.#holds?.[Symbol.dispose]();
    this.#holds = this.#deps.clock.timer(Math.min(said.ttlMs, ttlMsMax), () => this.#stay("nobody asked for it again"));
    if (began) return;
    this.#graceMs = Math.min(said.graceMs, graceMsMax);
    this.#deps.log.info({ graceMs: this.#graceMs }, "asked to leave");
    void this.#drain();
    this.#deps.changed();
  }

  async #drain(): Promise<void> {
    await this.#deps.agent.drain(this.#graceMs);
    // Nothing is under way any more: it may be taken away at once.
    if (this.active) this.#deps.changed();
  }

  #stay(why: string): void {
    if (!this.active) return;
    this.#holds?.[Symbol.dispose]();
    this.#holds = undefined;
    this.#deps.log.info({ why }, "stays after all");
    this.#deps.agent.stay();
    this.#deps.changed();
  }
}

function read(data: Uint8Array): LeaveRequest | undefined {
  try {
    return fromBinary(LeaveRequestSchema, data);
  } catch {
    return undefined;
  }
}
