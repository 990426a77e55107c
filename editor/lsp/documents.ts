// documents: what an editor has open, each by its URI: the lines for its positions, and the session's document beside them. A file
// outside of every folder goes by its name alone; a remote URI by its path.
import type { Document, Edit, Session } from "../sdk/sdk.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { Lines } from "./lines.ts";
import { fields, range, text, uriOf } from "./params.ts";
import { invalidParams } from "./rpc.ts";

export interface OpenFile {
  readonly uri: string;
  readonly path: string;
  readonly lines: Lines;
  readonly document: Document;
  /** Where the last trigger was. */
  offset: number;
}

interface Deps {
  readonly session: () => Session;
  readonly workspace: Workspace;
  readonly folders: () => readonly string[];
}

type Params = Readonly<Record<string, unknown>>;

export class Documents {
  readonly #deps: Deps;
  readonly #open = new Map<string, OpenFile>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  of(params: Params): OpenFile {
    const uri = uriOf(params);
    const file = this.#open.get(uri);
    if (!file) throw invalidParams(`textDocument.uri: ${uri} is not open`);
    return file;
  }

  find(uri: string): OpenFile | undefined {
    return this.#open.get(uri);
  }

  get all(): Iterable<OpenFile> {
    return this.#open.values();
  }

  open(params: Params): void {
    const item = fields(params["textDocument"], "textDocument");
    const uri = text(item["uri"], "textDocument.uri");
    const language = text(item["languageId"], "textDocument.languageId");
    this.#add(uri, language, new Lines(text(item["text"], "textDocument.text")));
  }

  change(params: Params): void {
    const file = this.of(params);
    const changes = params["contentChanges"];
    if (!Array.isArray(changes)) throw invalidParams("contentChanges: not a list");
    const edits: Edit[] = [];
    for (const [i, change] of changes.entries()) {
      const given = fields(change, `contentChanges[${i}]`);
      const inserted = text(given["text"], `contentChanges[${i}].text`);
      const { start, end } =
        given["range"] === undefined ? { start: 0, end: file.lines.text.length } : offsets(file, given["range"], i);
      file.lines.change(start, end, inserted);
      edits.push({ start, end, text: inserted });
    }
    file.document.edit(edits, edits.some(({ text: each }) => each.length > 40) ? "paste" : "typed");
  }

  close(params: Params): void {
    const file = this.of(params);
    this.#deps.workspace.learn(file.path, file.document.excluded ? "" : file.lines.text);
    file.document.close();
    this.#open.delete(file.uri);
  }

  /** The same files for another session. */
  reopen(): void {
    for (const { uri, document, lines } of [...this.#open.values()]) this.#add(uri, document.language, lines);
  }

  #add(uri: string, language: string, lines: Lines): void {
    const { root, path } = placed(uri, this.#deps.folders());
    const excluded = this.#deps.workspace.excluded(root, path);
    const document = this.#deps.session().open({ id: idOf(uri), path, language, text: lines.text, excluded });
    this.#open.set(uri, { uri, path, lines, document, offset: 0 });
  }
}

function offsets(file: OpenFile, given: unknown, i: number): { start: number; end: number } {
  const { start, end } = range(given, `contentChanges[${i}].range`);
  const [from, to] = [file.lines.offsetOf(start), file.lines.offsetOf(end)];
  if (from === undefined || to === undefined || to < from)
    throw invalidParams(`contentChanges[${i}].range: not in a document of ${file.lines.count} lines`);
  return { start: from, end: to };
}

/** The router takes words of 128 characters: a long URI keeps its end, which tells files apart. */
function idOf(uri: string): string {
  const printable = uri.replace(/[^!-~]/g, (each) => encodeURIComponent(each));
  return printable.slice(-128);
}

/** The folder that a file is in, and its path there. */
function placed(uri: string, folders: readonly string[]): { root: string | undefined; path: string } {
  let whole = uri;
  try {
    whole = decodeURIComponent(new URL(uri).pathname);
  } catch {
    // Not a URI: its text is as good a name.
  }
  const root = folders.filter((folder) => whole.startsWith(`${folder}/`)).sort((a, b) => b.length - a.length)[0];
  const path = root === undefined ? (whole.split("/").at(-1) ?? whole) : whole.slice(root.length + 1);
  return { root, path };
}
