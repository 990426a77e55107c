// lsp: a language server for inline completion: messages of an editor in, a session at a router behind them. Serves LSP 3.18
// `textDocument/inlineCompletion` and the notifications by which editors say what became of an item. Bounded by its session.
import { fileURLToPath } from "node:url";
import type { Clock } from "../../lib/clock.ts";
import type { Listeners, Session, State } from "../sdk/sdk.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { Completing } from "./completing.ts";
import { Documents } from "./documents.ts";
import { Rpc, RpcError, rpcCode } from "./rpc.ts";
import { type Settings, settingDefaults, settingsFrom } from "./settings.ts";
import { acceptCommand, rejectCommand, Shown } from "./shown.ts";

interface Deps {
  readonly clock: Clock;
  readonly workspace: Workspace;
  readonly connect: (settings: Settings, client: { name: string; version: string }, listeners: Listeners) => Session;
  /** Starts a router on this machine, where there is one to start; once. */
  readonly startUp: (address: string) => void;
  readonly write: (bytes: Buffer) => void;
  /** The editor said `exit`; false: without `shutdown` before. */
  readonly exit: (orderly: boolean) => void;
}

type Params = Readonly<Record<string, unknown>>;
type Phase = "new" | "ready" | "shut";

export class LanguageServer {
  readonly #version: string;
  readonly #deps: Deps;
  readonly #rpc: Rpc;
  readonly #documents: Documents;
  readonly #shown: Shown;
  readonly #completing: Completing;
  readonly #gone = new AbortController();
  #settings: Settings;
  #session: Session | undefined;
  #client = { name: "unknown", version: "" };
  #folders: string[] = [];
  #phase: Phase = "new";
  #told = "";

