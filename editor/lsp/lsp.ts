// lsp: a language server for inline completion: messages of an editor in, a session at a router behind them. Serves LSP 3.18
// `textDocument/inlineCompletion` and the notifications by which editors say what became of an item. Bounded by its session.
import { fileURLToPath } from "node:url";
import { isLoopback } from "../../lib/address.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Listeners, Session, State } from "../sdk/sdk.ts";
import { RecentEdits } from "../workspace/edits.ts";
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

const foldersMax = 64;

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
  /** Each with what ends its reading. */
  readonly #folders = new Map<string, AbortController>();
  #phase: Phase = "new";
  #told = "";

  constructor(options: { version: string; settings?: Partial<Settings> }, deps: Deps) {
    this.#version = options.version;
    this.#deps = deps;
    this.#settings = { ...settingDefaults, ...options.settings };
    const session = () => this.#connected();
    const edits = new RecentEdits(deps.clock);
    this.#documents = new Documents({ session, workspace: deps.workspace, edits, folders: () => [...this.#folders.keys()] });
    this.#shown = new Shown({ session, documents: this.#documents });
    this.#completing = new Completing({
      ...{ session, settings: () => this.#settings, documents: this.#documents, edits, shown: this.#shown },
      workspace: deps.workspace,
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

  /** The router that was started listens. */
  routerReady(): void {
    this.#session?.retry();
  }

  /** A sentence for the person, in the editor's log. */
  tell(sentence: string): void {
    this.#log(sentence);
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

  #initialize(params: Params): object {
    if (this.#phase !== "new") throw new RpcError(rpcCode.invalidRequest, "initialize: a second time");
    const { name, version } = (params["clientInfo"] ?? {}) as { name?: unknown; version?: unknown };
    this.#client = { name: String(name ?? "lsp").slice(0, 64), version: String(version ?? "").slice(0, 64) };
    this.#configure(params["initializationOptions"]);
    const listed = params["workspaceFolders"];
    const folders = Array.isArray(listed) ? listed.map((each) => (each as Params)?.["uri"]) : [params["rootUri"]];
    this.#addFolders(folders);
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
    for (const folder of uris(event?.["removed"]).flatMap(folderOf)) {
      this.#folders.get(folder)?.abort();
      this.#folders.delete(folder);
      this.#deps.workspace.forget(folder);
    }
    this.#addFolders(uris(event?.["added"]));
  }

  #addFolders(uris: readonly unknown[]): void {
    for (const folder of uris.flatMap(folderOf)) {
      if (this.#folders.has(folder)) continue;
      if (this.#folders.size >= foldersMax) {
        this.#log(`workspace folders: more than ${foldersMax}; files of ${folder} go by their names alone`);
        return;
      }
      const reading = new AbortController();
      this.#folders.set(folder, reading);
      void this.#deps.workspace.index(folder, AbortSignal.any([reading.signal, this.#gone.signal]));
    }
  }

  #configure(said: unknown): void {
    const before = this.#settings;
    const { settings, problems } = settingsFrom(said, before);
    for (const problem of problems) this.#log(`setting ${problem}`);
    this.#settings = settings;
    this.#deps.workspace.excludes = settings.exclude;
    this.#documents.judge();
    const where = ({ address, token, tls, ca, insecure }: Settings) => JSON.stringify([address, token, tls, ca, insecure]);
    if (this.#phase === "new" || where(settings) === where(before)) return;
    this.#session?.close();
    this.#session = undefined;
    this.#documents.reopen();
    // Also where nothing is open: what was wrong may be right now.
    this.#connected();
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
    if (state.is === "offline" && start && isLoopback(address)) this.#deps.startUp(address);
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
