// rest: calls to the apiserver in, JSON out. At a bounded rate, each within a time, tried again where that is harmless: 429 and 5xx
// after what Retry-After says, lost connections after a growing pause with chance in it.
import { setMaxListeners } from "node:events";
import type { Clock } from "../../lib/clock.ts";
import { type ErrorCode, SlipstreamError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import { TokenBucket } from "../../lib/structures/token-bucket.ts";
import type { ClientMetrics } from "../metrics.ts";
import type { Json } from "../objects.ts";
import type { Answer, Connection, Wanted } from "./connection.ts";

export interface RestOptions {
  readonly perSecond: number;
  readonly burst: number;
  readonly timeoutMs: number;
  readonly triesMax: number;
  readonly pauseMs: number;
  readonly pauseMaxMs: number;
  /** Of one answer. */
  readonly bytesMax: number;
  /** A call that is not answered in time takes its connection with it, where no other waits on that one. */
  readonly dropsWhenLate: boolean;
}

export const restDefaults: RestOptions = {
  perSecond: 50,
  burst: 100,
  timeoutMs: 15_000,
  triesMax: 5,
  pauseMs: 200,
  pauseMaxMs: 10_000,
  bytesMax: 64 << 20,
  dropsWhenLate: false,
};

/** What an apiserver refused, with its own words: `reason` is for a program. */
export class Refused extends SlipstreamError {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string, retryAfterMs?: number) {
    super(codeOf(status), message, retryAfterMs === undefined ? {} : { retryAfterMs });
    this.status = status;
    this.reason = reason;
  }
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "permission_denied";
  if (status === 404) return "not_found";
  if (status === 409) return "conflict";
  if (status === 429) return "overloaded";
  return status >= 500 ? "unavailable" : "invalid_request";
}

interface Deps {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: ClientMetrics;
  /** Asked before each write; absent: always. */
  readonly mayWrite?: () => boolean;
}

export class Rest {
  readonly #options: RestOptions;
  readonly #deps: Deps;
  readonly #bucket: TokenBucket;
  readonly #ending = new AbortController();

