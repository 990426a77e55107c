// fake-vscode: as much of VS Code as the extension uses, driven by a test as a person drives the editor: files are opened, text is
// typed, ghost text is asked for and taken whole, by a word or by a line.
import type * as vscode from "vscode";
import { type Position, Lines as Text } from "../../editor/lsp/lines.ts";
import type { Api } from "../../editor/vscode/shape.ts";

type Listener = (event: never) => unknown;
type Loose = Record<string, unknown>;

class Range {
  readonly start: Position;
  readonly end: Position;
  constructor(line: number, character: number, endLine: number, endCharacter: number) {
    this.start = { line, character };
    this.end = { line: endLine, character: endCharacter };
  }
}

class InlineCompletionItem {
  readonly insertText: string;
  readonly range: Range;
  readonly command: { readonly command: string; readonly arguments: readonly unknown[] };
  constructor(insertText: string, range: Range, command: InlineCompletionItem["command"]) {
    this.insertText = insertText;
    this.range = range;
    this.command = command;
  }
}

export class FakeDocument {
  readonly uri: { readonly scheme: string; toString(): string };
  readonly languageId: string;
  readonly lines: Text;
  version = 1;
  cursor = 0;
  constructor(uri: string, languageId: string, text: string) {
    this.uri = { scheme: uri.split(":")[0] ?? "", toString: () => uri };
    this.languageId = languageId;
    this.lines = new Text(text);
  }
  getText = () => this.lines.text;
  offsetAt = (position: Position) => this.lines.offsetOf(position) ?? this.lines.text.length;
}

export class FakeVscode {
  readonly documents: FakeDocument[] = [];
  readonly settings: Loose;
  readonly errors: string[] = [];
  readonly secrets = new Map<string, string>();
  readonly status: Loose = { show: () => {}, dispose: () => {} };
  folders: { uri: { toString(): string }; name: string }[] = [];
  typedIntoBox: string | undefined;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #commands = new Map<string, (...words: never[]) => unknown>();
  #provider: vscode.InlineCompletionItemProvider | undefined;
  #active: FakeDocument | undefined;
  #ghost: { document: FakeDocument; item: InlineCompletionItem; taken: number } | undefined;

  constructor(settings: Loose = {}) {
    this.settings = settings;
  }

  readonly context = {
    subscriptions: [] as { dispose(): unknown }[],
    extension: { packageJSON: { version: "1" } },
    secrets: {
      get: async (name: string) => this.secrets.get(name),
      store: async (name: string, value: string) => void this.secrets.set(name, value),
      delete: async (name: string) => void this.secrets.delete(name),
    },
  };

  get api(): Api {
    const on = (name: string) => (listener: Listener) => this.#on(name, listener);
    const disposable = { dispose: () => {} };
    const self = this;
    return {
      version: "1.100.0",
      Range,
      InlineCompletionItem,
      workspace: {
        textDocuments: this.documents,
        get workspaceFolders() {
          return self.folders;
        },
        getConfiguration: () => ({
          get: (name: string) => this.settings[name],
          update: async (name: string, value: unknown) => this.set(name, value),
        }),
        onDidOpenTextDocument: on("open"),
        onDidChangeTextDocument: on("change"),
        onDidCloseTextDocument: on("close"),
        onDidChangeWorkspaceFolders: on("folders"),
        onDidChangeConfiguration: on("configuration"),
      },
      window: {
        get activeTextEditor() {
          return self.#editor();
        },
        onDidChangeActiveTextEditor: on("active"),
        createStatusBarItem: () => this.status,
        createOutputChannel: () => ({ appendLine: () => {}, dispose: () => {} }),
        showInputBox: async () => this.typedIntoBox,
        showErrorMessage: async (sentence: string) => void this.errors.push(sentence),
      },
      languages: {
        registerInlineCompletionItemProvider: (_: unknown, provider: vscode.InlineCompletionItemProvider) => {
          this.#provider = provider;
          return disposable;
        },
      },
      commands: {
        registerCommand: (name: string, act: (...words: never[]) => unknown) => {
          this.#commands.set(name, act);
          return disposable;
        },
        executeCommand: async (name: string) => this.#builtIn(name),
      },
    } as unknown as Api;
  }

