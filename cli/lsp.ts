// lsp: `slipstream lsp`: the language server on standard input and output; an editor starts it.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { LanguageServer } from "../editor/lsp/lsp.ts";
import type { Settings } from "../editor/lsp/settings.ts";
import { connect, type Listeners } from "../editor/sdk/sdk.ts";
import { Workspace } from "../editor/workspace/workspace.ts";
import { systemClock } from "../lib/clock.ts";
import { packageRoot } from "../lib/package-root.ts";
import { version } from "../lib/version.ts";
import type { Command } from "./command.ts";
import { options, refuseWords } from "./options.ts";

const help = `Usage: slipstream lsp [OPTIONS]

A language server for inline completion (LSP 3.18) on standard input and output: an editor starts it. Settings come from the
editor (docs/editors.md); until it says others, from these.

Options:
  --address HOST:PORT    the router (default 127.0.0.1:7411, or SLIPSTREAM_ADDRESS)
  --token KEY            an API key (default SLIPSTREAM_TOKEN)
  --ca FILE              speak TLS and believe these authorities (SLIPSTREAM_CA)
  --no-start             do not start "slipstream up" where nobody listens on this machine
`;

export const lsp: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    address: { type: "string", default: io.env["SLIPSTREAM_ADDRESS"] ?? "127.0.0.1:7411" },
    token: { type: "string", default: io.env["SLIPSTREAM_TOKEN"] ?? "" },
    ca: { type: "string", default: io.env["SLIPSTREAM_CA"] ?? "" },
    "no-start": { type: "boolean", default: false },
    // Editors add it to whatever they start.
    stdio: { type: "boolean", default: true },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const settings = {
    address: String(values.address),
    token: String(values.token),
    ca: String(values.ca),
    start: !values["no-start"],
  };
  return new Promise((resolve) => {
    let up: ChildProcess | undefined;
    const server = new LanguageServer(
      { version, settings },
      {
        clock: systemClock,
        workspace: new Workspace([], { clock: systemClock, files: { list, read } }),
        connect: connected,
        startUp: (address) => {
          up ??= started(address);
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
    io.on("SIGTERM", () => end(0));
    io.on("SIGINT", () => end(0));
  });
};

function connected(
  { address, token, tls, ca, insecure }: Settings,
  client: { name: string; version: string },
  listeners: Listeners,
) {
  const secure = ca !== "" ? { tls: { ca: readFileSync(ca, "utf8") } } : tls ? { tls: true as const } : {};
  return connect({ address, token, client, insecure, ...secure }, listeners);
}

/** A router with the built-in model, which ends with this process. */
function started(address: string): ChildProcess {
  const words = ["up", "--grpc", address, "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
  const child = spawn(process.execPath, [join(packageRoot(), "bin/slipstream.js"), ...words], { stdio: "ignore" });
  child.on("error", () => {});
  return child;
}

const list = (folder: string) => readdir(folder, { withFileTypes: true });

async function read(path: string, bytesMax: number): Promise<string> {
  try {
    return (await stat(path)).size > bytesMax ? "" : await readFile(path, "utf8");
  } catch {
    return "";
  }
}
