// ghost: the text that is suggested at the cursor, as part of the editor's state: it stands there while what is typed agrees with it,
// becomes shorter in the very transaction of each key, and is gone when the typist goes another way. What is drawn of it is the same
// element from key to key, so that nothing flickers.
import { EditorSelection, type EditorState, StateEffect, StateField, type Transaction } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";

export interface Suggestion {
  readonly trigger: string;
  /** "": its text is still on its way. */
  readonly completionId: string;
  readonly at: number;
  /** What is left of each alternative; the shown one is never empty. */
  readonly texts: readonly string[];
  readonly shown: number;
  /** Typed or accepted of it by now, since it came. */
  readonly taken: number;
}

export const textOf = (suggestion: Suggestion): string => suggestion.texts[suggestion.shown] ?? "";

export const suggest = StateEffect.define<Suggestion | undefined>();

export const ghost = StateField.define<Suggestion | undefined>({
  create: () => undefined,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(suggest)) return effect.value;
    if (!value) return value;
    if (transaction.docChanged) return followed(value, transaction);
    return transaction.selection && !standsAt(transaction.state, value.at) ? undefined : value;
  },
  provide: (field) => EditorView.decorations.compute([field], (state) => drawn(state, state.field(field))),
});

/** One insertion at its place that is how it begins; anything else is another way. */
function followed(value: Suggestion, transaction: Transaction): Suggestion | undefined {
  let typed: string | undefined;
  let changes = 0;
  transaction.changes.iterChanges((from, to, _, __, inserted) => {
    changes += 1;
    if (from === value.at && to === from) typed = inserted.toString();
  });
  if (changes !== 1 || typed === undefined || !textOf(value).startsWith(typed)) return undefined;
  const [length, at] = [typed.length, value.at + typed.length];
  const left = value.texts.flatMap((text, i) =>
    text.startsWith(typed ?? "") && text.length > length ? [{ text: text.slice(length), was: i }] : [],
  );
  const shown = left.findIndex(({ was }) => was === value.shown);
  if (shown < 0 || !standsAt(transaction.state, at)) return undefined;
  return { ...value, at, texts: left.map(({ text }) => text), shown, taken: value.taken + length };
}

function standsAt({ selection }: EditorState, at: number): boolean {
  return selection.main.empty && selection.main.head === at;
}

/** What came for a place: the same text as stands there changes nothing; a beginning of it, still on its way, neither. */
export function arrived(standing: Suggestion | undefined, coming: Suggestion, whole: boolean): Suggestion {
  if (!standing || standing.at !== coming.at) return coming;
  const [old, fresh] = [textOf(standing), textOf(coming)];
  if (!whole && old.startsWith(fresh)) return standing;
  if (old === fresh && coming.texts.length <= standing.texts.length)
    return { ...standing, trigger: coming.trigger, completionId: coming.completionId, taken: 0 };
  return coming;
}

/** How much of a text a word is, and a line. */
export function nextWord(text: string): string {
  return /^\s*(?:[\p{L}\p{N}_$]+|[^\s\p{L}\p{N}_$]+)/u.exec(text)?.[0] ?? text;
}
export function nextLine(text: string): string {
  return /^\n?[^\n]*/.exec(text)?.[0] ?? text;
}

/** Puts a part of the suggestion into the document, as if it were typed. */
export function take(view: EditorView, part: string): void {
  const { head } = view.state.selection.main;
  view.dispatch({
    changes: { from: head, insert: part },
    selection: EditorSelection.cursor(head + part.length),
    userEvent: "input.complete",
    scrollIntoView: true,
  });
}

class FirstLine extends WidgetType {
  readonly #text: string;
  constructor(text: string) {
    super();
    this.#text = text;
  }
  override eq(other: FirstLine): boolean {
    return other.#text === this.#text;
  }
  override toDOM(): HTMLElement {
    const element = document.createElement("span");
    element.className = "ghost";
    element.textContent = this.#text;
    return element;
  }
  override updateDOM(element: HTMLElement): boolean {
    element.textContent = this.#text;
    return true;
  }
}

class MoreLines extends WidgetType {
  readonly #text: string;
  constructor(text: string) {
    super();
    this.#text = text;
  }
  override eq(other: MoreLines): boolean {
    return other.#text === this.#text;
  }
  override toDOM(): HTMLElement {
    const element = document.createElement("div");
    element.className = "ghost ghost-lines";
    element.textContent = this.#text;
    return element;
  }
  override updateDOM(element: HTMLElement): boolean {
    element.textContent = this.#text;
    return true;
  }
}

function drawn(state: EditorState, suggestion: Suggestion | undefined): DecorationSet {
  if (!suggestion || suggestion.at > state.doc.length) return Decoration.none;
  const text = textOf(suggestion);
  const end = text.indexOf("\n");
  const first = Decoration.widget({ widget: new FirstLine(end < 0 ? text : text.slice(0, end)), side: 1 }).range(suggestion.at);
  if (end < 0) return Decoration.set([first]);
  const lineEnd = state.doc.lineAt(suggestion.at).to;
  const rest = Decoration.widget({ widget: new MoreLines(text.slice(end + 1)), side: 2, block: true }).range(lineEnd);
  return Decoration.set([first, rest]);
}