  open(uri: string, languageId: string, text: string): FakeDocument {
    const document = new FakeDocument(uri, languageId, text);
    this.documents.push(document);
    this.#fire("open", document);
    this.focus(document);
    return document;
  }

  close(document: FakeDocument): void {
    this.documents.splice(this.documents.indexOf(document), 1);
    this.#fire("close", document);
  }

  focus(document: FakeDocument): void {
    this.#active = document;
    this.#fire("active", this.#editor());
  }

  set(name: string, value: unknown): void {
    this.settings[name] = value;
    this.#fire("configuration", { affectsConfiguration: (what: string) => what === "slipstream" });
  }

  addFolder(uri: string): void {
    const folder = { uri: { toString: () => uri }, name: "f" };
    this.folders = [...this.folders, folder];
    this.#fire("folders", { added: [folder], removed: [] });
  }

  /** Each of the edits refers to the text before, as the editor gives them. */
  change(document: FakeDocument, edits: readonly { start: number; end: number; text: string }[]): void {
    const contentChanges = edits.map(({ start, end, text }) => ({
      range: { start: document.lines.positionOf(start), end: document.lines.positionOf(end) },
      ...{ rangeOffset: start, rangeLength: end - start, text },
    }));
    for (const { start, end, text } of [...edits].sort((a, b) => b.start - a.start)) document.lines.change(start, end, text);
    document.version += 1;
    this.#fire("change", { document, contentChanges });
  }

  type(document: FakeDocument, offset: number, text: string): void {
    this.change(document, [{ start: offset, end: offset, text }]);
    document.cursor = offset + text.length;
  }

  /** Ghost text at the cursor, and that the editor shows it. */
  async complete(document: FakeDocument, kind: 0 | 1 = 0, cancelled = false): Promise<InlineCompletionItem | undefined> {
    const token = {
      isCancellationRequested: cancelled,
      onCancellationRequested: (act: () => void) => this.#on("cancel", act),
    };
    const items = await this.#provider?.provideInlineCompletionItems(
      document as never,
      document.lines.positionOf(document.cursor) as never,
      { triggerKind: kind, selectedCompletionInfo: undefined } as never,
      token as never,
    );
    const [item] = items as unknown as InlineCompletionItem[];
    this.#ghost = item && { document, item, taken: 0 };
    return item;
  }

  cancel(): void {
    this.#fire("cancel", undefined);
  }

  /** Tab. */
  async take(): Promise<void> {
    const ghost = this.#ghost;
    if (!ghost) return;
    this.#insert(ghost.item.insertText.length);
    const { command, arguments: words } = ghost.item.command;
    await this.run(command, ...words);
  }

  async run(command: string, ...words: readonly unknown[]): Promise<void> {
    await this.#commands.get(command)?.(...(words as never[]));
  }

  async #builtIn(name: string): Promise<void> {
    const text = this.#ghost?.item.insertText.slice(this.#ghost.taken) ?? "";
    if (name.endsWith("acceptNextWord")) this.#insert((this.#ghost?.taken ?? 0) + (/^\s*(\w+|\W)/.exec(text)?.[0].length ?? 0));
    else if (name.endsWith("acceptNextLine")) this.#insert((this.#ghost?.taken ?? 0) + (/^\n*[^\n]*/.exec(text)?.[0].length ?? 0));
  }

  /** Up to `length` units of the ghost text. */
  #insert(length: number): void {
    const ghost = this.#ghost;
    if (!ghost) return;
    const start = ghost.document.offsetAt(ghost.item.range.start);
    const end = ghost.taken > 0 ? start + ghost.taken : ghost.document.offsetAt(ghost.item.range.end);
    this.change(ghost.document, [{ start, end, text: ghost.item.insertText.slice(0, length) }]);
    ghost.document.cursor = start + length;
    ghost.taken = length;
  }

  #editor() {
    const document = this.#active;
    if (!document) return undefined;
    const active = document.lines.positionOf(document.cursor);
    return { document, selection: { active }, options: { tabSize: 2, insertSpaces: true } };
  }

  #on(name: string, listener: Listener): { dispose(): void } {
    const all = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, all.add(listener));
    return { dispose: () => void all.delete(listener) };
  }

  #fire(name: string, event: unknown): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(event as never);
  }
}
