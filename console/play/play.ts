// play: the playground: an editor with ghost text over a session of its own, and beside it what each key cost. It stays as it was
// left while other views are shown; its text is kept by the tab alone, so that a reload does not lose it.
import type { EditorView } from "@codemirror/view";
import type { PageClock } from "../clock.ts";
import { h, setText } from "../dom.ts";
import { type FetchJson, Latest } from "../fetching.ts";
import type { Explanation } from "../traces/explanation.ts";
import type { Console, View } from "../view.ts";
import { many } from "../words.ts";
import { Cost } from "./cost.ts";
import { PlayEditor } from "./editor.ts";
import { type Suggestion, textOf } from "./ghost.ts";
import { firstLanguage, languages, sampleOf } from "./languages.ts";
import { type Dial, PlaySession, type SessionState } from "./session.ts";
import { Suggester } from "./suggester.ts";

interface Deps {
  readonly clock: PageClock;
  readonly dial: Dial;
  readonly sessionId: string;
  readonly json: FetchJson;
  readonly store: Pick<Storage, "getItem" | "setItem">;
  readonly console: Console;
}

const kept = "slipstream.play";
const keepTextMax = 200_000;
/** Whoever listens is told what stands there when the typing rests. */
const announceMs = 900;
const keys: readonly (readonly [string, string])[] = [
  ["Tab", "take it"],
  ["Ctrl →", "a word"],
  ["Ctrl ↓", "a line"],
  ["Alt ]", "another"],
  ["Esc", "away"],
  ["Alt \\", "ask"],
];

