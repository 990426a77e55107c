// farewell: how a session's stream is ended by the router: at its age or when the process drains it is told first and served
// on for a while, so that the client can have its next stream ready; a newer stream of the same session ends it at once.
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { RouterMetrics } from "./metrics.ts";

export interface FarewellOptions {
  /** 0: never. */
  readonly connectionAgeMaxMs: number;
  readonly noticeMs: number;
}

export interface Notice {
  readonly why: "draining" | "age" | "replaced";
  readonly detail: string;
  readonly graceMs: number;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Pick<RouterMetrics, "session_notices_total">;
  /** The router is being taken out of service. */
  readonly draining: AbortSignal;
}

/** Streams opened together, after a restart, do not all end together. */
const jitter = 0.1;

export class Farewell implements Disposable {
  readonly #options: FarewellOptions;
  readonly #deps: Deps;
  readonly #tell: (notice: Notice) => void;
  readonly #over = new AbortController();
  readonly #draining: AbortSignal;
  readonly #drains: () => void;
  readonly #age: Disposable | undefined;
  #grace: Disposable | undefined;
  /** What the client was told of; 0: never. */
  readonly connectionAgeMs: number;

  constructor(options: FarewellOptions, deps: Deps, tell: (notice: Notice) => void) {
    this.#options = options;
    this.#deps = deps;
    this.#tell = tell;
    const { connectionAgeMaxMs } = options;
    this.connectionAgeMs =
      connectionAgeMaxMs === 0 ? 0 : Math.round(connectionAgeMaxMs * (1 - jitter + 2 * jitter * deps.random.next()));
    this.#drains = () => this.#notice("draining", "the router is shutting down; connect anew");
    this.#age =
      this.connectionAgeMs > 0
        ? deps.clock.timer(this.connectionAgeMs, () => this.#notice("age", "the connection is old; connect anew"))
        : undefined;
    // The one of now: another stands there later, when the draining was taken back.
    this.#draining = deps.draining;
    if (this.#draining.aborted) this.#drains();
    else this.#draining.addEventListener("abort", this.#drains, { once: true });
  }

  /** Aborts when nothing more is read from the stream. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  replaced(): void {
    this.#say({ why: "replaced", detail: "a newer stream goes on with this session", graceMs: 0 });
    this.#over.abort();
  }

  [Symbol.dispose](): void {
    this.#age?.[Symbol.dispose]();
    this.#grace?.[Symbol.dispose]();
    this.#draining.removeEventListener("abort", this.#drains);
  }

  /** The first notice sets the end: draining gives an old connection no more time. */
  #notice(why: Notice["why"], detail: string): void {
    if (this.#over.signal.aborted || this.#grace) return;
    const graceMs = this.#options.noticeMs;
    this.#grace = this.#deps.clock.timer(graceMs, () => this.#over.abort());
    this.#say({ why, detail, graceMs });
  }

  #say(notice: Notice): void {
    this.#deps.metrics.session_notices_total.inc({ why: notice.why });
    this.#tell(notice);
  }
}
