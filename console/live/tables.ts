// tables: who works and who asks, as they are now: workers with their slots, leases and drafts by position, tenants with what their
// keys cost.
import type { LiveNow, LiveTenant, LiveWorker } from "../../lib/live.ts";
import { type Child, h, setRows } from "../dom.ts";

interface Table {
  readonly element: HTMLElement;
  readonly body: HTMLTableSectionElement;
}

const percent = (share: number) => (share === 0 ? "" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`);

function table(title: string, heads: readonly string[], none: string): Table {
  const body = h("tbody", {});
  const element = h(
    "section",
    { class: "card listing" },
    h("h2", {}, title),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
      h("table", {}, h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))), body),
    ),
    h("p", { class: "soft none" }, none),
  );
  return { element, body };
}

export class Tables {
  readonly element: HTMLElement;
  readonly #workers = table(
    "Workers",
    ["Worker", "Pool", "Model", "Slots in use", "Leases", "Prefill", "Step", "Drafts", "Right, by position", "State"],
    "No worker is linked.",
  );
  readonly #tenants = table(
    "Tenants",
    ["Tenant", "Engine time", "Tokens", "Shown", "Accepted", "Superseded", "Late", "Ahead"],
    "Nobody has asked yet.",
  );

  constructor() {
    this.element = h("div", { class: "listings" }, this.#workers.element, this.#tenants.element);
  }

  draw({ workers, tenants }: LiveNow): void {
    fill(this.#workers, workers.map(workerCells));
    fill(this.#tenants, tenants.map(tenantCells));
  }
}

function fill({ element, body }: Table, rows: readonly (readonly Child[])[]): void {
  setRows(body, rows);
  element.classList.toggle("empty", rows.length === 0);
}

function workerCells(worker: LiveWorker): Child[] {
  const { name, pool, models, slots, running, leases, prefillTokensPerSecond, stepMs, speculation, draining, barred } = worker;
  const state = barred ? "left alone" : draining ? "draining" : "well";
  return [
    ...[name, pool, models.join(", ")],
    usage(running, slots),
    String(leases),
    prefillTokensPerSecond > 0 ? `${prefillTokensPerSecond.toLocaleString("en")}/s` : "–",
    stepMs > 0 ? `${stepMs.toFixed(1)} ms` : "–",
    speculation ? draftsOf(speculation) : "–",
    speculation && speculation.positions.length > 0 ? positions(speculation.positions) : "–",
    h("span", { class: `mood ${barred ? "bad" : draining ? "warn" : "good"}` }, state),
  ];
}

function usage(running: number, slots: number): HTMLElement {
  const meter = h("span", { class: "meter", "aria-hidden": "true" }, h("span"));
  (meter.firstElementChild as HTMLElement).style.width = `${slots > 0 ? Math.min(100, (100 * running) / slots) : 0}%`;
  return h("span", { class: "usage number" }, meter, `${running} of ${slots}`);
}

/** Where they come from, and how far they went on average, of the steps that drafted. */
function draftsOf({ sources, why, positions: at }: NonNullable<LiveWorker["speculation"]>): string {
  const first = at[0]?.drafted ?? 0;
  const length = first > 0 ? at.reduce((all, { drafted }) => all + drafted, 0) / first : 0;
  const from = why === "" ? "fixed" : sources.length === 0 ? "none" : sources.join(" and ");
  return `${from}${length > 0 ? `, ${length.toFixed(1)} long` : ""}${why === "" ? "" : ` (${why.replaceAll("_", " ")})`}`;
}

function positions(at: NonNullable<LiveWorker["speculation"]>["positions"]): HTMLElement {
  const shares = at.map(({ drafted, accepted }) => (drafted > 0 ? accepted / drafted : 0));
  const said = shares.map((share, i) => `${i + 1}: ${Math.round(share * 100)} %`).join(", ");
  const bars = shares.map((share) => {
    const bar = h("span");
    bar.style.height = `${Math.max(4, share * 100)}%`;
    return bar;
  });
  return h("span", { class: "positions", role: "img", "aria-label": said, title: said }, ...bars);
}

function tenantCells({ of, engineMs, tokens, shares, accepted }: LiveTenant): Child[] {
  return [
    of,
    engineMs > 0 ? `${(engineMs / 1_000).toFixed(1)} s` : "–",
    tokens.toLocaleString("en"),
    ...[shares["shown"] ?? 0, accepted, shares["superseded"] ?? 0, shares["late"] ?? 0, shares["speculative"] ?? 0].map(percent),
  ];
}