export class Play implements View {
  readonly title = "Playground";
  readonly #deps: Deps;
  readonly #session: PlaySession;
  readonly #suggester: Suggester;
  readonly #cost = new Cost();
  readonly #explained: Latest<Explanation>;
  readonly #root: HTMLElement;
  readonly #state = h("p", { class: "play-state soft", role: "status" });
  readonly #announced = h("p", { class: "unseen", "aria-live": "polite" });
  readonly #models = h("select", { class: "choice", id: "model", onchange: () => this.#suggester.invoke() });
  readonly #buttons: readonly HTMLButtonElement[];
  readonly #editor: PlayEditor;
  #language: string;
  #speaking: Disposable | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
    const { language, text, cursor } = restored(deps.store);
    this.#language = language;
    this.#session = new PlaySession({
      ...{ clock: deps.clock, dial: deps.dial, sessionId: deps.sessionId, key: () => deps.console.keys.tenant },
      changed: (state) => this.#connected(state),
      answered: (answered) => this.#suggester.answered(answered),
    });
    this.#explained = new Latest(deps.clock, deps.json, (explanation) => this.#cost.explain(explanation));
    this.#suggester = new Suggester({
      session: () => this.#session,
      model: () => this.#models.value,
      ended: (answer) => {
        this.#cost.show(answer);
        if (answer.outcome !== "OUTCOME_SUPERSEDED") this.#explained.want(`/explain/${encodeURIComponent(answer.triggerId ?? "")}`);
      },
      typed: (typed) => this.#keep(typed),
      suggested: (suggestion) => this.#suggested(suggestion),
    });
    const button = (label: string, act: () => void) =>
      h("button", { class: "button", type: "button", disabled: true, onclick: () => this.#pressed(act) }, label);
    this.#buttons = [
      button("Take it", () => this.#suggester.acceptWhole()),
      button("A word", () => this.#suggester.acceptWord()),
      button("A line", () => this.#suggester.acceptLine()),
      button("Another", () => this.#suggester.cycle(1)),
    ];
    const place = h("div", { class: "editor" });
    this.#root = this.#drawn(place);
    this.#editor = new PlayEditor({
      ...{ parent: place, text, cursor, language, label: "Code; suggestions appear at the cursor" },
      extensions: this.#suggester.extension,
    });
    this.#suggester.attach(this.#editor.view);
    this.#session.open({ path: languages[language]?.path ?? "notes.txt", language, text });
  }

  /** For tests and whoever is curious in a browser's own console. */
  get view(): EditorView {
    return this.#editor.view;
  }

  show(root: HTMLElement): Disposable {
    root.append(this.#root);
    this.#editor.view.requestMeasure();
    return { [Symbol.dispose]: () => this.#root.remove() };
  }

  /** Another key of a tenant was given. */
  keysChanged(): void {
    this.#session.again();
  }

  #drawn(place: HTMLElement): HTMLElement {
    const options = Object.entries(languages).map(([id, { name }]) =>
      h("option", { value: id, selected: id === this.#language }, name),
    );
    const language = h("select", { class: "choice", id: "language", onchange: () => this.#load(language.value) }, ...options);
    this.#models.append(h("option", { value: "" }, "its default"));
    return h(
      "div",
      { class: "play" },
      h(
        "div",
        { class: "head" },
        h("h1", {}, "Playground"),
        h("p", {}, "Type. What is suggested stands at the cursor."),
        h(
          "div",
          { class: "choices push" },
          h("label", { for: "language" }, "Language"),
          language,
          h("label", { for: "model" }, "Model"),
          this.#models,
          h("button", { class: "button", type: "button", onclick: () => this.#load(this.#language) }, "Start over"),
        ),
      ),
      h(
        "div",
        { class: "play-columns" },
        h(
          "section",
          { class: "card play-code", "aria-label": "Editor" },
          place,
          h(
            "div",
            { class: "play-foot" },
            h(
              "ul",
              { class: "keys", "aria-label": "Keys" },
              ...keys.map(([key, does]) => h("li", {}, h("kbd", {}, key), " ", does)),
            ),
            h("div", { class: "play-buttons" }, ...this.#buttons),
            this.#state,
          ),
        ),
        this.#cost.element,
      ),
      this.#announced,
    );
  }

  #pressed(act: () => void): void {
    act();
    this.#editor.view.focus();
  }

  #load(language: string): void {
    this.#language = language;
    const { text, cursor } = sampleOf(language);
    this.#editor.replace(language, text, cursor);
    this.#session.open({ path: languages[language]?.path ?? "notes.txt", language, text });
    this.#editor.view.focus();
    this.#suggester.invoke();
  }

  #keep(text: string): void {
    if (text.length > keepTextMax) return;
    const { head } = this.#editor.view.state.selection.main;
    this.#deps.store.setItem(kept, JSON.stringify({ language: this.#language, text, cursor: head }));
  }

  #connected(state: SessionState): void {
    this.#deps.console.refused("tenant", state.is === "refused" ? state.why : undefined);
    if (state.is === "ready") {
      const { value } = this.#models;
      const names = ["", ...state.models];
      this.#models.replaceChildren(...names.map((name) => h("option", { value: name }, name === "" ? "its default" : name)));
      this.#models.value = names.includes(value) ? value : "";
      this.#suggester.renew();
    }
    setText(this.#state, said(state));
  }

  #suggested(suggestion: Suggestion | undefined): void {
    for (const button of this.#buttons) button.disabled = suggestion === undefined;
    this.#speaking?.[Symbol.dispose]();
    this.#speaking = this.#deps.clock.timer(announceMs, () =>
      setText(this.#announced, suggestion ? `Suggestion, Tab takes it: ${textOf(suggestion)}` : ""),
    );
  }
}

function said(state: SessionState): string {
  if (state.is === "ready") return `Connected${state.models.length > 0 ? `: ${many(state.models.length, "model")}` : ""}`;
  if (state.is === "connecting") return "Connecting";
  return state.is === "lost" ? `Not connected: ${state.why}. Trying again.` : `Not let in: ${state.why}`;
}

function restored(store: Pick<Storage, "getItem">): { language: string; text: string; cursor: number } {
  try {
    const { language, text, cursor } = JSON.parse(store.getItem(kept) ?? "null") as Record<string, unknown>;
    if (typeof language === "string" && language in languages && typeof text === "string" && typeof cursor === "number")
      return { language, text, cursor: Math.min(text.length, Math.max(0, cursor)) };
  } catch {
    // Nothing was kept, or not by this page.
  }
  return { language: firstLanguage, ...sampleOf(firstLanguage) };
}
