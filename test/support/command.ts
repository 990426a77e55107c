// command: programs of this package run as a person runs them, in a process of their own; ended by their id.
import { type ChildProcess, spawn } from "node:child_process";
import { packageRoot } from "../../lib/package-root.ts";

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a shell line in the checkout to its end. */
export function shell(line: string, options: { timeoutMs?: number; env?: Record<string, string> } = {}): Promise<Ran> {
  const child = spawn("bash", ["-c", line], {
    cwd: packageRoot(),
    env: { ...process.env, NO_COLOR: "1", ...options.env },
    timeout: options.timeoutMs ?? 60_000,
  });
  return ending(child);
}

export const slipstream = (
  args: readonly string[],
  options: { env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<Ran> =>
  ending(
    spawn(process.execPath, ["bin/slipstream.js", ...args], {
      cwd: packageRoot(),
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs ?? 60_000,
    }),
  );

function ending(child: ChildProcess): Promise<Ran> {
  let [out, err] = ["", ""];
  child.stdout?.on("data", (data: Buffer) => {
    out += data;
  });
  child.stderr?.on("data", (data: Buffer) => {
    err += data;
  });
  child.stdin?.end();
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

/** A running `slipstream up` (or the like): resolves when it has printed `ready`. */
export interface Running extends AsyncDisposable {
  readonly out: () => string;
  readonly pid: number;
  /** Sends a signal; resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

export async function start(
  program: string,
  args: readonly string[],
  ready: RegExp,
  env: Record<string, string> = {},
): Promise<Running> {
  const child = spawn(program, [...args], {
    cwd: packageRoot(),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, so that a signal reaches what npm starts as well.
    detached: true,
  });
  let text = "";
  const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
  // As a terminal does it: the whole group gets the signal.
  const send = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null && child.pid) process.kill(-child.pid, signal);
  };
  const last = () => send("SIGKILL");
  process.once("exit", last);
  void closed.then(() => process.removeListener("exit", last));
  await new Promise<void>((resolve, reject) => {
    // What is not ready in time is ended: nobody holds it, and it would hold its ports.
    const late = setTimeout(() => {
      send("SIGKILL");
      reject(new Error(`not ready in time:\n${text}`));
    }, 45_000);
    const read = (data: Buffer) => {
      text += data;
      if (!ready.test(text)) return;
      clearTimeout(late);
      resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    void closed.then((code) => {
      clearTimeout(late);
      reject(new Error(`ended with ${code} before it was ready:\n${text}`));
    });
  });
  const end = (signal: NodeJS.Signals = "SIGINT") => {
    send(signal);
    return closed;
  };
  return { out: () => text, pid: child.pid as number, end, [Symbol.asyncDispose]: async () => void (await end("SIGTERM")) };
}

/** Addresses with free ports, for a process tree that is told where to listen. */
export const anyPorts = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"] as const;

/** The ports that `slipstream up` says it has. */
export function portsOf(out: string): { grpc: number; http: number; admin: number } {
  const port = (label: string) => Number(new RegExp(`${label}\\s+(?:http://)?127\\.0\\.0\\.1:(\\d+)`).exec(out)?.[1]);
  return { grpc: port("gRPC"), http: port("HTTP"), admin: port("admin") };
}
