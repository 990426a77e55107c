// completing: a `textDocument/inlineCompletion` in, items of the protocol out: the position becomes an offset, code of other files
// goes along, and the newest request of a document retires the older one at the router.
import type { Answer, Session } from "../sdk/sdk.ts";
import type { RecentEdits } from "../workspace/edits.ts";
import type { Workspace } from "../workspace/workspace.ts";
import type { Documents, OpenFile } from "./documents.ts";
import { fields, position, range, text } from "./params.ts";
import { invalidParams, RpcError, rpcCode } from "./rpc.ts";
import type { Settings } from "./settings.ts";
import { acceptCommand, type Shown } from "./shown.ts";

interface Deps {
  readonly session: () => Session;
  readonly settings: () => Settings;
  readonly documents: Documents;
  readonly workspace: Workspace;
  readonly edits: RecentEdits;
  readonly shown: Shown;
}

type Params = Readonly<Record<string, unknown>>;

const invoked = 1;
const emptyContext = "[[],[]]";

export class Completing {
  readonly #deps: Deps;
  /** What was sent along last, by document. */
  readonly #context = new WeakMap<OpenFile, string>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async complete(params: Params, signal: AbortSignal): Promise<object> {
    const { session, settings, documents, shown } = this.#deps;
    const file = documents.of(params);
    const given = position(params["position"], "position");
    const offset = file.lines.offsetOf(given);
    if (offset === undefined) throw invalidParams(`position.line: the document has ${file.lines.count} lines`);
    const { enabled, model, deadlineMs, context } = settings();
    if (!enabled) return { items: [] };
    const about = fields(params["context"] ?? {}, "context");
    const selected = selectedIn(file, about["selectedCompletionInfo"]);
    const indent = indentIn(params["formattingOptions"]);
    file.offset = offset;
    if (context) this.#sendContext(file, offset);
    const asked = session().ask(file.document, {
      ...{ offset, kind: about["triggerKind"] === invoked ? "invoked" : "auto", deadlineMs, model, signal },
      ...(selected ? { selected } : {}),
      ...(indent ? { indent } : {}),
    });
    const version = file.document.version;
    const answer = await asked.answer;
    if (signal.aborted) throw new RpcError(rpcCode.cancelled, "cancelled");
    // For a text that is no more: where it would stand nobody knows.
    if (answer.type === "nothing" || file.document.version !== version) return { items: [] };
    shown.give(file, answer);
    return { items: itemsOf(file, answer) };
  }

  /** Warms the prefix where the person went. */
  focus(file: OpenFile): void {
    this.#deps.session().ask(file.document, { offset: file.offset, kind: "preload" });
  }

  /** Declarations of what is named near the cursor, and what was lately changed in other files; where it is not what was sent last. */
  #sendContext(file: OpenFile, offset: number): void {
    const found = this.#deps.workspace.near(file.root, file.path, file.lines.text, offset);
    const recentEdits = this.#deps.edits.elsewhere(file.path);
    const key = JSON.stringify([found.map(({ path, name }) => [path, name]), recentEdits.map(({ path, after }) => [path, after])]);
    if (key === (this.#context.get(file) ?? emptyContext)) return;
    this.#context.set(file, key);
    const snippets = found.map(({ path, name, line, text: code }, i) => ({
      ...{ path, text: code, source: "definition", score: 1 / (i + 1), stableId: `${path}#${name}`, stable: true },
      ...{ startLine: line, endLine: line + code.split("\n").length },
    }));
    this.#deps.session().context(file.document, { snippets, recentEdits });
  }
}

function itemsOf(file: OpenFile, { items, completionId }: Extract<Answer, { type: "completion" }>): object[] {
  return items.map(({ text: insertText, start, end }, i) => ({
    insertText,
    range: { start: file.lines.positionOf(start), end: file.lines.positionOf(end) },
    command: { title: "Completion accepted", command: acceptCommand, arguments: [completionId, insertText.length, i] },
  }));
}

function selectedIn(file: OpenFile, info: unknown) {
  if (info === undefined || info === null) return undefined;
  const given = fields(info, "context.selectedCompletionInfo");
  const { start, end } = range(given["range"], "context.selectedCompletionInfo.range");
  const [from, to] = [file.lines.offsetOf(start), file.lines.offsetOf(end)];
  if (from === undefined || to === undefined) throw invalidParams("context.selectedCompletionInfo.range: not in the document");
  return { text: text(given["text"], "context.selectedCompletionInfo.text"), start: from, end: to };
}

function indentIn(options: unknown) {
  if (typeof options !== "object" || options === null) return undefined;
  const { tabSize, insertSpaces } = options as { tabSize?: unknown; insertSpaces?: unknown };
  const width = Number.isInteger(tabSize) ? Math.min(16, Math.max(1, tabSize as number)) : 4;
  return { tabs: insertSpaces === false, width };
}
