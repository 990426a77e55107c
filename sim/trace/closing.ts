// closing: a trace in, the same trace out as it is in an editor that closes brackets and quotes: "(" brings ")", a line feed between
// a pair brings the pair's second line, typing what was brought types over it, and taking back the first takes back both.
// The text before the cursor is the trace's own at every event; at its end nothing that was brought is left.
import type { Trace, TraceEdit, TraceEvent } from "./trace.ts";

const pairs: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}", '"': '"', "'": "'", "`": "`" };
const isWord = /[\p{L}\p{N}_$]/u;

export function withClosing(trace: Trace): Trace {
  const editors = new Map(trace.documents.map(({ id, text }) => [id, new ClosingEditor(text)]));
  const events = trace.events.map((event): TraceEvent => {
    const editor = editors.get(event.document);
    return editor && event.edit ? { ...event, edit: editor.edit(event.edit) } : event;
  });
  return { ...trace, events };
}

class ClosingEditor {
  /** As the trace has it. */
  #text: string;
  /** What the editor brought, right after the cursor. */
  #brought = "";

  constructor(text: string) {
    this.#text = text;
  }

  /** The trace's edit as this editor's. */
  edit({ startUtf16: start, endUtf16: end, text }: TraceEdit): TraceEdit {
    const before = this.#text.slice(0, start);
    const after = this.#text.slice(end);
    const removed = this.#text.slice(start, end);
    this.#text = before + text + after;
    const was = this.#brought;
    if (removed !== "" && text === "") {
      if (was !== "" && pairs[removed] === was[0]) this.#brought = was.slice(1);
      return { startUtf16: start, endUtf16: end + (was.length - this.#brought.length), text };
    }
    if (removed !== "" || text === "") return { startUtf16: start, endUtf16: end, text };
    if (was.startsWith(text)) {
      this.#brought = was.slice(text.length);
      return { startUtf16: start, endUtf16: start + text.length, text };
    }
    const added = this.#brings(before, text, was + after);
    this.#brought = added + was;
    return { startUtf16: start, endUtf16: end, text: text + added };
  }

  #brings(before: string, key: string, after: string): string {
    const last = before.at(-1) ?? "";
    if (/^\r?\n/.test(key)) {
      const opened = this.#brought !== "" && pairs[last] === this.#brought[0] && !/["'`]/.test(last);
      return opened ? `\n${/^[ \t]*/.exec(before.slice(before.lastIndexOf("\n") + 1))?.[0] ?? ""}` : "";
    }
    const closer = pairs[key];
    if (closer === undefined) return "";
    // Right before a word an editor brings nothing; a quote after a word is an apostrophe.
    if (isWord.test(after[0] ?? "")) return "";
    return closer === key && (isWord.test(last) || last === key) ? "" : closer;
  }
}
