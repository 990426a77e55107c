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

export class NatsBus implements Bus {
  readonly #connection: NatsConnection;
  connected = true;

  private constructor(connection: NatsConnection, log: Log) {
    this.#connection = connection;
    void this.#follow(log);
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
      });
      return new NatsBus(connection, deps.log);
    } catch (thrown) {
      throw new SlipstreamError("unavailable", `cannot reach NATS at ${options.servers}`, { cause: thrown });
    }
  }

  publish(subject: string, data: Uint8Array): boolean {
    if (!this.connected) return false;
    this.#connection.publish(subject, data);
    return true;
  }

  subscribe(pattern: string, options: { max: number }): Subscription {
    const mailbox = new Mailbox<BusMessage>({ max: options.max, full: "drop_oldest" });
    const subscription = this.#connection.subscribe(pattern, {
      callback: (error, message) => {
        if (!error) mailbox.push({ subject: message.subject, data: message.data });
      },
    });
    return {
      [Symbol.asyncIterator]: () => mailbox[Symbol.asyncIterator](),
      get dropped() {
        return mailbox.dropped;
      },
      [Symbol.dispose]: () => {
        subscription.unsubscribe();
        mailbox.end();
      },
    };
  }

  /** What was published before now has reached the server. */
  flush(): Promise<void> {
    return this.#connection.flush();
  }

  async close(): Promise<void> {
    this.connected = false;
    await this.#connection.close();
  }

  async #follow(log: Log): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect") {
        this.connected = false;
        log.warn({ bus: "nats" }, "bus disconnected; signals degrade until it is back");
      } else if (status.type === "reconnect") {
        this.connected = true;
        log.info({ bus: "nats" }, "bus is back");
      }
    }
  }
}
