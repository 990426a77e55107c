// documents: what an editor has open, each by its URI: the lines for its positions, and the session's document beside them. A file
// outside of every folder goes by its name alone; a remote URI by its path. Editors open more files than a router holds of a session:
// those that were left alone longest are closed there, and opened again when they are used.
import { createHash } from "node:crypto";
import type { Document, Edit, Session } from "../sdk/sdk.ts";
import type { RecentEdits } from "../workspace/edits.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { Lines } from "./lines.ts";
import { fields, range, text, uriOf } from "./params.ts";
import { invalidParams } from "./rpc.ts";

export interface OpenFile {
  readonly uri: string;
  /** The folder it is in. */
  readonly root: string | undefined;
  readonly path: string;
  readonly lines: Lines;
  readonly document: Document;
  /** Where the last trigger was. */
  offset: number;
}

interface Deps {
  readonly session: () => Session;
  readonly workspace: Workspace;
  readonly edits: RecentEdits;
  readonly folders: () => readonly string[];
}

type Params = Readonly<Record<string, unknown>>;

export class Documents {
  readonly #deps: Deps;
  readonly #open = new Map<string, OpenFile>();
  /** Of these, by URI, those whose document the session holds: the one that was left alone longest first. */
  readonly #held = new Set<string>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  of(params: Params): OpenFile {
    const file = this.#known(params);
    const { uri, document, lines } = file;
    if (!this.#held.delete(uri)) return this.#add(uri, document.language, lines);
    this.#held.add(uri);
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
      const removed = file.lines.text.slice(start, end);
      file.lines.change(start, end, inserted);
      if (!file.document.excluded) this.#deps.edits.edited(file.path, file.lines, start, removed, inserted);
      edits.push({ start, end, text: inserted });
    }
    file.document.edit(edits, edits.some(({ text: each }) => each.length > 40) ? "paste" : "typed");
  }

  close(params: Params): void {
    const file = this.#known(params);
    const { root, path } = file;
    const [ignores, folder = ""] = /^(?:(.*)\/)?\.(?:git|slipstream)ignore$/.exec(path) ?? [];
    // Its text on disk is what counts from now on.
    if (root !== undefined && ignores !== undefined) this.#deps.workspace.ignoresChanged(root, folder);
    else if (root !== undefined) this.#deps.workspace.learn(root, path, file.document.excluded ? "" : file.lines.text);
    file.document.close();
    this.#open.delete(file.uri);
    this.#held.delete(file.uri);
    if (ignores !== undefined) this.judge();
  }

  /** The same files for another session. Where there is none to be had, each is opened once it is used. */
  reopen(): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const uri of held) {
      const file = this.#open.get(uri);
      if (file) this.#add(uri, file.document.language, file.lines);
    }
  }

  /** What is never sent is said otherwise now: those that it makes a difference to are opened anew. */
  judge(): void {
    for (const uri of [...this.#held]) {
      const file = this.#open.get(uri);
      if (!file || file.document.excluded === this.#deps.workspace.excluded(file.root, file.path)) continue;
      this.#deps.edits.forget(file.path);
      this.#add(uri, file.document.language, file.lines);
    }
  }

  #known(params: Params): OpenFile {
    const uri = uriOf(params);
    const file = this.#open.get(uri);
    if (!file) throw invalidParams(`textDocument.uri: ${uri} is not open`);
    return file;
  }

  #add(uri: string, language: string, lines: Lines): OpenFile {
    const { root, path } = placed(uri, this.#deps.folders());
    const excluded = this.#deps.workspace.excluded(root, path);
    const session = this.#deps.session();
    this.#held.delete(uri);
    for (const oldest of this.#held) {
      if (this.#held.size < session.limits.documentsMax) break;
      this.#open.get(oldest)?.document.close();
      this.#held.delete(oldest);
    }
    const document = session.open({ id: idOf(uri), path, language, text: lines.text, excluded });
    const file = { uri, root, path, lines, document, offset: 0 };
    this.#open.set(uri, file);
    this.#held.add(uri);
    return file;
  }
}

function offsets(file: OpenFile, given: unknown, i: number): { start: number; end: number } {
  const { start, end } = range(given, `contentChanges[${i}].range`);
  const [from, to] = [file.lines.offsetOf(start), file.lines.offsetOf(end)];
  if (from === undefined || to === undefined || to < from)
    throw invalidParams(`contentChanges[${i}].range: not in a document of ${file.lines.count} lines`);
  return { start: from, end: to };
}

/** The router takes words of 128 characters: of a long URI its hash, since two may end alike. */
function idOf(uri: string): string {
  const printable = uri.replace(/[^!-~]+/g, (each) => encodeURIComponent(each.toWellFormed()));
  return printable.length <= 128 ? printable : createHash("sha256").update(uri).digest("hex");
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
