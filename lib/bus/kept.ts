// bus/kept: records in a JetStream stream, each stored once by its id as long as the stream remembers ids. The stream is made
// when it is first needed and left as it is where an operator made it: only the subjects must be its own, and are added where they
// are missing, as in a stream of an older release.
import { type JetStreamClient, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { type NatsConnection, nanos } from "@nats-io/transport-node";
import { SlipstreamError } from "../errors.ts";
import type { Log } from "../log.ts";
import { matches } from "./bus.ts";

export interface KeptOptions {
  readonly stream: string;
  readonly subjects: readonly string[];
  /** How long and how much is kept; the oldest goes first. */
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  /** How long ids are remembered. */
  readonly idsMs: number;
}

/** A server that does not answer is asked again by whoever holds the record. */
const answerMs = 2_000;
/** Of a message with its id. */
const headerBytes = 512;
const missing = "stream not found";

export class Kept {
  readonly #options: KeptOptions;
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #log: Log;
  #ready: Promise<void> | undefined;
  #said = false;

  constructor(options: KeptOptions, connection: NatsConnection, log: Log) {
    this.#options = options;
    this.#connection = connection;
    this.#client = jetstream(connection, { timeout: answerMs });
    this.#log = log;
  }

  async append(subject: string, data: Uint8Array, id: string): Promise<void> {
    const max = this.#connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
    if (data.length + headerBytes > max)
      throw new SlipstreamError("invalid_request", `a record of ${data.length} bytes is more than the server takes (${max})`);
    this.#ready ??= this.#ensure(subject);
    try {
      await this.#ready;
      await this.#client.publish(subject, data, { msgID: id, timeout: answerMs });
    } catch (thrown) {
      // The stream may be gone with its server's disk: it is looked for again before the next record.
      this.#ready = undefined;
      throw thrown;
    }
  }

  async #ensure(subject: string): Promise<void> {
    const { stream, subjects, maxAgeMs, maxBytes, idsMs } = this.#options;
    try {
      const { streams } = await jetstreamManager(this.#connection, { timeout: answerMs });
      try {
        const { config } = await streams.info(stream);
        if (!config.subjects.some((pattern) => matches(pattern, subject))) {
          await streams.update(stream, { subjects: [...new Set([...config.subjects, ...subjects])] });
          this.#log.info({ bus: "nats", stream }, "the stream was given a subject that it lacked");
        }
      } catch (thrown) {
        if (!(thrown instanceof Error) || !thrown.message.includes(missing)) throw thrown;
        const limits = { max_age: nanos(maxAgeMs), max_bytes: maxBytes, duplicate_window: nanos(idsMs) };
        await streams.add({ name: stream, subjects: [...subjects], storage: "file", discard: "old", ...limits });
        this.#log.info({ bus: "nats", stream }, "stream made");
      }
      this.#said = false;
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      if (!this.#said)
        this.#log.warn({ bus: "nats", stream, why }, "the stream is not there; records wait in the process that made them");
      this.#said = true;
      throw thrown;
    }
  }
}
