// drain: how this router is taken out of service, whoever asks: an administrator on the admin port (lib/drain-pages.ts), the end of the
// process. First it says that it is not ready and serves on, so that whoever leads connections has seen it; then its sessions are told to
// connect anew, each served on until it has, and the leases that no hash tells are said once more, for the routers that they go to. It is
// taken back when all who asked take it back; the end of the process is not taken back.
import { setMaxListeners } from "node:events";
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";

/** leaving: not ready, and serves all as before. moving: sessions go. drained: nothing is open and nothing under way. */
export type DrainPhase = "serving" | "leaving" | "moving" | "drained";

/** As the admin port tells it. */
export interface DrainState {
  readonly process: "router";
  readonly state: DrainPhase;
  /** Streams of editors that are open. */
  readonly sessions: number;
  /** Triggers under way, of sessions and of calls without one. */
  readonly triggers: number;
}

export interface DrainDeps {
  readonly clock: Clock;
  /** What is left. */
  readonly left: () => Pick<DrainState, "sessions" | "triggers">;
  /** Says to other routers where the sessions are that are not where their hash says. */
  readonly handOver: () => void;
  /** Whether new connections are to come here. */
  readonly ready: (ready: boolean) => void;
}

export type DrainAsker = "admin" | "end";

export class Drain {
  readonly #deps: DrainDeps;
  readonly #askers = new Set<DrainAsker>();
  #moving = signalOf();
  #leaving: Disposable | undefined;
  #movesAtMs = Number.POSITIVE_INFINITY;

  constructor(deps: DrainDeps) {
    this.#deps = deps;
  }

  /** Aborts when sessions are to connect anew; another one after it was taken back. */
  get signal(): AbortSignal {
    return this.#moving.signal;
  }

  /** Was it asked to go, and not taken back? */
  get active(): boolean {
    return this.#askers.size > 0;
  }

  get told(): DrainState {
    const left = this.#deps.left();
    const gone = left.sessions === 0 && left.triggers === 0;
    const state = !this.active ? "serving" : !this.signal.aborted ? "leaving" : gone ? "drained" : "moving";
    return { process: "router", state, ...left };
  }

  /** Begins: sessions are told in `leaveMs`, or when somebody said so before, whichever is sooner. */
  begin(asker: DrainAsker, leaveMs: number): void {
    const { clock, ready } = this.#deps;
    this.#askers.add(asker);
    ready(false);
    const movesAtMs = clock.now() + leaveMs;
    if (this.signal.aborted || movesAtMs >= this.#movesAtMs) return;
    this.#movesAtMs = movesAtMs;
    this.#leaving?.[Symbol.dispose]();
    if (leaveMs === 0) this.#move();
    else this.#leaving = clock.timer(leaveMs, () => this.#move());
  }

  /** Takes it back, as far as it is this one's to take back. Sessions that were told go; they may come again. */
  undo(asker: Exclude<DrainAsker, "end">): void {
    if (!this.#askers.delete(asker) || this.active) return;
    this.#leaving?.[Symbol.dispose]();
    this.#movesAtMs = Number.POSITIVE_INFINITY;
    if (this.signal.aborted) this.#moving = signalOf();
    this.#deps.ready(true);
  }

  #move(): void {
    this.#deps.handOver();
    this.#moving.abort(new SlipstreamError("draining", "the router is being taken out of service"));
  }
}

/** Every session listens to it. */
function signalOf(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
