// live: each second a frame of figures in, to every page that looks a line out; who comes later is first given the frames of the last
// minutes. Bounded: frames by count, lookers by count, and one that does not read is let go.
import type { FastifyInstance } from "fastify";
import type { Clock } from "../../lib/clock.ts";
import type { LiveFrame, LiveHead, LiveLine, LiveNow } from "../../lib/live.ts";
import type { Log } from "../../lib/log.ts";

export interface LiveOptions {
  readonly head: Omit<LiveHead, "everyMs">;
  readonly everyMs: number;
  readonly framesMax: number;
  readonly lookersMax: number;
}

export interface LiveDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly frame: (at: number) => Promise<LiveFrame>;
  readonly now: () => Promise<LiveNow>;
}

interface Looker {
  write(text: string): unknown;
  end(): unknown;
  destroy(): unknown;
  readonly writableLength: number;
}

/** A few seconds of lines: who is further behind sees what was, not what is. */
const behindBytesMax = 512 << 10;
const line = (value: LiveLine) => `${JSON.stringify(value)}\n`;

export class Live {
  readonly #options: LiveOptions;
  readonly #deps: LiveDeps;
  readonly #frames: LiveFrame[] = [];
  readonly #lookers = new Set<Looker>();
  #timer: Disposable | undefined;
  #over = false;

  constructor(options: LiveOptions, deps: LiveDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#arm();
  }

  serve(app: FastifyInstance): void {
    app.get("/live", (_request, reply) => {
      if (this.#over || this.#lookers.size >= this.#options.lookersMax)
        return reply.code(503).send({ error: { code: "overloaded", message: `more than ${this.#options.lookersMax} look` } });
      void reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, { "content-type": "application/x-ndjson; charset=utf-8", "cache-control": "no-store" });
      raw.on("close", () => void this.#lookers.delete(raw));
      this.look(raw);
    });
  }

  look(looker: Looker): void {
    this.#lookers.add(looker);
    looker.write(line({ head: { ...this.#options.head, everyMs: this.#options.everyMs } }));
    looker.write(line({ past: this.#frames }));
  }

  close(): void {
    this.#over = true;
    this.#timer?.[Symbol.dispose]();
    for (const looker of this.#lookers) looker.end();
    this.#lookers.clear();
  }

  #arm(): void {
    if (this.#over) return;
    this.#timer = this.#deps.clock.timer(this.#options.everyMs, () => {
      this.#arm();
      this.#tell().catch((thrown: unknown) => this.#deps.log.error({ err: thrown }, "figures could not be told"));
    });
  }

  async #tell(): Promise<void> {
    const { clock, frame, now } = this.#deps;
    const made = await frame(Math.round(clock.wall()));
    this.#frames.push(made);
    if (this.#frames.length > this.#options.framesMax) this.#frames.shift();
    if (this.#lookers.size === 0) return;
    const text = line({ frame: made, now: await now() });
    for (const looker of this.#lookers) {
      if (looker.writableLength <= behindBytesMax) looker.write(text);
      else {
        this.#lookers.delete(looker);
        looker.destroy();
      }
    }
  }
}