  constructor(options: { version: string; settings?: Partial<Settings> }, deps: Deps) {
    this.#version = options.version;
    this.#deps = deps;
    this.#settings = { ...settingDefaults, ...options.settings };
    const session = () => this.#connected();
    this.#documents = new Documents({ session, workspace: deps.workspace, folders: () => this.#folders });
    this.#shown = new Shown({ session, documents: this.#documents });
    this.#completing = new Completing({
      ...{ session, settings: () => this.#settings, documents: this.#documents, workspace: deps.workspace, shown: this.#shown },
    });
    this.#rpc = new Rpc(deps.write, {
      request: (method, params, signal) => this.#request(method, params, signal),
      notification: (method, params) => this.#heard(method, params),
      bad: (sentence) => this.#log(sentence),
    });
  }

  push(chunk: Buffer): void {
    this.#rpc.push(chunk);
  }

  close(): void {
    this.#gone.abort();
    this.#session?.close();
    this.#rpc.close();
  }

  #request(method: string, params: Params, signal: AbortSignal): unknown {
    if (method === "initialize") return this.#initialize(params);
    if (this.#phase === "new") throw new RpcError(rpcCode.notInitialized, `${method} before initialize`);
    if (this.#phase === "shut") throw new RpcError(rpcCode.invalidRequest, `${method} after shutdown`);
    if (method === "textDocument/inlineCompletion") return this.#completing.complete(params, signal);
    if (method === "workspace/executeCommand") return this.#shown.command(params);
    if (method !== "shutdown") throw new RpcError(rpcCode.methodNotFound, `no method ${method}`);
    this.#phase = "shut";
    this.#gone.abort();
    this.#session?.close();
    return null;
  }

  #heard(method: string, params: Params): void {
    if (method === "exit") this.#deps.exit(this.#phase === "shut");
    else if (this.#phase === "ready") this.#notifications[method]?.(params);
  }

  /** Others are for other servers. */
  readonly #notifications: Readonly<Record<string, (params: Params) => void>> = {
    "textDocument/didOpen": (params) => this.#documents.open(params),
    "textDocument/didChange": (params) => this.#documents.change(params),
    "textDocument/didClose": (params) => this.#documents.close(params),
    "textDocument/didShowCompletion": (params) => this.#shown.didShow(params),
    "textDocument/didPartiallyAcceptCompletion": (params) => this.#shown.didPartiallyAccept(params),
    "textDocument/didFocus": (params) => void (params["textDocument"] && this.#completing.focus(this.#documents.of(params))),
    "workspace/didChangeConfiguration": (params) => this.#configure((params["settings"] as Params | null)?.["slipstream"]),
    "workspace/didChangeWorkspaceFolders": (params) => this.#changeFolders(params["event"] as Params),
  };

  async #initialize(params: Params): Promise<object> {
    if (this.#phase !== "new") throw new RpcError(rpcCode.invalidRequest, "initialize: a second time");
    const { name, version } = (params["clientInfo"] ?? {}) as { name?: unknown; version?: unknown };
    this.#client = { name: String(name ?? "lsp").slice(0, 64), version: String(version ?? "").slice(0, 64) };
    this.#configure(params["initializationOptions"]);
    const listed = params["workspaceFolders"];
    const folders = Array.isArray(listed) ? listed.map((each) => (each as Params)?.["uri"]) : [params["rootUri"]];
    // The ignore files are read before any document is opened.
    await this.#addFolders(folders);
    this.#phase = "ready";
    this.#connected();
    return {
      capabilities: {
        positionEncoding: "utf-16",
        textDocumentSync: { openClose: true, change: 2 },
        inlineCompletionProvider: true,
        executeCommandProvider: { commands: [acceptCommand, rejectCommand] },
        workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      },
      serverInfo: { name: "slipstream", version: this.#version },
    };
  }

  #changeFolders(event: Params): void {
    const uris = (list: unknown) => (Array.isArray(list) ? list.map((each) => (each as Params)?.["uri"]) : []);
    const removed = new Set(uris(event?.["removed"]).flatMap(folderOf));
    this.#folders = this.#folders.filter((folder) => !removed.has(folder));
    void this.#addFolders(uris(event?.["added"]));
  }

  async #addFolders(uris: readonly unknown[]): Promise<void> {
    for (const folder of uris.flatMap(folderOf)) {
      if (this.#folders.includes(folder)) continue;
      await this.#deps.workspace.prepare(folder);
      this.#folders.push(folder);
      void this.#deps.workspace.index(folder, this.#gone.signal);
    }
  }

  #configure(said: unknown): void {
    const before = this.#settings;
    const { settings, problems } = settingsFrom(said, before);
    for (const problem of problems) this.#log(`setting ${problem}`);
    this.#settings = settings;
    this.#deps.workspace.excludes = settings.exclude;
    const where = ({ address, token, tls, ca, insecure }: Settings) => JSON.stringify([address, token, tls, ca, insecure]);
    if (this.#session === undefined || where(settings) === where(before)) return;
    this.#session.close();
    this.#session = undefined;
    this.#documents.reopen();
  }

  #connected(): Session {
    this.#session ??= this.#deps.connect(this.#settings, this.#client, {
      state: (state) => this.#became(state),
      refused: (field, detail) => this.#log(`${field}: ${detail}`),
    });
    return this.#session;
  }

  #became(state: State): void {
    const { address, start } = this.#settings;
    if (state.is === "offline" && start && /^(localhost|127\.|\[::1\])/.test(address)) this.#deps.startUp(address);
    const [kind, message] = {
      connecting: ["Normal", `connecting to ${address}`],
      ready: ["Normal", `connected to ${address}`],
      offline: [
        "Warning",
        state.is === "offline" ? `${state.why.message}; tried again in ${(state.retryInMs / 1_000).toFixed(1)} s` : "",
      ],
      closed: ["Inactive", "closed"],
    }[state.is] as [string, string];
    if (kind + message === this.#told) return;
    this.#told = kind + message;
    this.#rpc.notify("didChangeStatus", { kind, message, busy: state.is === "connecting" });
  }

  #log(message: string): void {
    this.#rpc.notify("window/logMessage", { type: 2, message });
  }
}

/** A folder on this machine; one elsewhere is not read. */
function folderOf(uri: unknown): string[] {
  if (typeof uri !== "string" || !uri.startsWith("file:")) return [];
  try {
    return [fileURLToPath(uri).replace(/\/$/, "")];
  } catch {
    return [];
  }
}
