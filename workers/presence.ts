// presence: whether this worker takes work, and what its routers are told of that: before it serves it may want prefixes of them,
// before it leaves they move its sessions, and when it drains it takes nothing more. Streams in as they come, go and settle.
import type { Clock } from "../lib/clock.ts";
import type { WorkerFrame } from "../proto/gen/slipstream/v1/worker_pb.ts";
import type { Emit } from "./emit/emit.ts";
import { Settling } from "./settling.ts";
import type { Slots } from "./slots/slots.ts";

interface Stream {
  /** Its router says on it when it has moved its sessions, or sent what is to be computed ahead. */
  readonly settles: boolean;
  send(frame: WorkerFrame): void;
}

interface Deps<S extends Stream> {
  readonly clock: Clock;
  readonly emit: Pick<Emit, "draining" | "resume">;
  readonly ledger: Pick<Slots["ledger"], "close" | "reopen">;
  readonly streams: () => Iterable<S>;
}

export type PresenceState = "warming" | "serving" | "handing_over" | "draining";

export class Presence<S extends Stream> {
  readonly #deps: Deps<S>;
  #state: PresenceState = "serving";
  #graceMs = 0;
  #settling: Settling<S> | undefined;
  /** Of routers that connect now. */
  wantsPrefixes = 0;

  constructor(deps: Deps<S>) {
    this.#deps = deps;
  }

  get state(): PresenceState {
    return this.#state;
  }

  /** Routers that have not done their part yet. */
  get unsettled(): number {
    return this.#settling?.waiting ?? 0;
  }

  /** A router's stream is there: it learns what it missed. */
  joined(stream: S): void {
    if (this.#settling && stream.settles) this.#settling.asked(stream);
    const { emit } = this.#deps;
    if (this.#state === "draining") stream.send(emit.draining(this.#graceMs));
    else if (this.#state === "handing_over") stream.send(emit.draining(this.#graceMs, this.#settling?.leftMs));
  }

  /** It has done its part, or is gone. */
  settled(stream: S): void {
    this.#settling?.answered(stream);
  }

  /**
   * Before it takes work: tells routers as they connect that it wants so many prefixes, and computes those that they send. Until all
   * have sent theirs, `ms` have passed, or within `firstMs` none has come.
   */
  async warmUp(prefixes: number, { ms, firstMs }: { ms: number; firstMs: number }): Promise<void> {
    const { clock, ledger } = this.#deps;
    if (prefixes === 0) return;
    this.#begin("warming", new Settling<S>({ ms, firstMs }, { clock }));
    this.wantsPrefixes = prefixes;
    ledger.close();
    await this.#settling?.over;
    this.wantsPrefixes = 0;
    if (this.#state !== "warming") return;
    this.#begin("serving");
    ledger.reopen();
  }

  /**
   * Tells routers that it will leave, and serves on what it holds: they warm the worker that each session will have next, and move
   * it. Until all that can have done so, or `ms` have passed; whoever calls drains it then, or lets it resume.
   */
  async handOver(ms: number, graceMs: number): Promise<void> {
    if (ms <= 0 || this.#state !== "serving") return;
    const settling = new Settling<S>({ ms, firstMs: 0 }, this.#deps);
    this.#begin("handing_over", settling);
    this.#graceMs = graceMs;
    for (const stream of this.#deps.streams()) this.joined(stream);
    await settling.over;
  }

  /** It takes nothing more. */
  draining(graceMs: number): void {
    this.#begin("draining");
    this.#graceMs = graceMs;
    for (const stream of this.#deps.streams()) this.joined(stream);
  }

  /** It takes work again. */
  resumed(): void {
    this.#begin("serving");
    for (const { send } of this.#deps.streams()) send(this.#deps.emit.resume());
  }

  #begin(state: PresenceState, settling?: Settling<S>): void {
    this.#settling?.end();
    this.#settling = settling;
    this.#state = state;
  }
}
