// theme: as the system has it, until somebody chooses otherwise.
const name = "slipstream.theme";
const order = ["system", "light", "dark"] as const;
export type Theme = (typeof order)[number];

export class ThemeChoice {
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  #chosen: Theme;
  changed: () => void = () => {};

  constructor() {
    const kept = localStorage.getItem(name) as Theme | null;
    this.#chosen = kept && order.includes(kept) ? kept : "system";
    this.#dark.addEventListener("change", () => this.#apply());
    this.#apply();
  }

  get chosen(): Theme {
    return this.#chosen;
  }

  next(): void {
    this.#chosen = order[(order.indexOf(this.#chosen) + 1) % order.length] ?? "system";
    localStorage.setItem(name, this.#chosen);
    this.#apply();
  }

  #apply(): void {
    const dark = this.#chosen === "dark" || (this.#chosen === "system" && this.#dark.matches);
    document.documentElement.dataset["theme"] = dark ? "dark" : "light";
    this.changed();
  }
}
