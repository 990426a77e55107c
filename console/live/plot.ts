// plot: one question, one plot: lines or a stack over the last minutes, from zero, with its unit; the legend is text, and tells the
// latest values, or those under the pointer.
import uPlot from "uplot";
import { h, setText } from "../dom.ts";

export interface Line {
  readonly name: string;
  /** A custom property of the sheet. */
  readonly colour: string;
  readonly dashed?: boolean;
}

export interface PlotOptions {
  readonly title: string;
  readonly about: string;
  readonly lines: readonly Line[];
  readonly stacked?: boolean;
  readonly value: (value: number) => string;
  /** The highest that the axis shows without being asked for more. */
  readonly atLeast: number;
  readonly atMost?: number;
  /** A line that is not to be crossed. */
  readonly target?: { readonly at: number; readonly name: string };
}

type Values = readonly (readonly (number | null)[])[];

const height = 170;
const colourOf = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Plot {
  readonly element: HTMLElement;
  readonly #options: PlotOptions;
  readonly #place = h("div", { class: "plot-place", "aria-hidden": "true" });
  readonly #values: readonly HTMLElement[];
  readonly #items: readonly HTMLElement[];
  readonly #note = h("span", { class: "soft" });
  readonly #plot: uPlot;
  readonly #observer: ResizeObserver;
  #times: readonly number[] = [];
  #lines: Values = [];

  constructor(options: PlotOptions) {
    this.#options = options;
    const { title, about, lines } = options;
    this.#values = lines.map(() => h("b", { class: "number" }, "–"));
    this.#items = lines.map(({ name, colour, dashed }, i) => {
      const swatch = h("span", { class: `swatch ${dashed ? "dashed" : ""}`, "aria-hidden": "true" });
      swatch.style.setProperty("--swatch", `var(${colour})`);
      return h("li", {}, swatch, name, this.#values[i]);
    });
    this.element = h(
      "figure",
      { class: "card plot" },
      h("figcaption", {}, h("h2", {}, title), this.#note, h("p", { class: "unseen" }, about)),
      this.#place,
      h("ul", { class: "legend" }, ...this.#items),
    );
    this.element.title = about;
    this.#plot = new uPlot(this.#shape(), [[], ...lines.map(() => [])], this.#place);
    this.#observer = new ResizeObserver(() => this.#fit());
    this.#observer.observe(this.#place);
  }

  /** `lines` in the order of the options. */
  set(times: readonly number[], lines: Values, note = ""): void {
    this.#times = times;
    this.#lines = lines;
    const drawn = this.#options.stacked ? stackedOf(lines) : lines;
    // From behind to the front: a stack's whole is drawn first.
    const ordered = this.#options.stacked ? [...drawn].reverse() : drawn;
    this.#plot.setData([times as number[], ...(ordered as (number | null)[][])]);
    setText(this.#note, note);
    // Of a long list only what there was of late.
    if (this.#options.stacked)
      for (const [i, item] of this.#items.entries()) item.hidden = !lines[i]?.some((value) => value !== null && value > 0);
    this.#tell(times.length - 1);
  }

  themed(): void {
    this.#plot.redraw(false);
  }

  close(): void {
    this.#observer.disconnect();
    this.#plot.destroy();
  }

  #tell(at: number): void {
    for (const [i, element] of this.#values.entries()) {
      const value = this.#lines[i]?.[at];
      setText(element, value === null || value === undefined ? "–" : this.#options.value(value));
    }
  }

  #fit(): void {
    const { clientWidth } = this.#place;
    if (clientWidth > 0) this.#plot.setSize({ width: clientWidth, height });
  }

  #shape(): uPlot.Options {
    const { lines, stacked = false, value, atLeast, atMost, target } = this.#options;
    const series = lines.map(
      ({ colour, dashed }): uPlot.Series => ({
        stroke: () => colourOf(colour),
        width: stacked ? 0 : 1.75,
        ...(dashed ? { dash: [4, 4] } : {}),
        ...(stacked ? { fill: () => colourOf(colour) } : {}),
        points: { show: false },
        spanGaps: false,
      }),
    );
    const axis = { stroke: () => colourOf("--soft"), font: "11px system-ui, sans-serif", ticks: { show: false } };
    return {
      width: 320,
      height,
      padding: [8, 4, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "live" }, drag: { x: false, y: false }, points: { show: !stacked, size: 6 } },
      scales: {
        x: { time: true },
        y: {
          range: (_, __, most) => [
            0,
            Math.min(atMost ?? Number.POSITIVE_INFINITY, Math.max(atLeast, (target?.at ?? 0) * 1.15, (most ?? 0) * 1.1)),
          ],
        },
      },
      series: [{}, ...(stacked ? [...series].reverse() : series)],
      axes: [
        { ...axis, size: 26, gap: 4, grid: { show: false }, space: 80, values: "{HH}:{mm}:{ss}" as unknown as uPlot.Axis.Values },
        {
          ...axis,
          size: 56,
          space: 36,
          grid: { stroke: () => colourOf("--line"), width: 1 },
          values: (_, splits) => splits.map((split) => value(split)),
        },
      ],
      hooks: {
        setCursor: [({ cursor: { idx } }) => this.#tell(idx ?? this.#times.length - 1)],
        ...(target ? { draw: [(plot) => drawTarget(plot, target)] } : {}),
      },
    };
  }
}

/** Each with all below it; a moment without any has none. */
function stackedOf(lines: Values): (number | null)[][] {
  const sums: (number | null)[] = [];
  return lines.map((line) =>
    line.map((value, i) => {
      sums[i] = value === null ? (sums[i] ?? null) : (sums[i] ?? 0) + value;
      return sums[i] ?? null;
    }),
  );
}

function drawTarget({ ctx, bbox, valToPos }: uPlot, { at, name }: { at: number; name: string }): void {
  const y = Math.round(valToPos(at, "y", true));
  ctx.save();
  ctx.strokeStyle = colourOf("--bad");
  ctx.fillStyle = colourOf("--bad");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  ctx.fillText(name, bbox.left + bbox.width, y - 4 * devicePixelRatio);
  ctx.restore();
}
