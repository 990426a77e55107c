// suggester: what is typed in, suggestions out: each change is told to the router and asked about at once, without waiting (the router
// knows when to); answers become the ghost text, if the cursor still stands where they belong. Keys take it, word by word or whole.
import { EditorState, type Extension, Prec, type Transaction } from "@codemirror/state";
import { EditorView, keymap, type ViewUpdate } from "@codemirror/view";
import { arrived, ghost, nextLine, nextWord, type Suggestion, suggest, take, textOf } from "./ghost.ts";
import type { Answered, Completion, Nothing } from "./messages.ts";
import type { PlaySession } from "./session.ts";

interface Deps {
  readonly session: () => PlaySession;
  readonly model: () => string;
  /** A trigger ended. */
  readonly ended: (answer: Completion | Nothing) => void;
  /** The text changed. */
  readonly typed: (text: string) => void;
  /** The suggestion changed. */
  readonly suggested: (suggestion: Suggestion | undefined) => void;
}

const alternativesWished = 3;

export class Suggester {
  readonly #deps: Deps;
  #view: EditorView | undefined;
  /** The newest trigger, and where it asked. */
  #asked: { readonly id: string; readonly at: number; readonly cycles: boolean } | undefined;
  #partial = "";
  #told: string | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get extension(): Extension {
    const whole = (act: (view: EditorView, suggestion: Suggestion) => void) => (view: EditorView) => {
      const suggestion = view.state.field(ghost);
      if (suggestion) act(view, suggestion);
      return suggestion !== undefined;
    };
    return [
      ghost,
      EditorState.allowMultipleSelections.of(false),
      EditorView.updateListener.of((update) => this.#changed(update)),
      Prec.highest(
        keymap.of([
          { key: "Tab", run: whole((_, suggestion) => this.accept(textOf(suggestion))) },
          { key: "Mod-ArrowRight", run: whole((_, suggestion) => this.accept(nextWord(textOf(suggestion)))) },
          { key: "Mod-ArrowDown", run: whole((_, suggestion) => this.accept(nextLine(textOf(suggestion)))) },
          { key: "Alt-]", run: () => this.cycle(1) },
          { key: "Alt-[", run: () => this.cycle(-1) },
          { key: "Escape", run: whole(() => this.dismiss()) },
          { key: "Alt-\\", run: () => this.invoke() },
          { key: "Ctrl-Space", run: () => this.invoke() },
        ]),
      ),
    ];
  }

  attach(view: EditorView): void {
    this.#view = view;
  }

  get suggestion(): Suggestion | undefined {
    return this.#view?.state.field(ghost);
  }

  acceptWhole(): void {
    if (this.suggestion) this.accept(textOf(this.suggestion));
  }
  acceptWord(): void {
    if (this.suggestion) this.accept(nextWord(textOf(this.suggestion)));
  }
  acceptLine(): void {
    if (this.suggestion) this.accept(nextLine(textOf(this.suggestion)));
  }

