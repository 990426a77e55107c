// connection: the one connection to the apiserver: HTTP/2, so that every watch and call shares it. Made when it is needed, made
// anew when it broke; asked every few seconds whether it lives, because a half-open one would stay silent for ever.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Target } from "./target.ts";

export interface ConnectionOptions {
  readonly connectTimeoutMs: number;
  readonly pingEveryMs: number;
  readonly pingTimeoutMs: number;
}

export const connectionDefaults: ConnectionOptions = { connectTimeoutMs: 10_000, pingEveryMs: 15_000, pingTimeoutMs: 10_000 };

export interface Wanted {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: ClientHttp2Stream;
}

/** The session's window: a list of thousands of pods must not wait for a round trip every 64 KiB. */
const windowBytes = 4 << 20;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #target: Target;
  readonly #clock: Clock;
  #session: Promise<ClientHttp2Session> | undefined;
  #closed = false;
  /** Made so far: what a test counts. */
  made = 0;

  constructor(options: ConnectionOptions, deps: { target: Target; clock: Clock }) {
    this.#options = options;
    this.#target = deps.target;
    this.#clock = deps.clock;
  }

  get server(): string {
    return this.#target.server;
  }

  /** Resolves with the head of the answer; its body is the stream. Rejects with `unavailable` when nothing came. */
  async ask({ method, path, headers = {}, body }: Wanted, signal: AbortSignal): Promise<Answer> {
    const token = await this.#target.token();
    const session = await this.#live();
    signal.throwIfAborted();
    const stream = this.#request(
      session,
      {
        ":method": method,
        ":path": path,
        accept: "application/json",
        "user-agent": "slipstream-operator",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body === undefined,
    );
    return new Promise((resolve, reject) => {
      const abort = () => {
        stream.close();
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", abort, { once: true });
      stream.once("response", (head) => {
        const own = Object.entries(head).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []));
        resolve({ status: Number(head[":status"]), headers: Object.fromEntries(own), stream });
      });
      stream.once("error", (error) => reject(unreachable(this.server, error)));
      stream.once("close", () => {
        signal.removeEventListener("abort", abort);
        reject(unreachable(this.server, new Error("the connection was closed before an answer")));
      });
      if (body !== undefined) stream.end(body);
    });
  }

  /** A session that was destroyed a moment ago throws at once. */
  #request(session: ClientHttp2Session, headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    try {
      return session.request(headers, { endStream });
    } catch (thrown) {
      throw unreachable(this.server, thrown as Error);
    }
  }

  close(): void {
    this.#closed = true;
    this.drop();
  }

  /** It may be half-open: the next call makes another. */
  drop(): void {
    void this.#session?.then(
      (session) => session.destroy(),
      () => undefined,
    );
    this.#session = undefined;
  }

  #live(): Promise<ClientHttp2Session> {
    if (this.#closed) throw new SlipstreamError("draining", "the connection is closed");
    if (!this.#session) {
      const made = this.#connect();
      this.#session = made;
      made.catch(() => this.#forget(made));
    }
    return this.#session;
  }

  #forget(session: Promise<ClientHttp2Session>): void {
    if (this.#session === session) this.#session = undefined;
  }

  async #connect(): Promise<ClientHttp2Session> {
    const { ca, cert, key, serverName, insecure } = await this.#target.tls();
    const session = connect(this.server, {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...(insecure ? { rejectUnauthorized: false } : {}),
      settings: { initialWindowSize: windowBytes, enablePush: false },
    });
    this.made += 1;
    const own = this.#session;
    await new Promise<void>((resolve, reject) => {
      const late = this.#clock.timer(this.#options.connectTimeoutMs, () => session.destroy(new Error("it does not answer")));
      const failed = (error: Error) => {
        late[Symbol.dispose]();
        reject(unreachable(this.server, error));
      };
      session.once("error", failed);
      session.once("close", () => failed(new Error("the connection was closed")));
      session.once("connect", () => {
        late[Symbol.dispose]();
        session.removeListener("error", failed);
        resolve();
      });
    });
    session.setLocalWindowSize(windowBytes);
    const gone = () => own && this.#forget(own);
    // Streams that run end by themselves; new ones go elsewhere.
    session.once("goaway", gone);
    session.once("close", gone);
    session.on("error", gone);
    this.#ping(session);
    return session;
  }

  /** Ends a connection that does not answer: every stream of it fails then, and is asked anew. */
  #ping(session: ClientHttp2Session): void {
    this.#clock.timer(this.#options.pingEveryMs, () => {
      if (session.destroyed || session.closed) return;
      const late = this.#clock.timer(this.#options.pingTimeoutMs, () => session.destroy(new Error("it does not answer a ping")));
      session.ping((error) => {
        late[Symbol.dispose]();
        if (!error) this.#ping(session);
      });
    });
  }
}

function unreachable(server: string, error: Error): SlipstreamError {
  return new SlipstreamError("unavailable", `the Kubernetes API at ${server} cannot be reached: ${error.message}`, {
    cause: error,
  });
}
