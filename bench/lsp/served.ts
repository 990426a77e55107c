// served: `slipstream lsp` in a process of its own, over its pipes, as an editor has it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Rpc } from "../../editor/lsp/rpc.ts";
import { systemClock } from "../../lib/clock.ts";
import { packageRoot } from "../../lib/package-root.ts";

export interface Item {
  readonly insertText: string;
  readonly command: { readonly command: string; readonly arguments: readonly unknown[] };
}

const endsWithinMs = 10_000;

export class Served {
  readonly rpc: Rpc;
  readonly uri: string;
  readonly #child: ChildProcess;
  readonly #folder: string;
  #version = 1;

  constructor(options: { address: string; folder: string; start: boolean }) {
    const words = ["lsp", "--address", options.address, ...(options.start ? [] : ["--no-start"])];
    this.#folder = options.folder;
    this.uri = pathToFileURL(join(options.folder, "main.ts")).href;
    this.#child = spawn(process.execPath, [join(packageRoot(), "bin/slipstream.js"), ...words], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.stdin?.on("error", () => {});
    this.rpc = new Rpc((bytes) => void this.#child.stdin?.write(bytes), {
      request: () => null,
      notification: () => {},
      bad: () => {},
    });
    this.#child.stdout?.on("data", (chunk: Buffer) => this.rpc.push(chunk));
    this.#child.once("exit", () => this.rpc.close());
  }

  /** The folder is opened, and one document in it, which nobody has on disk. */
  async open(text: string): Promise<void> {
    const workspaceFolders = [{ uri: pathToFileURL(this.#folder).href, name: "folder" }];
    await this.rpc.request("initialize", { processId: process.pid, rootUri: null, capabilities: {}, workspaceFolders });
    this.rpc.notify("initialized", {});
    this.rpc.notify("textDocument/didOpen", { textDocument: { uri: this.uri, languageId: "typescript", version: 1, text } });
  }

  type(line: number, character: number, text: string): void {
    this.#version += 1;
    const at = { line, character };
    this.rpc.notify("textDocument/didChange", {
      textDocument: { uri: this.uri, version: this.#version },
      contentChanges: [{ range: { start: at, end: at }, text }],
    });
  }

  async ask(line: number, character: number, invoked: boolean, signal?: AbortSignal): Promise<readonly Item[]> {
    const position = { line, character };
    const params = { textDocument: { uri: this.uri }, position, context: { triggerKind: invoked ? 1 : 2 } };
    const { items } = (await this.rpc.request("textDocument/inlineCompletion", params, signal)) as { items: readonly Item[] };
    return items;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const over = once(this.#child, "exit");
    const kill = systemClock.timer(endsWithinMs, () => this.#child.kill("SIGKILL"));
    this.rpc.request("shutdown", {}).then(
      () => this.rpc.notify("exit", {}),
      () => this.#child.kill("SIGTERM"),
    );
    await over;
    kill[Symbol.dispose]();
  }
}
