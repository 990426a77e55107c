// tracing: ended spans in, batches to an OTLP collector over HTTP out, as JSON. Nothing waits for it: at most `pendingMax` spans
// are held, what comes while they are is dropped and counted, and a batch that the collector does not take is gone.
import type { Clock } from "../clock.ts";
import type { SpanContext } from "./context.ts";
import { encode } from "./otlp.ts";

export interface Span extends Pick<SpanContext, "traceId" | "spanId" | "parentId"> {
  readonly name: string;
  readonly kind: "internal" | "server" | "client";
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  /** Names and numbers; never code text. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** The code of what failed. */
  readonly failed?: string;
}

export interface TracingOptions {
  /** Base URL; /v1/traces is added. */
  readonly endpoint: string;
  readonly service: string;
  readonly instance: string;
  readonly version: string;
  readonly everyMs: number;
  readonly batchMax: number;
  readonly pendingMax: number;
}

const timeoutMs = 5_000;

export class Tracing {
  readonly #options: TracingOptions;
  readonly #deps: { readonly clock: Clock; readonly complain: (why: string, spans: number) => void };
  #pending: Span[] = [];
  #timer: Disposable | undefined;
  #dropped = 0;
  #sending: Promise<void> = Promise.resolve();

  constructor(options: TracingOptions, deps: { clock: Clock; complain: (why: string, spans: number) => void }) {
    this.#options = options;
    this.#deps = deps;
  }

  get dropped(): number {
    return this.#dropped;
  }

  send(spans: readonly Span[]): void {
    const { pendingMax, batchMax, everyMs } = this.#options;
    const room = Math.max(0, pendingMax - this.#pending.length);
    this.#pending.push(...spans.slice(0, room));
    this.#dropped += Math.max(0, spans.length - room);
    if (this.#pending.length >= batchMax) void this.flush();
    else this.#timer ??= this.#deps.clock.timer(everyMs, () => void this.flush());
  }

  /** Sends what is pending; resolves when it is there or lost. One request at a time. */
  flush(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#sending = this.#sending.then(async () => {
      while (this.#pending.length > 0) await this.#post(this.#pending.splice(0, this.#options.batchMax));
    });
    return this.#sending;
  }

  async #post(spans: readonly Span[]): Promise<void> {
    try {
      const response = await fetch(`${this.#options.endpoint.replace(/\/+$/, "")}/v1/traces`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(encode(this.#options, spans)),
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
    } catch (thrown) {
      this.#dropped += spans.length;
      this.#deps.complain(thrown instanceof Error ? thrown.message : String(thrown), spans.length);
    }
  }
}
