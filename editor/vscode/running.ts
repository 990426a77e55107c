// running: the extension from its activation to its end, over an API that is given to it: settings and key in, a language server
// with the editor's documents, ghost text, and an item in the status bar out.
import type { ChildProcess } from "node:child_process";
import type * as vscode from "vscode";
import type { Clock } from "../../lib/clock.ts";
import { type Settings, settingDefaults } from "../lsp/settings.ts";
import { foldersOf, Mirror } from "./mirror.ts";
import { acceptedCommand, Provider } from "./provider.ts";
import { Server } from "./server.ts";
import { type Api, written } from "./shape.ts";

interface Deps {
  readonly api: Api;
  readonly clock: Clock;
  readonly secrets: Pick<vscode.SecretStorage, "get" | "store" | "delete">;
  readonly subscriptions: { push(...items: { dispose(): unknown }[]): unknown };
  readonly version: string;
  /** A language server of its own; of the words of a command, where they are not empty. */
  readonly spawn: (command: readonly string[]) => ChildProcess;
}

const keyName = "slipstream.token";

export class Running {
  readonly #deps: Deps;
  readonly #server: Server;
  readonly #mirror: Mirror;
  readonly #provider: Provider;
  readonly #status: vscode.StatusBarItem;
  readonly #log: vscode.OutputChannel;

  constructor(deps: Deps) {
    const { api, clock } = deps;
    this.#deps = deps;
    this.#log = api.window.createOutputChannel("Slipstream");
    this.#status = api.window.createStatusBarItem();
    this.#server = new Server({
      clock,
      spawn: () => deps.spawn(this.#config().get<string[]>("command") ?? []),
      initialize: () => this.#hello(),
      ready: () => this.#mirror.tellAll(),
      heard: (method, params) => this.#heard(method, params),
      gone: (sentence) => this.#gone(sentence),
    });
    this.#mirror = new Mirror({ api, server: this.#server, settings: () => this.#settings() });
    this.#provider = new Provider({ api, server: this.#server });
  }

  async start(): Promise<void> {
    const { api, subscriptions } = this.#deps;
    const { registerCommand } = api.commands;
    this.#status.command = "slipstream.toggle";
    this.#tell("connecting", "");
    subscriptions.push(
      ...[this.#status, this.#log, ...this.#mirror.follow()],
      api.languages.registerInlineCompletionItemProvider(written, this.#provider),
      registerCommand(acceptedCommand, (command: string, ...words: unknown[]) => this.#provider.accepted(command, ...words)),
      registerCommand("slipstream.acceptNextWord", () => this.#provider.acceptNext("Word")),
      registerCommand("slipstream.acceptNextLine", () => this.#provider.acceptNext("Line")),
      registerCommand("slipstream.toggle", () => this.#toggle()),
      registerCommand("slipstream.setKey", () => this.#setKey()),
      registerCommand("slipstream.restart", () => this.#restart()),
    );
    await this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  #config(): vscode.WorkspaceConfiguration {
    return this.#deps.api.workspace.getConfiguration("slipstream");
  }

  /** What the language server knows, by its own names. */
  async #settings(): Promise<Partial<Settings>> {
    const config = this.#config();
    const names = Object.keys(settingDefaults) as (keyof Settings)[];
    const said = Object.fromEntries(names.map((name) => [name, config.get(name) ?? settingDefaults[name]]));
    const kept = await this.#deps.secrets.get(keyName);
    return { ...said, ...(kept === undefined ? {} : { token: kept }) };
  }

  async #hello(): Promise<object> {
    const { api, version } = this.#deps;
    return {
      processId: process.pid,
      clientInfo: { name: "vscode", version: `${api.version} (${version})` },
      rootUri: null,
      capabilities: {},
      workspaceFolders: foldersOf(api),
      initializationOptions: await this.#settings(),
    };
  }

  #heard(method: string, params: Readonly<Record<string, unknown>>): void {
    const message = String(params["message"] ?? "");
    if (method === "didChangeStatus") this.#tell(String(params["kind"]), message);
    if (method === "didChangeStatus" || method === "window/logMessage") this.#log.appendLine(message);
  }

  #tell(kind: string, message: string): void {
    const enabled = this.#config().get<boolean>("enabled") ?? true;
    const icon = !enabled
      ? "$(circle-slash)"
      : kind === "Normal"
        ? "$(zap)"
        : kind === "connecting"
          ? "$(sync~spin)"
          : "$(warning)";
    this.#status.text = `${icon} Slipstream`;
    this.#status.tooltip = enabled ? message : "off: click to complete while typing";
    this.#status.show();
  }

  #gone(sentence: string): void {
    this.#tell("Error", sentence);
    this.#log.appendLine(sentence);
    void this.#deps.api.window.showErrorMessage(`Slipstream: ${sentence}`);
  }

  async #toggle(): Promise<void> {
    const config = this.#config();
    // The person's own setting, not the folder's.
    await config.update("enabled", !(config.get<boolean>("enabled") ?? true), true);
    this.#tell("Normal", "");
  }

  async #setKey(): Promise<void> {
    const { api, secrets } = this.#deps;
    const key = await api.window.showInputBox({ prompt: "API key of the router; empty takes it away", password: true });
    if (key === undefined) return;
    if (key === "") await secrets.delete(keyName);
    else await secrets.store(keyName, key);
    await this.#mirror.configure();
  }

  async #restart(): Promise<void> {
    await this.#server.stop();
    await this.#server.start();
  }
}
