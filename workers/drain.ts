// drain: how this worker is taken out of service, whoever asks: the operator over the bus (leaving.ts), an administrator on the admin
// port (lib/drain-pages.ts), the end of the process. First its routers move its sessions (presence.ts), then it takes nothing new and
// ends what runs. It stays when all who asked have taken it back; the end of the process is not taken back.
import type { Clock } from "../lib/clock.ts";
import type { Agent } from "./agent.ts";
import type { PresenceState } from "./presence.ts";

export interface DrainOptions {
  /** For routers to move sessions, and for what runs after that. */
  readonly handOverMs: number;
  readonly graceMs: number;
}

interface Deps {
  readonly clock: Clock;
  readonly agent: Pick<Agent, "presence" | "drain" | "stay" | "outstanding">;
  /** It goes, went a step further, or stays. */
  readonly changed: () => void;
}

export type Asker = "operator" | "admin" | "end";

/** As the admin port tells it. */
export interface DrainState {
  readonly process: "worker";
  readonly state: PresenceState | "drained";
  /** Routers that have sessions left to move. */
  readonly routers: number;
  /** Generations that run or wait here. */
  readonly generations: number;
}

export class Drain {
  readonly #options: DrainOptions;
  readonly #deps: Deps;
  readonly #askers = new Set<Asker>();
  #under: Promise<void> | undefined;
  #done = false;

  constructor(options: DrainOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Was it asked to go, and not taken back? */
  get active(): boolean {
    return this.#under !== undefined;
  }

  /** Does it take nothing new any more? */
  get closed(): boolean {
    return this.active && this.#deps.agent.presence.state === "draining";
  }

  get told(): DrainState {
    const { presence, outstanding } = this.#deps.agent;
    return {
      process: "worker",
      state: this.#done ? "drained" : presence.state,
      routers: presence.unsettled,
      generations: outstanding,
    };
  }

  /** Begins, once; resolves when nothing runs here any more. */
  begin(asker: Asker, graceMs = this.#options.graceMs): Promise<void> {
    this.#askers.add(asker);
    if (this.#under !== undefined) return this.#under;
    const under: Promise<void> = this.#run(graceMs, () => this.#under === under);
    this.#under = under;
    this.#deps.changed();
    return under;
  }

  /** Takes it back, as far as it is this one's to take back. */
  undo(asker: Exclude<Asker, "end">): void {
    this.#askers.delete(asker);
    if (this.#askers.size > 0 || this.#under === undefined) return;
    this.#under = undefined;
    this.#done = false;
    this.#deps.agent.stay();
    this.#deps.changed();
  }

  async #run(graceMs: number, wanted: () => boolean): Promise<void> {
    const { agent, clock, changed } = this.#deps;
    const beganMs = clock.now();
    // Not in this tick: who began it is to know of it first.
    await Promise.resolve();
    await agent.presence.handOver(Math.min(this.#options.handOverMs, graceMs / 2), graceMs);
    if (!wanted()) return;
    // The rest of the grace period is for the streams to end.
    const ended = agent.drain(Math.max(0, graceMs * 0.9 - (clock.now() - beganMs)));
    changed();
    await ended;
    if (!wanted()) return;
    this.#done = true;
    changed();
  }
}
