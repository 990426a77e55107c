// extension: what VS Code starts: wires the language server, the mirror of documents and the provider, until it is deactivated.
import { type ChildProcess, fork, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as vscode from "vscode";
import { systemClock } from "../../lib/clock.ts";
import { Running } from "./running.ts";

let running: Running | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  running = new Running({
    api: vscode,
    clock: systemClock,
    secrets: context.secrets,
    subscriptions: context.subscriptions,
    version: String((context.extension.packageJSON as { version: unknown }).version),
    spawn: serverOf,
  });
  await running.start();
}

export async function deactivate(): Promise<void> {
  await running?.stop();
}

/** The server inside by this editor's own Node, or the person's command. */
function serverOf([program, ...words]: readonly string[]): ChildProcess {
  if (program !== undefined)
    return spawn(program, words, { stdio: ["pipe", "pipe", "ignore"], shell: process.platform === "win32" });
  const main = fileURLToPath(new URL("../lsp/main.js", import.meta.url));
  return fork(main, [], { stdio: ["pipe", "pipe", "ignore", "ipc"], execArgv: [] });
}
