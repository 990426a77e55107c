// provider: where the editor wants ghost text in, the items of the language server out; and what became of them, as far as a stable
// VS Code tells: handed over, taken by word or line (by commands of our own, which ask the editor's), taken whole.
import type * as vscode from "vscode";
import type { Server } from "./server.ts";
import type { Api } from "./shape.ts";

interface Item {
  readonly insertText: string;
  readonly range: { readonly start: Place; readonly end: Place };
  readonly command: { readonly command: string; readonly arguments: readonly unknown[] };
}
interface Place {
  readonly line: number;
  readonly character: number;
}
interface Given {
  readonly item: Item;
  readonly document: vscode.TextDocument;
  readonly start: number;
}

/** The editor's own number of "a person asked". */
const invoke = 0;
export const acceptedCommand = "slipstream.accepted";

export class Provider implements vscode.InlineCompletionItemProvider {
  readonly #api: Api;
  readonly #server: Pick<Server, "request" | "notify">;
  #given: Given | undefined;

  constructor(deps: { api: Api; server: Pick<Server, "request" | "notify"> }) {
    this.#api = deps.api;
    this.#server = deps.server;
  }

  async provideInlineCompletionItems(
    document: vscode.TextDocument,
    position: vscode.Position,
    context: vscode.InlineCompletionContext,
    token: vscode.CancellationToken,
  ): Promise<vscode.InlineCompletionItem[]> {
    const gone = new AbortController();
    if (token.isCancellationRequested) return [];
    const listening = token.onCancellationRequested(() => gone.abort());
    try {
      const answer = await this.#server.request(
        "textDocument/inlineCompletion",
        this.#wish(document, position, context),
        gone.signal,
      );
      const items = (answer as { items?: readonly Item[] } | undefined)?.items ?? [];
      if (gone.signal.aborted) return [];
      return items.map((item) => this.#give(document, item));
    } finally {
      listening.dispose();
    }
  }

  #wish(document: vscode.TextDocument, { line, character }: vscode.Position, context: vscode.InlineCompletionContext): object {
    const { selectedCompletionInfo: info } = context;
    const options = this.#api.window.activeTextEditor?.options;
    return {
      textDocument: { uri: document.uri.toString() },
      position: { line, character },
      context: {
        triggerKind: context.triggerKind === invoke ? 1 : 2,
        ...(info
          ? {
              selectedCompletionInfo: {
                text: info.text,
                range: { start: placeOf(info.range.start), end: placeOf(info.range.end) },
              },
            }
          : {}),
      },
      ...(options ? { formattingOptions: { tabSize: options.tabSize, insertSpaces: options.insertSpaces } } : {}),
    };
  }

  #give(document: vscode.TextDocument, item: Item): vscode.InlineCompletionItem {
    const { start, end } = item.range;
    const range = new this.#api.Range(start.line, start.character, end.line, end.character);
    this.#given = { item, document, start: document.offsetAt(range.start) };
    this.#server.notify("textDocument/didShowCompletion", { item });
    const { command, arguments: words } = item.command;
    const taken = { title: "Completion accepted", command: acceptedCommand, arguments: [command, ...words] };
    return new this.#api.InlineCompletionItem(item.insertText, range, taken);
  }

  /** The editor took the text whole: it stands in the document by now. */
  async accepted(command: string, ...words: unknown[]): Promise<void> {
    this.#given = undefined;
    await this.#server.request("workspace/executeCommand", { command, arguments: words });
  }

  /** Asks the editor for the next word or line, and tells how much stands there now. */
  async acceptNext(what: "Word" | "Line"): Promise<void> {
    const given = this.#given;
    await this.#api.commands.executeCommand(`editor.action.inlineSuggest.acceptNext${what}`);
    const editor = this.#api.window.activeTextEditor;
    if (!given || editor?.document !== given.document) return;
    const { document, start, item } = given;
    const text = document.getText().slice(start, document.offsetAt(editor.selection.active));
    if (text === "" || !item.insertText.startsWith(text)) return;
    this.#server.notify("textDocument/didPartiallyAcceptCompletion", { item, acceptedLength: text.length });
  }
}

const placeOf = ({ line, character }: Place) => ({ line, character });
