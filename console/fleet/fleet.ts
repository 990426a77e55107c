// fleet: services, pools and models of the cluster as the operator on this port keeps them: what is not ready first, each with its
// conditions and the last decisions, in the operator's words. To be looked at alone.
import type { FleetCondition, FleetObject, FleetView } from "../../lib/fleet-view.ts";
import { type PageClock, wallOf } from "../clock.ts";
import { h, setText } from "../dom.ts";
import type { FetchJson } from "../fetching.ts";
import type { View } from "../view.ts";
import { many } from "../words.ts";

const everyMs = 3_000;
const moods: Readonly<Record<string, string>> = { True: "good", False: "bad", Unknown: "warn" };
/** Conditions of which True is the bad news. */
const bad: ReadonlySet<string> = new Set(["Degraded"]);

interface Deps {
  readonly clock: PageClock;
  readonly json: FetchJson;
  readonly health: (mood: "good" | "warn" | "bad", text: string) => void;
}

export class Fleet implements View {
  readonly title = "Fleet";
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  show(root: HTMLElement): Disposable {
    const note = h("p", { class: "soft", role: "status" }, "Asking the operator.");
    const place = h("div", { class: "fleet" });
    root.append(
      h("div", { class: "head" }, h("h1", {}, "Fleet"), h("p", {}, "What the operator keeps, and what it says of it.")),
      note,
      place,
    );
    let timer: Disposable | undefined;
    let over = false;
    let known = "";
    const look = async () => {
      const found = await this.#deps.json<FleetView>("/fleet");
      if (!("value" in found)) {
        this.#deps.health("bad", "Not connected");
        setText(note, `Nothing known: ${found.why}. Trying again.`);
        return;
      }
      const { objects, leads, missing } = found.value;
      const ill = objects.filter(({ ready }) => ready !== "True").length;
      this.#deps.health(ill > 0 ? "warn" : "good", ill > 0 ? `${many(ill, "object")} not ready` : "All ready");
      const said = [
        missing.length > 0 ? `Not listed yet: ${missing.join(", ")}.` : "",
        leads ? "" : "Another operator leads; this one follows.",
        objects.length === 0 ? "There is no CompletionService, WorkerPool or ModelCache in the namespaces that it follows." : "",
      ];
      setText(note, said.filter((each) => each !== "").join(" "));
      const now = JSON.stringify(objects);
      if (now !== known) place.replaceChildren(...objects.map(drawn));
      known = now;
    };
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

function drawn({ kind, namespace, name, ready, reason, message, facts, conditions, decisions }: FleetObject): HTMLElement {
  return h(
    "section",
    { class: "card listing", "aria-label": `${kind} ${namespace}/${name}` },
    h(
      "div",
      { class: "object-head" },
      h("h2", {}, name),
      h("span", { class: "soft" }, `${kind} in ${namespace}`),
      h(
        "span",
        { class: `mood push ${moods[ready] ?? "warn"}` },
        ready === "True" ? "Ready" : ready === "False" ? "Not ready" : "Not known",
      ),
    ),
    h("p", {}, reason === "" ? message : `${reason}: ${message}`),
    facts.length > 0 &&
      h(
        "dl",
        { class: "facts wide" },
        ...facts.flatMap(([term, value]) => [h("dt", {}, term), h("dd", { class: "number" }, value)]),
      ),
    conditions.length > 0 &&
      table(`Conditions of ${name}`, ["Condition", "Holds", "Reason", "Says", "Since"], conditions.map(conditionCells)),
    decisions.length > 0 &&
      table(
        `Last decisions of ${name}`,
        ["Decided", "Workers", "Reason"],
        decisions.map(({ time, from, to, reason: why }) => [whenOf(time), `${from} → ${to}`, why]),
      ),
  );
}

function conditionCells({ type, status, reason, message, since, means }: FleetCondition): (string | HTMLElement)[] {
  const well = bad.has(type) ? status === "False" : status === "True";
  return [
    h("span", { title: means }, type),
    h("span", { class: `mood ${well ? "good" : status === "Unknown" ? "warn" : "bad"}` }, status),
    reason,
    h("span", { class: "says" }, message),
    whenOf(since),
  ];
}

function table(label: string, heads: readonly string[], rows: readonly (readonly (string | HTMLElement)[])[]): HTMLElement {
  const head = h("tr", {}, ...heads.map((each) => h("th", { scope: "col" }, each)));
  const body = rows.map((cells) => h("tr", {}, ...cells.map((cell) => h("td", {}, cell))));
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h("table", {}, h("thead", {}, head), h("tbody", {}, ...body)),
  );
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const whenOf = (time: string) => {
  const wall = wallOf(time);
  return wall === undefined ? time : day.format(wall);
};