  /** A part of the suggestion from its beginning, or all of it. */
  accept(part: string): void {
    const { suggestion } = this;
    if (!this.#view || !suggestion) return;
    const { completionId, taken } = suggestion;
    const all = part === textOf(suggestion);
    if (completionId !== "")
      this.#deps.session().report({ completionId, event: all ? "ACCEPTED" : "PARTIAL", acceptedUtf16: taken + part.length });
    take(this.#view, part);
  }

  dismiss(): void {
    const completionId = this.suggestion?.completionId ?? "";
    if (completionId !== "") this.#deps.session().report({ completionId, event: "REJECTED" });
    if (this.#asked) this.#deps.session().cancel(this.#asked.id);
    this.#asked = undefined;
    this.#view?.dispatch({ effects: suggest.of(undefined) });
  }

  /** Another alternative; the first time they are asked for. */
  cycle(by: 1 | -1): boolean {
    const { suggestion } = this;
    if (!this.#view || !suggestion) return false;
    const { length } = suggestion.texts;
    if (length > 1)
      this.#view.dispatch({ effects: suggest.of({ ...suggestion, shown: (suggestion.shown + by + length) % length }) });
    else this.#ask("INVOKED", alternativesWished, true);
    return true;
  }

  invoke(): boolean {
    this.#ask("INVOKED", 1, false);
    return true;
  }

  /** A connection came back: what was asked of the one before is asked anew. */
  renew(): void {
    if (this.#asked) this.#ask("AUTO", 0, false);
  }

  answered(answered: Answered): void {
    if ("partial" in answered) {
      const { triggerId, text = "" } = answered.partial;
      if (triggerId !== this.#asked?.id) return;
      this.#partial += text;
      this.#arrive({ trigger: triggerId ?? "", completionId: "", texts: [this.#partial] }, false);
      return;
    }
    const answer = "completion" in answered ? answered.completion : answered.nothing;
    const ours = answer.triggerId === this.#asked?.id;
    if (ours && "completion" in answered) {
      const { completionId = "", items = [], triggerId = "" } = answered.completion;
      const texts = [...new Set(items.map(({ insertText = "" }) => insertText))].filter((text) => text !== "");
      this.#arrive({ trigger: triggerId, completionId, texts }, true);
    }
    if (ours && this.#partial !== "" && "nothing" in answered) this.#view?.dispatch({ effects: suggest.of(undefined) });
    if (ours) this.#asked = undefined;
    this.#deps.ended(answer);
  }

  #arrive(coming: Pick<Suggestion, "trigger" | "completionId" | "texts">, whole: boolean): void {
    const [view, asked] = [this.#view, this.#asked];
    if (!view || !asked || coming.texts.length === 0) return;
    const standing = view.state.field(ghost);
    const cycled = asked.cycles && standing ? alternatives(standing, coming.texts) : { texts: coming.texts, shown: 0 };
    const next = { ...coming, ...cycled, at: asked.at, taken: 0 };
    if (!standsAt(view.state, asked.at)) return;
    const merged = asked.cycles ? next : arrived(standing, next, whole);
    if (merged !== standing) view.dispatch({ effects: suggest.of(merged) });
  }

  #changed(update: ViewUpdate): void {
    if (update.docChanged) {
      const text = update.state.doc.toString();
      const event = eventOf(update.transactions);
      const loaded = event === "loaded";
      if (!loaded) this.#deps.session().edit(editsOf(update), text, event);
      this.#deps.typed(text);
      if (!loaded && update.state.selection.main.empty) this.#ask("AUTO", 0, false);
    } else if (update.selectionSet && this.#asked && !standsAt(update.state, this.#asked.at)) {
      this.#deps.session().cancel(this.#asked.id);
      this.#asked = undefined;
    }
    const suggestion = update.state.field(ghost);
    if (suggestion === update.startState.field(ghost)) return;
    if (suggestion && suggestion.completionId !== "" && suggestion.completionId !== this.#told) {
      this.#told = suggestion.completionId;
      this.#deps.session().report({ completionId: suggestion.completionId, event: "SHOWN" });
    }
    this.#deps.suggested(suggestion);
  }

  #ask(kind: "AUTO" | "INVOKED", n: number, cycles: boolean): void {
    if (!this.#view) return;
    const at = this.#view.state.selection.main.head;
    const id = this.#deps.session().ask({ offset: at, kind, n, model: this.#deps.model() });
    this.#partial = "";
    this.#asked = id === undefined ? undefined : { id, at, cycles };
  }
}

/** The one that stands, then what else there is; the next of them is shown. */
function alternatives(standing: Suggestion, texts: readonly string[]): Pick<Suggestion, "texts" | "shown"> {
  const all = [...new Set([textOf(standing), ...texts])];
  return { texts: all, shown: all.length > 1 ? 1 : 0 };
}

function standsAt({ selection }: EditorState, at: number): boolean {
  return selection.main.empty && selection.main.head === at;
}

type Event = "TYPED" | "PASTE" | "UNDO" | "ACCEPT" | "loaded";

function eventOf(transactions: readonly Transaction[]): Event {
  const is = (event: string) => transactions.some((transaction) => transaction.isUserEvent(event));
  if (is("input.complete")) return "ACCEPT";
  if (is("input.paste") || is("input.drop")) return "PASTE";
  if (is("undo") || is("redo")) return "UNDO";
  return is("input") || is("delete") || is("move") ? "TYPED" : "loaded";
}

/** Each in the text that the ones before it left. */
function editsOf(update: ViewUpdate): { start: number; end: number; text: string }[] {
  const edits: { start: number; end: number; text: string }[] = [];
  update.changes.iterChanges((fromA, toA, fromB, _, inserted) => {
    edits.push({ start: fromB, end: fromB + (toA - fromA), text: inserted.toString() });
  });
  return edits;
}
