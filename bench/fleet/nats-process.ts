// nats-process: a real nats-server with JetStream on loopback, killed and brought back on the same port and disk as often as is
// asked; what its stream holds is read back. Ended by its id.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { type OutcomeBatch, OutcomeBatchSchema } from "../../proto/gen/slipstream/v1/fleet_pb.ts";

const readyWithinMs = 20_000;
const stream = "SLIPSTREAM_OUTCOMES";

export class NatsProcess {
  readonly #program: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  /** "host:port"; any free port at the first start, the same one from then on. */
  address = "";

  constructor(options: { readonly program: string; readonly folder: string }) {
    this.#program = options.program;
    this.#folder = join(options.folder, "nats");
  }

  async start(): Promise<void> {
    const port = this.address === "" ? "-1" : (this.address.split(":").at(-1) as string);
    const words = ["--addr", "127.0.0.1", "--port", port, "--jetstream", "--store_dir", this.#folder];
    const child = spawn(this.#program, words, { stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    this.address = await listening(child, this.#program);
  }

  /** As kill -9. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const over = once(child, "exit");
    child.kill("SIGKILL");
    await over;
  }

  /** Every batch of outcomes that it keeps. */
  async batches(): Promise<OutcomeBatch[]> {
    const connection = await connect({ servers: [this.address] });
    try {
      const { streams } = await jetstreamManager(connection);
      const { state } = await streams.info(stream);
      const found: OutcomeBatch[] = [];
      for (let seq = state.first_seq; state.messages > 0 && seq <= state.last_seq; seq++) {
        const message = await streams.getMessage(stream, { seq });
        if (message) found.push(fromBinary(OutcomeBatchSchema, message.data));
      }
      return found;
    } finally {
      await connection.close();
    }
  }
}

/** Resolves with the address when the server's log says that it is ready. */
function listening(child: ChildProcess, program: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = "";
    const fail = (why: string) => {
      late[Symbol.dispose]();
      child.kill("SIGKILL");
      reject(new SlipstreamError("unavailable", `${program}: ${why}${log === "" ? "" : `:\n${log}`}`));
    };
    const late = systemClock.timer(readyWithinMs, () => fail(`is not ready after ${readyWithinMs} ms`));
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => fail(`ended with ${code}`));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      const address = log.match(/Listening for client connections on (\S+)/)?.[1];
      if (!address || !log.includes("Server is ready")) return;
      late[Symbol.dispose]();
      child.stderr?.removeAllListeners("data").resume();
      child.removeAllListeners("exit");
      resolve(address);
    });
  });
}
