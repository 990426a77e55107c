// waterfall: the steps of one trigger as bars on one line of time, the deadline drawn where it is. A table to who listens: room,
// when, how long, and what the room said.
import { h } from "../dom.ts";
import { rooms, time } from "../words.ts";
import type { Explanation, Step } from "./explanation.ts";

interface Row extends Step {
  readonly left: number;
  readonly width: number;
}

/** Shares of the whole; the deadline is on the line where it was near. */
export function rowsOf({ steps, total_ms, deadline_ms }: Pick<Explanation, "steps" | "total_ms" | "deadline_ms">): {
  readonly rows: readonly Row[];
  readonly deadline: number | undefined;
  readonly spanMs: number;
} {
  const near = deadline_ms > 0 && deadline_ms <= total_ms * 2;
  const spanMs = Math.max(total_ms, near ? deadline_ms : 0, ...steps.map(({ at_ms, took_ms }) => at_ms + took_ms), 0.01);
  const rows = steps.map((step) => ({ ...step, left: step.at_ms / spanMs, width: step.took_ms / spanMs }));
  return { rows, deadline: near ? deadline_ms / spanMs : undefined, spanMs };
}

export function waterfall(explanation: Explanation, { brief = false } = {}): HTMLElement {
  const { rows, deadline, spanMs } = rowsOf(explanation);
  const percent = (share: number) => `${(100 * share).toFixed(2)}%`;
  const line = ({ room, took_ms, at_ms, what, left, width }: Row) => {
    const track = h("span", { class: "track" });
    const bar = h("span", { class: `span ${took_ms > 0 ? "" : "moment"} room-${room}` });
    bar.style.left = percent(left);
    bar.style.width = percent(width);
    track.append(bar);
    if (deadline !== undefined) {
      const mark = h("span", { class: "mark-deadline" });
      mark.style.left = percent(deadline);
      track.append(mark);
    }
    const when = took_ms > 0 ? time(took_ms) : `at ${time(at_ms)}`;
    return h(
      "tr",
      { title: brief ? what : (rooms[room] ?? "") },
      h("th", { scope: "row" }, room),
      h("td", { class: "bar-cell" }, track),
      h("td", { class: "number" }, when),
      brief ? undefined : h("td", { class: "what" }, what),
    );
  };
  const shown = brief ? rows.filter(({ took_ms }) => took_ms >= spanMs / 200) : rows;
  return h(
    "table",
    { class: `waterfall ${brief ? "brief" : ""}` },
    h("caption", { class: "unseen" }, `Rooms of trigger ${explanation.trigger}, over ${time(spanMs)}`),
    h(
      "thead",
      { class: brief ? "unseen" : "" },
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "Room"),
        h("th", { scope: "col" }, `0 to ${time(spanMs)}`),
        h("th", { scope: "col" }, "Took"),
        brief ? undefined : h("th", { scope: "col" }, "What it said"),
      ),
    ),
    h("tbody", {}, ...(shown.length > 0 ? shown : rows.slice(-1)).map(line)),
  );
}
