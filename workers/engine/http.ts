// http: requests to an engine's HTTP server in, answers or typed errors out. Connections are kept open and bounded; an answer
// that streams is given chunk by chunk, and leaving it closes its connection in the same tick, which is how such engines are
// told to stop. Answers that do not stream are bounded in bytes and time.
import { Agent, type ClientRequest, type IncomingMessage, request as plainRequest } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";

export interface HttpOptions {
  /** "http://127.0.0.1:8000", perhaps with a path before the server's own. */
  readonly url: string;
  /** Sent as a bearer token; "": none. */
  readonly key?: string;
  readonly connectionsMax: number;
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface StreamReader<Chunk = Buffer> {
  chunk(chunk: Chunk): void;
  /** Once: the answer ended well, was refused by its status, or broke. Never after `close`. */
  end(how: undefined | Answer | SlipstreamError): void;
}

interface Sent {
  leave(): void;
}

/** Where nobody says otherwise. */
const answerBytesMax = 8 << 20;
/** What an engine says in a refusal; the rest of it helps nobody. */
const refusalBytesMax = 64 << 10;

/** Why `ask` failed, as its error's cause: there was an answer, and more of it than was asked for. */
export class AnswerTooLong extends Error {}

export class HttpEngine {
  readonly #options: HttpOptions;
  readonly #clock: Clock;
  readonly #base: URL;
  readonly #agent: Agent;

  constructor(options: HttpOptions, deps: { clock: Clock }) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#base = parsed(options.url);
    const pool = { keepAlive: true, maxSockets: options.connectionsMax, maxFreeSockets: options.connectionsMax, noDelay: true };
    this.#agent = this.#base.protocol === "https:" ? new SecureAgent(pool) : new Agent(pool);
  }

  /** A whole answer, whatever its status. Throws `unavailable` when there is none, none in time, or one of more than `bytesMax`. */
  ask(path: string, body?: object, options: { timeoutMs?: number; bytesMax?: number; signal?: AbortSignal } = {}): Promise<Answer> {
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs ?? 5_000;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        timer[Symbol.dispose]();
        options.signal?.removeEventListener("abort", abort);
        act();
      };
      const fail = (why: string, cause?: unknown) => settle(() => reject(this.#unavailable(path, why, cause)));
      const failed = (error: Error) => fail(error.message, error);
      const sent = this.#send(
        path,
        body,
        {},
        (answer) =>
          void collect(answer, options.bytesMax ?? answerBytesMax).then(
            (text) => settle(() => resolve({ status: answer.statusCode ?? 0, text })),
            failed,
          ),
        failed,
      );
      const stop = (why: string) => {
        sent.leave();
        fail(why);
      };
      const timer = this.#clock.timer(timeoutMs, () => stop(`did not answer within ${timeoutMs} ms`));
      const abort = () => stop("was not waited for");
      if (options.signal?.aborted) abort();
      else options.signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** Streams an answer; the returned function leaves it. */
  stream(path: string, body: object, reader: StreamReader, headers: Readonly<Record<string, string>> = {}): () => void {
    let over = false;
    let open = false;
    const end = (how: undefined | Answer | SlipstreamError) => {
      if (over) return;
      over = true;
      reader.end(how);
    };
    const broke = (error: Error) =>
      end(new SlipstreamError("engine_failed", `the engine's answer broke off (${error.message})`, { cause: error }));
    const answered = (answer: IncomingMessage) => {
      const status = answer.statusCode ?? 0;
      if (status !== 200) {
        collect(answer, refusalBytesMax).then((text) => end({ status, text }), broke);
        return;
      }
      open = true;
      answer.on("data", (chunk: Buffer) => {
        if (!over) reader.chunk(chunk);
      });
      answer.on("error", broke);
      answer.on("end", () => end(undefined));
    };
    const failed = (error: Error) => (open ? broke(error) : end(this.#unavailable(path, error.message, error)));
    const sent = this.#send(path, body, headers, answered, failed);
    return () => {
      over = true;
      sent.leave();
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(
    path: string,
    body: object | undefined,
    more: Readonly<Record<string, string>>,
    answered: (answer: IncomingMessage) => void,
    failed: (error: Error) => void,
  ): Sent {
    const { key = "" } = this.#options;
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      ...more,
      ...(content && { "content-type": "application/json", "content-length": content.length }),
      ...(key !== "" && { authorization: `Bearer ${key}` }),
    };
    const { protocol, hostname, port, pathname } = this.#base;
    const target = { host: hostname.replace(/^\[|\]$/g, ""), port, path: pathname.replace(/\/$/, "") + path };
    const send = protocol === "https:" ? secureRequest : plainRequest;
    const options = { ...target, method: content ? "POST" : "GET", headers, agent: this.#agent };
    let request: ClientRequest;
    let over = false;
    let open = false;
    const once = (again: boolean) => {
      request = send(options, (answer) => {
        open = true;
        answered(answer);
      });
      request.on("error", (error) => {
        if (over) return;
        // A server closes connections that were idle for some seconds, perhaps just as one is used again: nobody has read this.
        if (again && request.reusedSocket && !open) once(false);
        else failed(error);
      });
      request.end(content);
    };
    once(true);
    return {
      leave: () => {
        over = true;
        request.destroy();
      },
    };
  }

  #unavailable(path: string, why: string, cause?: unknown): SlipstreamError {
    return new SlipstreamError("unavailable", `the engine at ${this.#base.host}: ${path} ${why}`, { cause });
  }
}

function parsed(url: string): URL {
  const base = URL.canParse(url) ? new URL(url) : undefined;
  if (!base || !/^https?:$/.test(base.protocol))
    throw new SlipstreamError("config", `the engine's URL ${JSON.stringify(url)} is not like http://127.0.0.1:8000`);
  return base;
}

function collect(answer: IncomingMessage, bytesMax: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    answer.on("data", (part: Buffer) => {
      bytes += part.length;
      if (bytes > bytesMax) answer.destroy(new AnswerTooLong(`answers with more than ${bytesMax} bytes`));
      else parts.push(part);
    });
    answer.on("error", reject);
    answer.on("end", () => resolve(Buffer.concat(parts).toString("utf8")));
  });
}
