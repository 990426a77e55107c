// plot: series of points or bars in, an SVG drawing out. Axes begin at zero and say their units. Lines
// that would have more than `pointsMax` points are thinned to the largest of each stretch, so that no peak is lost.
import { escaped } from "./page.ts";

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

interface Axes {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly caption?: string;
  /** Horizontal lines with a name: limits. */
  readonly limits?: readonly { readonly name: string; readonly at: number }[];
}

const colours = ["#1f6feb", "#bc4c00", "#1a7f37", "#8250df", "#9a6700", "#cf222e", "#57606a"];
const [width, height, left, right, bottom, top] = [520, 250, 56, 18, 38, 14];
/** Names in a line of the key. */
const [keyNames, keyLine] = [5, 16];
const pointsMax = 600;

export function linesOf(axes: Axes, series: readonly Series[]): string {
  const drawn = series.map(({ name, points }) => ({ name, points: thinned(points) })).filter(({ points }) => points.length > 0);
  const all = drawn.flatMap(({ points }) => points);
  const most = {
    x: niceMax(Math.max(1e-9, ...all.map(([x]) => x))),
    y: niceMax(Math.max(...all.map(([, y]) => y), ...(axes.limits ?? []).map(({ at }) => at), 1e-9)),
  };
  const x = (value: number) => left + (value / most.x) * (width - left - right);
  const y = (value: number) => height - bottom - (value / most.y) * (height - bottom - top);
  const lines = drawn.map(
    ({ points }, i) =>
      `<polyline fill="none" stroke="${colours[i % colours.length]}" stroke-width="1.6" points="${points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(" ")}"/>`,
  );
  const limits = (axes.limits ?? []).map(
    ({ name, at }) =>
      `<line x1="${left}" x2="${width - right}" y1="${y(at).toFixed(1)}" y2="${y(at).toFixed(1)}" stroke="#cf222e" stroke-dasharray="5 4"/><text x="${width - 10}" y="${(y(at) - 4).toFixed(1)}" text-anchor="end" class="faint">${escaped(name)}</text>`,
  );
  return figure(
    axes,
    [grid(most, x, y), ...lines, ...limits].join(""),
    drawn.map(({ name }) => name),
  );
}

/** Bars of equal width, each with its label. */
export function barsOf(axes: Axes, bars: readonly (readonly [string, number])[]): string {
  const most = niceMax(Math.max(...bars.map(([, value]) => value), 1e-9));
  const step = (width - left - right) / Math.max(1, bars.length);
  const y = (value: number) => height - bottom - (value / most) * (height - bottom - top);
  const every = Math.ceil(bars.length / 14);
  const drawn = bars.map(([label, value], i) => {
    const at = left + i * step;
    const text =
      i % every === 0
        ? `<text x="${(at + step / 2).toFixed(1)}" y="${height - bottom + 14}" text-anchor="middle" class="faint" font-size="10">${escaped(label)}</text>`
        : "";
    return `<rect x="${(at + 1).toFixed(1)}" y="${y(value).toFixed(1)}" width="${Math.max(0.5, step - 2).toFixed(1)}" height="${(height - bottom - y(value)).toFixed(1)}" fill="${colours[0]}"><title>${escaped(label)}: ${value}</title></rect>${text}`;
  });
  return figure(axes, grid({ x: undefined, y: most }, () => 0, y) + drawn.join(""), []);
}

function figure({ title, x, y, caption }: Axes, inside: string, names: readonly string[]): string {
  const shown = names.length > 1 ? names : [];
  const lines = Math.ceil(shown.length / keyNames);
  const key = Array.from({ length: lines }, (_, line) => {
    const words = shown.slice(line * keyNames, (line + 1) * keyNames).map((name, nth) => {
      const colour = colours[(line * keyNames + nth) % colours.length];
      return `<tspan fill="${colour}">● </tspan><tspan>${escaped(name)}  </tspan>`;
    });
    return `<text x="${left}" y="${height + 14 + line * keyLine}">${words.join("")}</text>`;
  });
  const whole = height + 6 + lines * keyLine;
  return `<figure><svg viewBox="0 0 ${width} ${whole}" width="${width}" role="img"><title>${escaped(title)}</title>${inside}
<text x="${left}" y="${top - 3}" class="faint">${escaped(y)}</text><text x="${width - right}" y="${height - 4}" text-anchor="end" class="faint">${escaped(x)}</text>${key.join("")}</svg>
<figcaption><b>${escaped(title)}</b>${caption ? ` ${escaped(caption)}` : ""}</figcaption></figure>`;
}

function grid(most: { x: number | undefined; y: number }, x: (value: number) => number, y: (value: number) => number): string {
  const steps = [0, 0.25, 0.5, 0.75, 1];
  const across = steps.map((part) => {
    const at = y(part * most.y).toFixed(1);
    return `<line x1="${left}" x2="${width - right}" y1="${at}" y2="${at}" stroke="#d0d7de"/><text x="${left - 6}" y="${Number(at) + 4}" text-anchor="end" class="faint">${short(part * most.y)}</text>`;
  });
  const { x: mostX } = most;
  const along =
    mostX === undefined
      ? []
      : steps.map(
          (part) =>
            `<text x="${x(part * mostX).toFixed(1)}" y="${height - bottom + 15}" text-anchor="middle" class="faint">${short(part * mostX)}</text>`,
        );
  return [...across, ...along].join("");
}

/** Quarters of them are short numbers. */
const nice = [1, 1.2, 1.6, 2, 2.4, 2.8, 3.2, 4, 5, 6, 8, 10];

/** A nice number times a power of ten that is no less. */
function niceMax(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (nice.find((times) => times * power >= value) ?? 10);
}

const short = (value: number) =>
  value >= 10_000 ? `${Number((value / 1_000).toPrecision(3))}k` : String(Number(value.toPrecision(3)));

function thinned(points: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  if (points.length <= pointsMax) return points;
  const stretch = Math.ceil(points.length / pointsMax);
  return Array.from({ length: Math.ceil(points.length / stretch) }, (_, i) =>
    points.slice(i * stretch, (i + 1) * stretch).reduce((largest, point) => (point[1] > largest[1] ? point : largest)),
  );
}
