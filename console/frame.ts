// frame: what stands around every view: the name, the views to choose from, how the router is, the theme, and a place to say who one
// is when the router asks. The view that is shown is the one that the address names.
import { h, setAttribute, setText, svg } from "./dom.ts";
import { type Keys, keepKeys } from "./keys.ts";
import type { ThemeChoice } from "./theme.ts";
import type { View } from "./view.ts";

interface Deps {
  readonly keys: Keys;
  readonly theme: ThemeChoice;
  readonly store: Pick<Storage, "getItem" | "setItem">;
}

export type Health = "good" | "warn" | "bad";

const themes = { system: "System", light: "Light", dark: "Dark" } as const;

export class Frame {
  readonly #deps: Deps;
  readonly #main = h("main", { id: "main", tabindex: "-1" });
  readonly #tabs = h("nav", { class: "tabs", "aria-label": "Views" });
  readonly #dot = h("span", { class: "dot", "aria-hidden": "true" });
  readonly #state = h("span", {}, "");
  readonly #theme = h("button", { class: "button plain", type: "button", onclick: () => this.#deps.theme.next() });
  readonly #asking = h("form", { class: "notice asking", hidden: true, onsubmit: (event: Event) => this.#given(event) });
  readonly #refused: Partial<Record<keyof Keys, string>> = {};
  #views: Readonly<Record<string, View>> = {};
  #changed: { readonly keysChanged: () => void; readonly themed: () => void } = { keysChanged: () => {}, themed: () => {} };
  #shown: Disposable | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
    const skip = (event: Event) => {
      event.preventDefault();
      this.#main.focus();
    };
    document.body.replaceChildren(
      h("a", { class: "skip", href: "#main", onclick: skip }, "Skip to the view"),
      h(
        "header",
        { class: "top" },
        h("span", { class: "mark" }, mark(), "Slipstream"),
        this.#tabs,
        h("p", { class: "state", role: "status" }, this.#dot, this.#state),
        this.#theme,
      ),
      this.#asking,
      this.#main,
    );
    deps.theme.changed = () => this.themed();
    this.themed();
  }

  start(views: Readonly<Record<string, View>>, changed: { keysChanged: () => void; themed: () => void }): void {
    this.#views = views;
    this.#changed = changed;
    this.#tabs.replaceChildren(...Object.entries(views).map(([name, { title }]) => h("a", { href: `#/${name}` }, title)));
    addEventListener("hashchange", () => this.#show());
    this.#show();
  }

  themed(): void {
    const name = themes[this.#deps.theme.chosen];
    setText(this.#theme, name);
    setAttribute(this.#theme, "aria-label", `Colours: ${name}. Change`);
    this.#changed.themed();
  }

  health(health: Health, text: string): void {
    this.#dot.className = `dot ${health}`;
    setText(this.#state, text);
  }

  refused(which: keyof Keys, why: string | undefined): void {
    if (this.#refused[which] === why) return;
    if (why === undefined) delete this.#refused[which];
    else this.#refused[which] = why;
    this.#drawAsking();
  }

  #show(): void {
    const [, name = "", ...rest] = location.hash.split("/");
    const known = name in this.#views ? name : (Object.keys(this.#views)[0] ?? "");
    const view = this.#views[known];
    this.#shown?.[Symbol.dispose]();
    this.#main.replaceChildren();
    for (const tab of this.#tabs.children)
      setAttribute(tab, "aria-current", tab.getAttribute("href") === `#/${known}` ? "page" : undefined);
    document.title = `${view?.title ?? ""} · Slipstream`;
    this.#shown = view?.show(this.#main, decodeURIComponent(rest.join("/")));
  }

  #drawAsking(): void {
    const { admin, tenant } = this.#refused;
    this.#asking.hidden = admin === undefined && tenant === undefined;
    if (this.#asking.hidden || this.#asking.contains(document.activeElement)) return;
    const field = (which: keyof Keys, label: string, why: string | undefined) =>
      why === undefined
        ? undefined
        : h(
            "p",
            {},
            h("label", { for: `key-${which}` }, label),
            h("input", {
              id: `key-${which}`,
              name: which,
              type: "password",
              autocomplete: "off",
              class: "choice",
              value: this.#deps.keys[which],
            }),
            h("span", { class: "soft" }, why),
          );
    this.#asking.replaceChildren(
      h("h2", {}, "The router asks who you are"),
      ...[
        field("admin", "Administrator's key, for figures and traces", admin),
        field("tenant", "A tenant's key, for completions", tenant),
      ].filter((each) => each !== undefined),
      h(
        "p",
        {},
        h("button", { class: "button", type: "submit" }, "Go on"),
        h("span", { class: "soft" }, " Kept by this tab alone, until it is closed."),
      ),
    );
  }

  #given(event: Event): void {
    event.preventDefault();
    const given = new FormData(this.#asking);
    for (const which of ["admin", "tenant"] as const)
      if (given.has(which)) this.#deps.keys[which] = String(given.get(which)).trim();
    keepKeys(this.#deps.store, this.#deps.keys);
    this.#main.focus();
    this.#changed.keysChanged();
  }
}

function mark(): SVGElement {
  const line = (d: string) => svg("path", { d, stroke: "var(--on-accent)", "stroke-width": 2.6, "stroke-linecap": "round" });
  return svg(
    "svg",
    { viewBox: "0 0 32 32", "aria-hidden": "true" },
    svg("rect", { width: 32, height: 32, rx: 8, fill: "var(--accent)" }),
    line("M7 11h12"),
    line("M7 16h18"),
    line("M7 21h9"),
  );
}
