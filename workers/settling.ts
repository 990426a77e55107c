// settling: what a worker waits for before it takes work, or after it said that it will leave: until each of its routers that can has
// done its part, or the time for that is over. Routers' streams in as they are asked and answer, one promise out. Bounded by the streams.
import type { Clock } from "../lib/clock.ts";

export interface SettlingOptions {
  readonly ms: number;
  /** Where no router is there to ask, one is waited for so long. */
  readonly firstMs: number;
}

export class Settling<Stream extends object> {
  readonly over: Promise<void>;
  readonly #clock: Clock;
  readonly #untilMs: number;
  readonly #timers: Disposable[];
  /** Who has been asked and has not answered. */
  readonly #waiting = new Set<Stream>();
  #asked = false;
  #end: () => void = () => {};

  constructor({ ms, firstMs }: SettlingOptions, deps: { clock: Clock }) {
    this.#clock = deps.clock;
    this.#untilMs = deps.clock.now() + ms;
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#timers = [
      deps.clock.timer(ms, () => this.end()),
      deps.clock.timer(firstMs, () => {
        if (!this.#asked) this.end();
      }),
    ];
  }

  get leftMs(): number {
    return Math.max(1, this.#untilMs - this.#clock.now());
  }

  /** Routers that have not answered. */
  get waiting(): number {
    return this.#waiting.size;
  }

  asked(stream: Stream): void {
    this.#asked = true;
    this.#waiting.add(stream);
  }

  /** It has done what it could, or is gone itself. */
  answered(stream: Stream): void {
    if (this.#waiting.delete(stream) && this.#waiting.size === 0) this.end();
  }

  end(): void {
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#waiting.clear();
    this.#end();
  }
}
