// bus/nats: the bus of a cluster, on NATS core. Reconnects for ever; while it is away publish says false and the caller's
// signals degrade. Subscriptions come back by themselves after a reconnect (the client's doing).
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { SlipstreamError } from "../errors.ts";
import type { Log } from "../log.ts";
import { Mailbox } from "../structures/mailbox.ts";
import type { Bus, BusMessage, Subscription } from "./bus.ts";

export interface NatsOptions {
  /** "host:port", several separated by commas. */
  readonly servers: string;
  /** Shown in the server's connection list. */
  readonly name: string;
  readonly connectTimeoutMs: number;
}

/** Bytes that may be on their way to the server before publish says false: a server that hangs costs no more memory. */
const sendBufferMax = 8 << 20;
/** Below this nobody asks the server how far it has read. */
const confirmAbove = 256 << 10;

export class NatsBus implements Bus {
  readonly #connection: NatsConnection;
  readonly #log: Log;
  readonly #mailboxes = new Set<Mailbox<BusMessage>>();
  #unconfirmedBytes = 0;
  #confirming = false;
  connected = true;

  private constructor(connection: NatsConnection, log: Log) {
    this.#connection = connection;
    this.#log = log;
    void this.#follow();
  }

  static async connect(options: NatsOptions, deps: { log: Log }): Promise<NatsBus> {
    try {
      const connection = await connect({
        servers: options.servers.split(","),
        name: options.name,
        timeout: options.connectTimeoutMs,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 500,
        reconnectJitter: 500,
        // A server that hangs or whose machine is gone is left after 15 s; by default it would be minutes.
        pingInterval: 5_000,
        maxPingOut: 2,
      });
      return new NatsBus(connection, deps.log);
    } catch (thrown) {
      throw new SlipstreamError("unavailable", `cannot reach NATS at ${options.servers}`, { cause: thrown });
    }
  }

  publish(subject: string, data: Uint8Array): boolean {
    const size = subject.length + data.length;
    if (!this.connected || this.#unconfirmedBytes + size > sendBufferMax) return false;
    try {
      this.#connection.publish(subject, data);
    } catch (error) {
      // Over the server's payload limit, or a subject that is none: nothing that a caller of a signal could mend.
      this.#log.warn({ bus: "nats", subject, bytes: data.length, err: error }, "a message cannot be published");
      return false;
    }
    this.#unconfirmedBytes += size;
    if (this.#unconfirmedBytes > confirmAbove) void this.#confirm();
    return true;
  }

  /** Learns how much the server has read; one question at a time. */
  async #confirm(): Promise<void> {
    if (this.#confirming) return;
    this.#confirming = true;
    const sent = this.#unconfirmedBytes;
    try {
      await this.#connection.flush();
      this.#unconfirmedBytes -= sent;
    } catch {
      // The connection is gone, and its buffer with it.
      this.#unconfirmedBytes = 0;
    }
    this.#confirming = false;
  }

  subscribe(pattern: string, options: { max: number }): Subscription {
    const mailbox = new Mailbox<BusMessage>({ max: options.max, full: "drop_oldest" });
    this.#mailboxes.add(mailbox);
    const subscription = this.#subscribe(pattern, mailbox);
    return {
      [Symbol.asyncIterator]: () => mailbox[Symbol.asyncIterator](),
      get dropped() {
        return mailbox.dropped;
      },
      [Symbol.dispose]: () => {
        subscription?.unsubscribe();
        this.#mailboxes.delete(mailbox);
        mailbox.end();
      },
    };
  }

  #subscribe(pattern: string, mailbox: Mailbox<BusMessage>): { unsubscribe(): void } | undefined {
    if (this.#connection.isClosed()) {
      mailbox.end();
      return undefined;
    }
    return this.#connection.subscribe(pattern, {
      callback: (error, message) => {
        if (error) this.#log.error({ bus: "nats", pattern, err: error }, "a subscription was refused");
        else mailbox.push({ subject: message.subject, data: message.data });
      },
    });
  }

  /** What was published before now has reached the server. */
  flush(): Promise<void> {
    return this.#connection.flush();
  }

  async close(): Promise<void> {
    this.connected = false;
    await this.#connection.close();
    this.#endReaders();
  }

  #endReaders(): void {
    for (const mailbox of this.#mailboxes) mailbox.end();
    this.#mailboxes.clear();
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect") {
        this.connected = false;
        this.#log.warn({ bus: "nats" }, "bus disconnected; signals degrade until it is back");
      } else if (status.type === "reconnect") {
        this.connected = true;
        this.#log.info({ bus: "nats" }, "bus is back");
      }
    }
    // The connection is closed for good: by us, or because the server no longer lets us in.
    if (this.connected) this.#log.error({ bus: "nats" }, "bus closed; signals stay degraded until this process restarts");
    this.connected = false;
    this.#endReaders();
  }
}
