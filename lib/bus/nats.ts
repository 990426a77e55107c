// bus/nats: the bus of a cluster, on NATS core and JetStream. Never holds up a start: it connects behind the process's back, for
// ever, and while NATS is away publish says false, append rejects and the caller's signals degrade. Who listens hears again as
// soon as it is back. Says once in the log what is wrong, not at every try.
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../clock.ts";
import { SlipstreamError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Bus, BusMessage, Subscription } from "./bus.ts";
import { Kept, type KeptOptions } from "./kept.ts";
import { assertOneWay, connectionOptions, type NatsWay } from "./nats-connection.ts";
import { Readers } from "./reader.ts";

export interface NatsOptions extends NatsWay {
  /** Where records are kept; absent: this process keeps none. */
  readonly kept?: KeptOptions;
}

interface Deps {
  readonly clock: Clock;
  readonly log: Log;
}

interface Heard {
  readonly pattern: string;
  readonly take: (message: BusMessage) => void;
  subscription?: { unsubscribe(): void };
}

/** Bytes that may be on their way to the server before publish says false: a server that hangs costs no more memory. */
const sendBufferMax = 8 << 20;
/** Below this nobody asks the server how far it has read. */
const confirmAbove = 256 << 10;
const retryMs = 1_000;

export class NatsBus implements Bus {
  readonly #options: NatsOptions;
  readonly #deps: Deps;
  readonly #heard = new Set<Heard>();
  readonly #readers = new Readers();
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #connection: NatsConnection | undefined;
  #kept: Kept | undefined;
  #unconfirmedBytes = 0;
  #confirming = false;
  readonly shared = true;
  connected = false;

  constructor(options: NatsOptions, deps: Deps) {
    assertOneWay(options);
    this.#options = options;
    this.#deps = deps;
    this.#running = this.#run();
  }

  publish(subject: string, data: Uint8Array): boolean {
    const size = subject.length + data.length;
    if (!this.connected || !this.#connection || this.#unconfirmedBytes + size > sendBufferMax) return false;
    try {
      this.#connection.publish(subject, data);
    } catch (error) {
      // Over the server's payload limit, or a subject that is none: nothing that a caller of a signal could mend.
      this.#deps.log.warn({ bus: "nats", subject, bytes: data.length, err: error }, "a message cannot be published");
      return false;
    }
    this.#unconfirmedBytes += size;
    if (this.#unconfirmedBytes > confirmAbove) void this.#confirm(this.#connection);
    return true;
  }

  /** Learns how much the server has read; one question at a time. */
  async #confirm(connection: NatsConnection): Promise<void> {
    if (this.#confirming) return;
    this.#confirming = true;
    const sent = this.#unconfirmedBytes;
    try {
      await connection.flush();
      this.#unconfirmedBytes -= sent;
    } catch {
      // The connection is gone, and its buffer with it.
      this.#unconfirmedBytes = 0;
    }
    this.#confirming = false;
  }

  async append(subject: string, data: Uint8Array, id: string): Promise<void> {
    if (!this.connected || !this.#kept) throw new SlipstreamError("unavailable", "the bus is away");
    await this.#kept.append(subject, data, id);
  }

  listen(pattern: string, take: (message: BusMessage) => void): Disposable {
    const heard: Heard = { pattern, take };
    if (!this.#ending.signal.aborted) this.#heard.add(heard);
    this.#hear(heard);
    return {
      [Symbol.dispose]: () => {
        this.#heard.delete(heard);
        heard.subscription?.unsubscribe();
      },
    };
  }

  subscribe(pattern: string, options: { max: number }): Subscription {
    const subscription = this.#readers.read(this, pattern, options);
    if (this.#ending.signal.aborted) this.#readers.end();
    return subscription;
  }

  #hear(heard: Heard): void {
    if (!this.#connection || this.#connection.isClosed()) return;
    heard.subscription = this.#connection.subscribe(heard.pattern, {
      callback: (error, message) => {
        if (error) this.#deps.log.error({ bus: "nats", pattern: heard.pattern, err: error }, "a subscription was refused");
        else heard.take({ subject: message.subject, data: message.data });
      },
    });
  }

  /** What was published and listened for before now has reached the server. */
  async flush(): Promise<void> {
    await this.#connection?.flush();
  }

  async close(): Promise<void> {
    this.connected = false;
    this.#ending.abort();
    this.#readers.end();
    // A connection that is being made is closed when it is there; a server that does not answer holds up no end.
    if (!this.#connection) return;
    await this.#connection.close();
    await this.#running;
  }

  /** One connection after another until `close`; each lives as long as the client can mend it. */
  async #run(): Promise<void> {
    const { clock, log } = this.#deps;
    const servers = this.#options.servers.join(",");
    let said = false;
    while (!this.#ending.signal.aborted) {
      try {
        const connection = await connect(connectionOptions(this.#options, log));
        if (this.#ending.signal.aborted) return await connection.close();
        said = false;
        log.info({ bus: "nats", servers }, "bus joined");
        await this.#serve(connection);
      } catch (thrown) {
        const why = thrown instanceof Error ? thrown.message : String(thrown);
        if (!said)
          log.warn({ bus: "nats", servers, why }, "bus cannot be reached; serving goes on, signals degrade until it is there");
        said = true;
      }
      await clock.sleep(retryMs, this.#ending.signal).catch(() => {});
    }
  }

  async #serve(connection: NatsConnection): Promise<void> {
    const { log } = this.#deps;
    this.#connection = connection;
    this.#kept = this.#options.kept && new Kept(this.#options.kept, connection, log);
    this.#unconfirmedBytes = 0;
    for (const heard of this.#heard) this.#hear(heard);
    this.connected = true;
    for await (const status of connection.status()) {
      if (status.type === "disconnect") {
        this.connected = false;
        log.warn({ bus: "nats" }, "bus disconnected; signals degrade until it is back");
      } else if (status.type === "reconnect" && !this.#ending.signal.aborted) {
        this.connected = true;
        log.info({ bus: "nats" }, "bus is back");
      }
    }
    this.connected = false;
    if (!this.#ending.signal.aborted) log.warn({ bus: "nats" }, "bus closed the connection; a new one is tried");
  }
}