  constructor(options: RestOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    // Every call and watch listens to this one signal.
    setMaxListeners(0, this.#ending.signal);
    this.#bucket = new TokenBucket({ perSecond: options.perSecond, burst: options.burst }, deps.clock.now());
  }

  close(): void {
    this.#ending.abort(new SlipstreamError("draining", "the process is shutting down"));
    this.#deps.connection.close();
  }

  /** One call. A POST is tried again only where it surely did nothing: 429, or no connection. */
  async call(wanted: Wanted): Promise<Json> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once(wanted);
      } catch (thrown) {
        const error = SlipstreamError.from(thrown);
        if (tries >= this.#options.triesMax || !this.#again(error, wanted.method)) throw error;
        await this.#deps.clock.sleep(error.retryAfterMs ?? this.#pauseMs(tries), this.#ending.signal);
      }
    }
  }

  /** The head of an answer that goes on; what is not 200 is thrown. The caller's signal ends it. */
  async open(wanted: Wanted, signal: AbortSignal): Promise<Answer> {
    await this.#turn();
    const answer = await this.#answered(wanted, AbortSignal.any([signal, this.#ending.signal]));
    if (answer.status !== 200) throw refused(answer, await text(answer, 1 << 20));
    return answer;
  }

  /** As it is answered, whatever that is. */
  async ask(wanted: Wanted): Promise<{ status: number; body: string }> {
    await this.#turn();
    const late = new AbortController();
    using _ = this.#deps.clock.timer(this.#options.timeoutMs, () => late.abort(this.#silence()));
    const answer = await this.#answered(wanted, AbortSignal.any([late.signal, this.#ending.signal]));
    return { status: answer.status, body: await text(answer, this.#options.bytesMax, late.signal) };
  }

  #silence(): SlipstreamError {
    return new SlipstreamError("unavailable", `the Kubernetes API did not answer within ${this.#options.timeoutMs} ms`);
  }

  async #once(wanted: Wanted): Promise<Json> {
    await this.#turn();
    const { clock, metrics, connection, mayWrite } = this.#deps;
    if (wanted.method !== "GET" && mayWrite?.() === false)
      throw new SlipstreamError("unavailable", "nothing is written: the lease was not renewed in time");
    const began = clock.now();
    const late = new AbortController();
    const timer = clock.timer(this.#options.timeoutMs, () => {
      late.abort(this.#silence());
      if (this.#options.dropsWhenLate) connection.drop();
    });
    try {
      const answer = await this.#answered(wanted, AbortSignal.any([late.signal, this.#ending.signal]));
      const body = await text(answer, this.#options.bytesMax, late.signal);
      if (answer.status < 200 || answer.status > 299) throw refused(answer, body);
      return body === "" ? {} : JSON.parse(body);
    } finally {
      timer[Symbol.dispose]();
      metrics?.rest_client_request_duration_seconds.observe({ verb: wanted.method }, (clock.now() - began) / 1_000);
    }
  }

  async #answered(wanted: Wanted, signal: AbortSignal): Promise<Answer> {
    const { connection, metrics } = this.#deps;
    const count = (code: string) => metrics?.rest_client_requests_total.inc({ code, method: wanted.method });
    try {
      const answer = await connection.ask(wanted, signal);
      count(String(answer.status));
      return answer;
    } catch (thrown) {
      count("<error>");
      throw thrown;
    }
  }

  /** Waits for the call's turn. */
  async #turn(): Promise<void> {
    const { clock, metrics } = this.#deps;
    const began = clock.now();
    while (!this.#bucket.take(clock.now())) await clock.sleep(Math.max(1, this.#bucket.waitMs(clock.now())), this.#ending.signal);
    metrics?.rest_client_rate_limiter_duration_seconds.observe({}, (clock.now() - began) / 1_000);
  }

  #again(error: SlipstreamError, method: string): boolean {
    if (this.#ending.signal.aborted) return false;
    if (error instanceof Refused) return error.status === 429 || (error.status >= 500 && method !== "POST");
    return error.code === "unavailable" && method !== "POST";
  }

  #pauseMs(tries: number): number {
    const { pauseMs, pauseMaxMs } = this.#options;
    return Math.min(pauseMaxMs, pauseMs * 2 ** (tries - 1)) * (0.5 + this.#deps.random.next());
  }
}

function refused({ status, headers }: Answer, body: string): Refused {
  let said: Json = {};
  try {
    said = JSON.parse(body);
  } catch {
    // A proxy's page; its status says enough.
  }
  const seconds = Number(headers["retry-after"]);
  return new Refused(
    status,
    said?.reason ?? "",
    said?.message ?? `the Kubernetes API answered ${status}`,
    headers["retry-after"] !== undefined && seconds >= 0 ? Math.min(seconds, 60) * 1_000 : undefined,
  );
}

/** A body whole; rejects when it breaks off, or outgrows its bound. */
function text({ stream }: Answer, bytesMax: number, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    let ended = false;
    signal?.addEventListener("abort", () => {
      stream.close();
      reject(signal.reason as Error);
    });
    stream.on("data", (part: Buffer) => {
      bytes += part.length;
      parts.push(part);
      if (bytes <= bytesMax) return;
      stream.close();
      reject(new SlipstreamError("unavailable", `an answer of the Kubernetes API is larger than ${bytesMax} bytes`));
    });
    stream.once("end", () => {
      ended = true;
    });
    stream.once("error", (error) => reject(new SlipstreamError("unavailable", `an answer broke off: ${error.message}`)));
    stream.once("close", () => {
      // "end" is told of a stream that was reset, too.
      if (ended && stream.rstCode === 0) resolve(Buffer.concat(parts).toString("utf8"));
      else reject(new SlipstreamError("unavailable", "an answer of the Kubernetes API broke off"));
    });
  });
}
