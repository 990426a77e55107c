// stdio: a language server on standard input and output of a process, from its first byte to its exit code. What it starts on the
// way (a router of its own) ends with it.
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { systemClock } from "../../lib/clock.ts";
import { version } from "../../lib/version.ts";
import { connect, type Listeners } from "../sdk/sdk.ts";
import { Workspace } from "../workspace/workspace.ts";
import { LanguageServer } from "./lsp.ts";
import type { Settings } from "./settings.ts";

export interface Stdio {
  readonly settings: Partial<Settings>;
  /** Starts a router on this machine; its output is a pipe. */
  readonly startUp: (address: string) => ChildProcess;
  readonly on: (signal: "SIGTERM" | "SIGINT", act: () => void) => void;
}

/** Returns the exit code. */
export function serve({ settings, startUp, on }: Stdio): Promise<number> {
  return new Promise((resolve) => {
    let up: ChildProcess | undefined;
    const server = new LanguageServer(
      { version, settings },
      {
        clock: systemClock,
        workspace: new Workspace([], { clock: systemClock, files: { list, read, readNow } }),
        connect: connected,
        startUp: (address) => {
          // One that ended is another's turn: the port was taken, or somebody ended it.
          if (up && up.exitCode === null && up.signalCode === null && up.pid !== undefined) return;
          up = startUp(address);
          // Its first words are that it is ready.
          up.stdout?.once("data", () => server.routerReady()).resume();
          up.on("error", (error) => server.tell(`slipstream could not be started: ${error.message}`));
        },
        write: (bytes) => void process.stdout.write(bytes),
        exit: (orderly) => end(orderly ? 0 : 1),
      },
    );
    const end = (code: number) => {
      server.close();
      // Paused it would still hold the process.
      process.stdin.destroy();
      up?.kill("SIGTERM");
      resolve(code);
    };
    process.stdin.on("data", (chunk: Buffer) => server.push(chunk));
    // The editor is gone without a word.
    process.stdin.on("end", () => end(1));
    on("SIGTERM", () => end(0));
    on("SIGINT", () => end(0));
  });
}

function connected(
  { address, token, tls, ca, insecure }: Settings,
  client: { name: string; version: string },
  listeners: Listeners,
) {
  const secure = ca !== "" ? { tls: { ca: authorities(ca) } } : tls ? { tls: true as const } : {};
  return connect({ address, token, client, insecure, ...secure }, listeners);
}

function authorities(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw new Error(`ca: the file ${path} cannot be read: ${(thrown as NodeJS.ErrnoException).code}`);
  }
}

const list = (folder: string) => readdir(folder, { withFileTypes: true });

async function read(path: string, bytesMax: number): Promise<string> {
  try {
    return (await stat(path)).size > bytesMax ? "" : await readFile(path, "utf8");
  } catch {
    return "";
  }
}

function readNow(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
