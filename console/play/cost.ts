// cost: how the trigger of late ended, beside the editor: where its text came from, what was computed for it and the milliseconds of
// each room, or why there is none; and a strip with a bar for each key before it.
import { h, setText, svg } from "../dom.ts";
import type { Explanation } from "../traces/explanation.ts";
import { waterfall } from "../traces/waterfall.ts";
import { finishes, many, nameOf, outcomes, reasons, sources, time } from "../words.ts";
import { type Completion, type Nothing, wordOf } from "./messages.ts";

interface Ended {
  readonly outcome: string;
  readonly totalMs: number;
}

const barsMax = 48;
const barHeight = 34;
/** Where a bar is as high as the strip. */
const msMax = 1_000;

export class Cost {
  readonly element: HTMLElement;
  readonly #head = h("p", { class: "cost-head" });
  readonly #means = h("p", { class: "soft" });
  readonly #list = h("dl", { class: "facts" });
  readonly #rooms = h("div", { class: "cost-rooms" });
  readonly #strip = h("div", { class: "strip" });
  readonly #ended: Ended[] = [];

  constructor() {
    this.element = h(
      "aside",
      { class: "card cost", "aria-label": "What the last key cost" },
      h("h2", {}, "What the last key cost"),
      this.#head,
      this.#means,
      this.#list,
      this.#rooms,
      h("h3", {}, "The keys before it"),
      this.#strip,
    );
    setText(this.#means, "Type, and each key says here where its text came from, or why there is none.");
    this.#drawStrip();
  }

  show(answer: Completion | Nothing): void {
    const outcome = wordOf(answer.outcome, "OUTCOME_");
    const { timing = {}, cache = {} } = answer;
    this.#ended.push({ outcome, totalMs: timing.totalMs ?? 0 });
    if (this.#ended.length > barsMax) this.#ended.shift();
    this.#drawStrip();
    // What a newer key retired says nothing of the text that stands.
    if (outcome === "superseded") return;
    const reason = wordOf("reason" in answer ? answer.reason : undefined, "REASON_");
    const first = "items" in answer ? (timing.firstTextMs ?? 0) : (timing.totalMs ?? 0);
    this.#head.replaceChildren(
      h("span", { class: `badge ${outcome}` }, nameOf(outcome)),
      h("b", { class: "number" }, time(first)),
      h("span", { class: "soft" }, "items" in answer ? "to the first text" : "until it was known"),
    );
    setText(this.#means, reasons[reason] ?? outcomes[outcome]?.means ?? "");
    this.#list.replaceChildren(...facts(answer, cache).flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
    this.#rooms.replaceChildren();
  }

  /** What the router tells of it, when it tells. */
  explain(explanation: Explanation): void {
    this.#rooms.replaceChildren(
      waterfall(explanation, { brief: true }),
      h("p", {}, h("a", { href: `#/traces/${encodeURIComponent(explanation.trigger)}` }, "Its whole trace")),
    );
  }

  #drawStrip(): void {
    if (this.#ended.length === 0) {
      this.#strip.replaceChildren(h("p", { class: "soft" }, "None yet."));
      return;
    }
    const bars = this.#ended.map(({ outcome, totalMs }, i) => {
      const height = Math.max(2, (Math.log1p(totalMs) / Math.log1p(msMax)) * barHeight);
      const bar = { x: i * 6, y: barHeight - Math.min(barHeight, height), width: 4, height: Math.min(barHeight, height), rx: 1 };
      return svg("rect", { ...bar, class: `bar ${outcome}` }, svg("title", {}, `${nameOf(outcome)}, ${time(totalMs)}`));
    });
    const counts = new Map<string, number>();
    for (const { outcome } of this.#ended) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    const said = [...counts].sort((a, b) => b[1] - a[1]).map(([outcome, count]) => `${count} ${nameOf(outcome).toLowerCase()}`);
    this.#strip.replaceChildren(
      svg(
        "svg",
        { viewBox: `0 0 ${barsMax * 6} ${barHeight}`, role: "img", "aria-label": `The last ${many(this.#ended.length, "key")}` },
        ...bars,
      ),
      h("p", { class: "soft" }, said.join(" · ")),
    );
  }
}

function facts(answer: Completion | Nothing, cache: NonNullable<Completion["cache"]>): [string, string][] {
  const source = sources[wordOf(cache.source, "CACHE_SOURCE_")];
  const finish = "finish" in answer ? finishes[wordOf(answer.finish, "FINISH_")] : undefined;
  const { promptTokens = 0, recomputedTokens = 0, drafted = 0, draftAccepted = 0, completionTokens = 0 } = cache;
  const detail = "detail" in answer ? (answer.detail ?? "") : "";
  const rows: [string, string | undefined][] = [
    ["From", source],
    ["Prompt", promptTokens > 0 ? `${many(promptTokens, "token")}, ${recomputedTokens} computed` : undefined],
    ["Drafts", drafted > 0 ? `${drafted} guessed ahead, ${draftAccepted} right` : undefined],
    ["Text", completionTokens > 0 ? many(completionTokens, "token") : undefined],
    ["Ended by", finish],
    ["Worker", cache.worker || undefined],
    ["Because", detail || undefined],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== undefined);
}
