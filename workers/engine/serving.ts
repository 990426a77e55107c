// serving: what runs on an engine behind a wire, and whether it is still there: generations in, their Pieces out, and one word when
// the engine is gone, which ends all of them. Every engine of another process has one.
import { SlipstreamError } from "../../lib/errors.ts";
import type { Finished, Piece } from "../generation.ts";
import type { Owned } from "./own-process.ts";
import { type Asked, Running, type RunningDeps, type Wire } from "./running.ts";
import { Watch, type WatchDeps, type WatchOptions } from "./watch.ts";

interface Deps<Chunk> extends Owned, Pick<RunningDeps<Chunk>, "clock" | "meter" | "answering"> {
  readonly wire: Wire<Chunk> & { close(): void };
  /** Asks the engine how it is; throws when there is no answer. */
  readonly ask: WatchDeps["ask"];
  readonly aborted?: RunningDeps<Chunk>["aborted"];
  /** Called once, when it is gone or closed. */
  readonly ended?: () => void;
}

export class Serving<Chunk> {
  readonly died: Promise<Error>;
  readonly #deps: Deps<Chunk>;
  readonly #watch: Watch;
  readonly #running = new Set<Running<Chunk>>();
  #gone: SlipstreamError | undefined;
  #die: (why: SlipstreamError) => void = () => {};

  constructor(options: WatchOptions, deps: Deps<Chunk>) {
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

  /** What is returned is to be read, at once and to its end. */
  generate(
    asked: Asked,
    signal: AbortSignal,
    told: Pick<RunningDeps<Chunk>, "counted" | "computed"> = {},
  ): AsyncGenerator<Piece, Finished> {
    const { clock, wire, meter, answering, aborted } = this.#deps;
    const running: Running<Chunk> = new Running(asked, {
      ...{ clock, wire, meter, answering, ...told },
      doubted: () => this.#watch.doubt(),
      aborted: (how) => aborted?.(how),
      over: () => this.#running.delete(running),
    });
    this.#running.add(running);
    this.#watch.nudge();
    return running.read(signal);
  }

  async close(): Promise<void> {
    const dead = this.#gone !== undefined;
    this.#end(new SlipstreamError("engine_failed", "the engine is closed"));
    this.#deps.wire.close();
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
