// traces: the triggers of late, newest first, all or the slow, the failed and the superseded ones; of one of them every step as a
// waterfall. Asked of the router while it is looked at alone.
import type { PageClock } from "../clock.ts";
import { h, setText } from "../dom.ts";
import type { FetchJson } from "../fetching.ts";
import type { View } from "../view.ts";
import { finishes, many, nameOf, outcomes, reasons, time } from "../words.ts";
import type { Explanation } from "./explanation.ts";
import { waterfall } from "./waterfall.ts";

const kinds = {
  all: { name: "All of late", none: "Nobody has asked yet." },
  slow: { name: "Slow", none: "No trigger of late was slow." },
  failed: { name: "Failed, refused or late", none: "No trigger of late failed." },
  superseded: { name: "Superseded", none: "No trigger of late was superseded." },
} as const;
type Kind = keyof typeof kinds;

const shownMax = 60;
const everyMs = 2_000;

interface Deps {
  readonly clock: PageClock;
  readonly json: FetchJson;
}

export class Traces implements View {
  readonly title = "Traces";
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  show(root: HTMLElement, rest: string): Disposable {
    return rest === "" || rest in kinds ? this.#list(root, (rest || "all") as Kind) : this.#one(root, rest);
  }

  #list(root: HTMLElement, kind: Kind): Disposable {
    const tabs = Object.entries(kinds).map(([name, { name: said }]) =>
      h("a", { href: `#/traces/${name}`, class: "choice", ...(name === kind ? { "aria-current": "page" } : {}) }, said),
    );
    const body = h("tbody");
    const note = h("p", { class: "soft", role: "status" });
    const heads = ["When", "Ended", "Took", "Most of it in", "Kind", "Language", "Worker or why"];
    root.append(
      h(
        "div",
        { class: "head" },
        h("h1", {}, "Traces"),
        h("p", {}, "What became of each trigger, and why."),
        h("nav", { class: "choices push", "aria-label": "Which" }, ...tabs),
      ),
      h(
        "section",
        { class: "card listing traces" },
        h(
          "div",
          { class: "scroll", tabindex: "0", role: "region", "aria-label": kinds[kind].name },
          h("table", {}, h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))), body),
        ),
        note,
      ),
    );
    let known = "";
    const filter = kind === "all" ? "" : `&kind=${kind}`;
    return this.#again(async () => {
      const found = await this.#deps.json<{ triggers: readonly Explanation[] }>(`/explain?last=${shownMax}${filter}`);
      if (!("value" in found)) return setText(note, `No traces: ${found.why}. Trying again.`);
      const { triggers } = found.value;
      setText(note, triggers.length === 0 ? kinds[kind].none : "");
      const now = triggers.map(({ trigger, outcome, total_ms }) => `${trigger} ${outcome} ${total_ms}`).join();
      // A row that somebody is about to press must not move for nothing.
      if (now === known) return;
      known = now;
      const focused = body.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : undefined;
      body.replaceChildren(...triggers.map((trigger) => this.#row(trigger)));
      if (focused) body.querySelector<HTMLElement>(`a[href="${CSS.escape(focused)}"]`)?.focus();
    });
  }

  #row(told: Explanation): HTMLElement {
    const { trigger, outcome, total_ms, kind, language, worker, reason, unix_ms } = told;
    const cells = [
      h("a", { href: `#/traces/${encodeURIComponent(trigger)}` }, timeOfDay(unix_ms)),
      h("span", { class: `badge ${outcome}` }, nameOf(outcome)),
      h("span", { class: "number" }, time(total_ms)),
      longest(told),
      kind,
      language,
      worker ?? (reason === null || reason === outcome ? "" : reason.replaceAll("_", " ")),
    ];
    return h("tr", {}, ...cells.map((cell) => h("td", {}, cell)));
  }

  #one(root: HTMLElement, id: string): Disposable {
    const place = h("div", {}, h("p", { class: "notice", role: "status" }, "Asking the router."));
    root.append(h("p", { class: "back" }, h("a", { href: "#/traces" }, "← All traces")), place);
    let over = false;
    return this.#again(async () => {
      if (over) return;
      const found = await this.#deps.json<Explanation>(`/explain/${encodeURIComponent(id)}`);
      if (!("value" in found)) {
        place.replaceChildren(
          h(
            "p",
            { class: "notice", role: "status" },
            found.status === 404
              ? "The router does not remember it any more: it keeps the triggers of late alone."
              : `No trace: ${found.why}. Trying again.`,
          ),
        );
        return;
      }
      over = found.value.outcome !== "under_way";
      place.replaceChildren(...drawn(found.value));
    });
  }

  /** Now and then, until disposed; one at a time. */
  #again(look: () => Promise<void>): Disposable {
    let timer: Disposable | undefined;
    let over = false;
    const run = () =>
      void look().finally(() => {
        if (!over) timer = this.#deps.clock.timer(everyMs, run);
      });
    run();
    return {
      [Symbol.dispose]: () => {
        over = true;
        timer?.[Symbol.dispose]();
      },
    };
  }
}

function drawn(told: Explanation): HTMLElement[] {
  const { outcome, reason, total_ms, deadline_ms, detail, usage, finish } = told;
  const why = reasons[reason ?? ""] ?? outcomes[outcome]?.means ?? "";
  const rows: readonly (readonly [string, string | null | undefined])[] = [
    ["Asked for by", [told.kind, told.language].filter((word) => word !== "").join(", ")],
    ["In", `the ${told.lane} lane, by ${told.tenant}`],
    ["Session", told.session],
    ["Model", told.model],
    ["Worker", told.worker],
    ["Prompt", usage && usage.promptTokens > 0 ? `${many(usage.promptTokens, "token")}, ${usage.recomputedTokens} computed` : null],
    ["Drafts", usage && usage.drafted > 0 ? `${usage.drafted} guessed ahead, ${usage.draftAccepted} right` : null],
    ["Text", told.text_utf16 > 0 ? many(told.text_utf16, "character") : null],
    ["Ended by", finish === null ? null : (finishes[finish] ?? finish)],
    ["Because", detail],
    ["Trace id", told.trace],
  ];
  return [
    h(
      "div",
      { class: "head" },
      h("h1", {}, nameOf(outcome)),
      h("p", {}, `${time(total_ms)} of ${time(deadline_ms)}, at ${timeOfDay(told.unix_ms)}. ${why}`),
    ),
    h(
      "section",
      { class: "card listing" },
      h("h2", {}, "Its way through the rooms"),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Steps" }, waterfall(told)),
    ),
    h(
      "section",
      { class: "card listing" },
      h("h2", {}, "What it was"),
      h(
        "dl",
        { class: "facts wide" },
        ...rows.filter(([, value]) => value).flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]),
      ),
      h("p", { class: "soft mono" }, `slipstream explain ${told.trigger}`),
    ),
  ];
}

/** The room that took most of the time, where one did. */
export function longest({ steps, total_ms }: Pick<Explanation, "steps" | "total_ms">): string {
  const most = steps.reduce<Explanation["steps"][number] | undefined>(
    (one, other) => (other.took_ms > (one?.took_ms ?? 0) ? other : one),
    undefined,
  );
  return most && total_ms > 0 && most.took_ms > total_ms / 4
    ? `${most.room} ${Math.round((100 * Math.min(most.took_ms, total_ms)) / total_ms)} %`
    : "–";
}

function timeOfDay(unixMs: number): string {
  return clockTime.format(unixMs);
}
const clockTime = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 1,
});
