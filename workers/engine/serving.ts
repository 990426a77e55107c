// serving: what runs on an engine behind HTTP, and whether it is still there: generations in, their Pieces out, and one word when
// the engine is gone, which ends all of them. Every engine that is reached by HTTP has one.
import { SlipstreamError } from "../../lib/errors.ts";
import type { Finished, Piece } from "../generation.ts";
import type { Owned } from "./own-process.ts";
import { type Asked, Running, type RunningDeps } from "./running.ts";
import { Watch, type WatchDeps, type WatchOptions } from "./watch.ts";

interface Deps extends Owned, Pick<RunningDeps, "clock" | "meter"> {
  readonly http: RunningDeps["http"] & { close(): void };
  /** Asks the engine how it is; throws when there is no answer. */
  readonly ask: WatchDeps["ask"];
  readonly aborted?: RunningDeps["aborted"];
  /** Called once, when it is gone or closed. */
  readonly ended?: () => void;
}

export class Serving {
  readonly died: Promise<Error>;
  readonly #deps: Deps;
  readonly #watch: Watch;
  readonly #running = new Set<Running>();
  #gone: SlipstreamError | undefined;
  #die: (why: SlipstreamError) => void = () => {};

  constructor(options: WatchOptions, deps: Deps) {
    this.#deps = deps;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
    this.#watch = new Watch(options, {
      clock: deps.clock,
      ask: deps.ask,
      running: () => this.#running.size,
      movedMs: () => Math.max(...[...this.#running].map(({ movedMs }) => movedMs)),
      gone: (why) => this.#end(why),
    });
    void deps.exited?.then((why) => this.#end(why));
  }

  get running(): number {
    return this.#running.size;
  }

  /** Throws why, when the engine is gone. */
  check(): void {
    if (this.#gone) throw this.#gone;
  }

  /** Not before the engine is warm. */
  watch(): void {
    this.#watch.start();
  }

  async *generate(
    asked: Asked,
    signal: AbortSignal,
    told: Pick<RunningDeps, "counted" | "computed"> = {},
  ): AsyncGenerator<Piece, Finished> {
    const { clock, http, meter, aborted } = this.#deps;
    const running = new Running(asked, {
      ...{ clock, http, meter, ...told },
      doubted: () => this.#watch.doubt(),
      aborted: (how) => aborted?.(how),
    });
    this.#running.add(running);
    this.#watch.nudge();
    try {
      return yield* running.read(signal);
    } finally {
      this.#running.delete(running);
    }
  }

  async close(): Promise<void> {
    const dead = this.#gone !== undefined;
    this.#end(new SlipstreamError("engine_failed", "the engine is closed"));
    this.#deps.http.close();
    await this.#deps.ending?.(dead);
  }

  #end(why: SlipstreamError): void {
    if (this.#gone) return;
    this.#gone = why;
    this.#watch.close();
    this.#deps.ended?.();
    for (const running of this.#running) running.fail(why);
    this.#die(why);
  }
}
