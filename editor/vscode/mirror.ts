// mirror: the editor's documents, folders and settings in, the notifications by which a language server has the same out.
import type * as vscode from "vscode";
import type { Server } from "./server.ts";
import { type Api, isWritten } from "./shape.ts";

interface Deps {
  readonly api: Api;
  readonly server: Pick<Server, "notify">;
  readonly settings: () => Promise<object>;
}

const folderOf = ({ uri, name }: vscode.WorkspaceFolder) => ({ uri: uri.toString(), name });

export function foldersOf(api: Api): object[] {
  return (api.workspace.workspaceFolders ?? []).map(folderOf);
}

export class Mirror {
  readonly #deps: Deps;
  readonly #open = new Set<string>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Listens until each is disposed. */
  follow(): vscode.Disposable[] {
    const { workspace, window } = this.#deps.api;
    return [
      workspace.onDidOpenTextDocument((document) => this.#opened(document)),
      workspace.onDidChangeTextDocument((event) => this.#changed(event)),
      workspace.onDidCloseTextDocument((document) => this.#closed(document)),
      workspace.onDidChangeWorkspaceFolders(({ added, removed }) =>
        this.#deps.server.notify("workspace/didChangeWorkspaceFolders", {
          event: { added: added.map(folderOf), removed: removed.map(folderOf) },
        }),
      ),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("slipstream")) void this.configure();
      }),
      window.onDidChangeActiveTextEditor((editor) => {
        const uri = editor?.document.uri.toString();
        if (uri !== undefined && this.#open.has(uri)) this.#deps.server.notify("textDocument/didFocus", { textDocument: { uri } });
      }),
    ];
  }

  /** A server that knows nothing yet is told all that is open. */
  tellAll(): void {
    this.#open.clear();
    for (const document of this.#deps.api.workspace.textDocuments) this.#opened(document);
  }

  async configure(): Promise<void> {
    const slipstream = await this.#deps.settings();
    this.#deps.server.notify("workspace/didChangeConfiguration", { settings: { slipstream } });
  }

  #opened(document: vscode.TextDocument): void {
    const uri = document.uri.toString();
    if (!isWritten(document) || this.#open.has(uri)) return;
    this.#open.add(uri);
    this.#deps.server.notify("textDocument/didOpen", {
      textDocument: { uri, languageId: document.languageId, version: document.version, text: document.getText() },
    });
  }

  #changed({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    const uri = document.uri.toString();
    // Of a change of its flags alone nothing is told.
    if (!this.#open.has(uri) || contentChanges.length === 0) return;
    this.#deps.server.notify("textDocument/didChange", {
      textDocument: { uri, version: document.version },
      // The editor gives them all against the text before: from the end on, none moves another.
      contentChanges: [...contentChanges]
        .sort((a, b) => b.rangeOffset - a.rangeOffset)
        .map(({ range: { start, end }, text }) => ({
          range: {
            start: { line: start.line, character: start.character },
            end: { line: end.line, character: end.character },
          },
          text,
        })),
    });
  }

  #closed(document: vscode.TextDocument): void {
    const uri = document.uri.toString();
    if (this.#open.delete(uri)) this.#deps.server.notify("textDocument/didClose", { textDocument: { uri } });
  }
}
