// nats: a real nats-server on a free loopback port, from the tools cache; killed with the test that asked for it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { findTool } from "../../tools/toolbox.ts";

const readyTimeoutMs = 20_000;

export const natsServer = findTool("nats-server");

export interface Nats extends AsyncDisposable {
  /** "host:port". */
  readonly address: string;
  /** What it keeps. */
  readonly folder: string;
  /** Stops it where it is, connections and all, until `thaw`. Resolves when it reads no more: a signal is only a request. */
  freeze(): Promise<void>;
  thaw(): void;
  /** As kill -9. */
  kill(): Promise<void>;
}

/** `port` 0 takes any free one; give the port of a killed server, and its folder, to bring it back in its place. */
export async function startNats(port = 0, kept?: string, more: readonly string[] = []): Promise<Nats> {
  if (natsServer.path === undefined) throw new Error(natsServer.missing);
  const folder = kept ?? mkdtempSync(join(tmpdir(), "slipstream-nats-"));
  const words = ["--addr", "127.0.0.1", "--port", port === 0 ? "-1" : String(port), "--jetstream", "--store_dir", folder, ...more];
  const child = spawn(natsServer.path, words, { stdio: ["ignore", "ignore", "pipe"] });
  const killNow = () => void child.kill("SIGKILL");
  process.once("exit", killNow);
  try {
    const address = await listening(child);
    const kill = async () => {
      process.removeListener("exit", killNow);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    };
    return {
      address,
      folder,
      freeze: async () => {
        child.kill("SIGSTOP");
        await stopped(child.pid as number);
      },
      thaw: () => void child.kill("SIGCONT"),
      kill,
      [Symbol.asyncDispose]: async () => {
        await kill();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** All that a stream holds, in order, as "subject text". */
export async function storedIn(address: string, stream: string): Promise<string[]> {
  return (await messagesIn(address, stream)).map(({ subject, data }) => `${subject} ${new TextDecoder().decode(data)}`);
}

export async function messagesIn(address: string, stream: string): Promise<{ subject: string; data: Uint8Array }[]> {
  const connection = await connect({ servers: [address] });
  try {
    const { streams } = await jetstreamManager(connection);
    const { state } = await streams.info(stream);
    const found: { subject: string; data: Uint8Array }[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
      const message = await streams.getMessage(stream, { seq });
      if (message) found.push({ subject: message.subject, data: message.data });
    }
    return found;
  } finally {
    await connection.close();
  }
}

/** Resolves when every thread of a process stands still; where there is no /proc, after a moment. */
async function stopped(pid: number): Promise<void> {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return new Promise((resolve) => setTimeout(resolve, 100));
  // The state follows the name, which stands in brackets and may hold anything: "12 (nats-server) T …".
  const isStopped = (task: string) => /\) T [^)]*$/.test(readFileSync(`${tasks}/${task}/stat`, "utf8"));
  while (!readdirSync(tasks).every(isStopped)) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Resolves when the server's log says where it listens and that it is ready. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = "";
    const timer = setTimeout(
      () => reject(new Error(`nats-server is not ready after ${readyTimeoutMs} ms:\n${log}`)),
      readyTimeoutMs,
    );
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      const address = log.match(/Listening for client connections on (\S+)/)?.[1];
      if (!address || !log.includes("Server is ready")) return;
      clearTimeout(timer);
      child.stderr?.removeAllListeners("data").resume();
      resolve(address);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`nats-server ended with ${code}:\n${log}`));
    });
  });
}
