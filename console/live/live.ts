// live: what the router does now and did in the last minutes: the figures that matter as numbers, a plot for each question, and who
// works and asks as tables. Drawn anew once a second and while it is looked at alone; the history grows meanwhile.
import type { LiveFrame, LiveHead, LiveNow } from "../../lib/live.ts";
import { History, type Point, windowFrames } from "../../lib/live-history.ts";
import { h, setText } from "../dom.ts";
import type { View } from "../view.ts";
import { many, time } from "../words.ts";
import { plotsOf } from "./plots.ts";
import { Tables } from "./tables.ts";

/** A quarter of an hour. */
const pointsMax = 900;

export class Live implements View {
  readonly title = "Live";
  #head: LiveHead | undefined;
  #history: History | undefined;
  #now: LiveNow | undefined;
  #lost: string | undefined;
  #shown: Shown | undefined;

  /** A stream begins; after a restart of the router its counters do, too. */
  began(head: LiveHead, past: readonly LiveFrame[]): void {
    this.#lost = undefined;
    this.#head = head;
    this.#history ??= new History({ pointsMax, boundsMs: head.boundsMs });
    for (const frame of past) this.#history.add(frame);
    this.#draw();
  }

  said(frame: LiveFrame, now: LiveNow): void {
    this.#history?.add(frame);
    this.#now = now;
    this.#draw();
  }

  lost(why: string): void {
    this.#lost = why;
    this.#draw();
  }

  themed(): void {
    this.#shown?.themed();
  }

  show(root: HTMLElement): Disposable {
    const shown = new Shown(root);
    this.#shown = shown;
    this.#draw();
    return {
      [Symbol.dispose]: () => {
        this.#shown = undefined;
        shown.close();
      },
    };
  }

  #draw(): void {
    if (this.#head) this.#shown?.draw(this.#head, this.#history?.points ?? [], this.#now, this.#lost);
    else if (this.#lost !== undefined) this.#shown?.missing(this.#lost);
  }
}

class Shown {
  readonly #notice = h("p", { class: "notice", role: "status" }, "Waiting for the router's first figures.");
  readonly #figures = h("dl", { class: "figures" });
  readonly #numbers = new Map<string, { readonly value: HTMLElement; readonly note: HTMLElement }>();
  readonly #grid = h("div", { class: "plots" });
  readonly #tables = new Tables();
  #plots: ReturnType<typeof plotsOf> = [];

  constructor(root: HTMLElement) {
    root.append(
      h(
        "div",
        { class: "head" },
        h("h1", {}, "Live"),
        h("p", {}, `The last minutes; quantiles and shares over ${windowFrames} seconds.`),
      ),
      this.#notice,
      this.#figures,
      this.#grid,
      this.#tables.element,
    );
  }

  missing(why: string): void {
    this.#notice.hidden = false;
    setText(this.#notice, `No figures: ${why}. Trying again.`);
  }

  draw(head: LiveHead, points: readonly Point[], now: LiveNow | undefined, lost: string | undefined): void {
    if (this.#plots.length === 0) {
      this.#plots = plotsOf(head);
      this.#grid.replaceChildren(...this.#plots.map(({ plot }) => plot.element));
    }
    const notes = lost === undefined ? (now ? notesOf(now) : []) : [`Not connected: ${lost}. What is drawn ends there.`];
    this.#notice.hidden = notes.length === 0;
    setText(this.#notice, notes.join(" "));
    const times = points.map(({ at }) => at / 1_000);
    for (const { plot, lines, note } of this.#plots) plot.set(times, lines(points), note(points.at(-1)));
    const last = points.at(-1);
    if (last) this.#draw(head, last, now);
    if (now) this.#tables.draw(now);
  }

  themed(): void {
    for (const { plot } of this.#plots) plot.themed();
  }

  close(): void {
    for (const { plot } of this.#plots) plot.close();
  }

  #draw({ targetMs }: LiveHead, last: Point, now: LiveNow | undefined): void {
    const { p50, p95, p99, outcomes, queued, waitMs, reuse, computedPerKey } = last;
    const within = p95 !== null && p95 <= targetMs;
    const keys = Object.values(outcomes).reduce((sum, each) => sum + each, 0);
    const waiting = Object.values(queued).reduce((sum, each) => sum + each, 0);
    const ms = (value: number | null) => (value === null ? "–" : time(value));
    this.#number(
      "First text p95",
      ms(p95),
      p95 === null ? "no text of late" : `${within ? "within" : "over"} ${time(targetMs)}`,
      p95 === null ? "" : within ? "good" : "bad",
    );
    this.#number("p50", ms(p50), "half of them", "");
    this.#number("p99", ms(p99), "all but 1 %", "");
    this.#number("Triggers", keys >= 9.95 ? String(Math.round(keys)) : keys.toFixed(1), "ended a second", "");
    this.#number("Waiting", String(waiting), waitMs > 0 ? `${time(waitMs)} for the next` : "a worker is free", "");
    this.#number(
      "KV reuse",
      reuse === null ? "–" : `${Math.round(reuse * 100)} %`,
      computedPerKey === null ? "of prompt tokens" : `${computedPerKey.toFixed(computedPerKey < 10 ? 1 : 0)} computed a key`,
      "",
    );
    this.#number("Sessions", now ? now.sessions.toLocaleString("en") : "–", now ? many(now.workers.length, "worker") : "", "");
  }

  #number(name: string, value: string, note: string, mood: string): void {
    let held = this.#numbers.get(name);
    if (!held) {
      held = { value: h("dd", { class: "number" }), note: h("dd", { class: "soft" }) };
      this.#numbers.set(name, held);
      this.#figures.append(h("div", {}, h("dt", {}, name), held.value, held.note));
    }
    setText(held.value, value);
    setText(held.note, note);
    held.note.className = mood === "" ? "soft" : mood;
  }
}

/** What an operator must know besides the figures. */
function notesOf({ ready, missing, bus, policy, problems }: LiveNow): string[] {
  return [
    ...(ready ? [] : [`Waiting for ${missing.join(", ")}.`]),
    ...(bus.connected
      ? []
      : [`The bus is away${bus.outcomesWaiting > 0 ? `; ${many(bus.outcomesWaiting, "outcome")} wait for it` : ""}.`]),
    ...(policy.problem === undefined
      ? []
      : [`Policy version ${policy.version} holds; a newer one was refused: ${policy.problem}.`]),
    ...problems.map((problem) => `${problem}.`),
  ];
}
