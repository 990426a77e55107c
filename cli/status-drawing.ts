// status-drawing: the console's live view as text: the same points as its plots, a line of bars each, then workers and tenants. Names
// come from the network: what would steer a terminal is left out of them.
import type { LiveHead, LiveNow, LiveTenant, LiveWorker } from "../lib/live.ts";
import type { Point } from "../lib/live-history.ts";

export interface Watched {
  readonly head: LiveHead;
  readonly points: readonly Point[];
  readonly now: LiveNow;
}

const levels = "▁▂▃▄▅▆▇█";
const barsMax = 60;
/** What stands before the bars. */
const wordsWide = 46;
const nameWide = 24;

/** Of the last values as many as fit, from nothing to the highest of them; a moment without one is a gap. */
export function spark(values: readonly (number | null)[], width: number): string {
  const shown = values.slice(-width);
  const most = Math.max(...shown.map((value) => value ?? 0), 0);
  return shown
    .map((value) =>
      value === null ? " " : levels[most === 0 ? 0 : Math.min(levels.length - 1, Math.floor((value / most) * levels.length))],
    )
    .join("");
}

/** One drawing, no wider and no higher than the terminal. */
export function drawn({ head, points, now }: Watched, { columns, rows }: { columns: number; rows: number }): string {
  const last = points.at(-1);
  if (!last) return "";
  const bars = Math.max(10, Math.min(barsMax, columns - wordsWide));
  const row = (name: string, value: string, of?: (point: Point) => number | null) =>
    `${name.padEnd(12)}${value.padEnd(wordsWide - 14)}${of ? `  ${spark(points.map(of), bars)}` : ""}`;
  const text = [
    ...standing(head, now),
    "",
    row("first text", `p50 ${ms(last.p50)}  p95 ${ms(last.p95)}  p99 ${ms(last.p99)}`, ({ p95 }) => p95),
    row("", last.p95 === null ? "" : `${last.p95 <= head.targetMs ? "within" : "OVER"} ${head.targetMs} ms`),
    row("triggers", `${count(rate(last))} a second`, rate),
    row(
      "",
      split(last.outcomes, (value) => `${count(value)}/s`),
    ),
    row("failed", `${count(wrong(last))} a second`, wrong),
    row("waiting", `${sum(last.queued)}, ${last.waitMs > 0 ? ms(last.waitMs) : "no wait"} for the next`, ({ queued }) =>
      sum(queued),
    ),
    row("", split(last.queued, count)),
    row("prompts", `${percent(last.reuse)} held by workers`, ({ reuse }) => reuse),
    row("", `${count(last.computedPerKey)} tokens computed a key`, ({ computedPerKey }) => computedPerKey),
    row("drafts", `${percent(last.accepted)} accepted`, ({ accepted }) => accepted),
    row(
      "engine time",
      last.spent === null ? "–" : `${percent(last.spent["shown"] ?? 0)} shown`,
      ({ spent }) => spent?.["shown"] ?? null,
    ),
    row("", split(last.spent ?? {}, percent)),
    "",
    ...now.workers.flatMap(workerLines),
    ...now.tenants.flatMap(tenantLines),
  ];
  const fits = text.length <= rows - 1 ? text : [...text.slice(0, Math.max(1, rows - 2)), `… ${text.length - rows + 2} lines more`];
  return `${fits.map((line) => [...plain(line)].slice(0, columns).join("").trimEnd()).join("\n")}\n`;
}

function standing({ router, version }: LiveHead, now: LiveNow): string[] {
  const state = now.ready ? "ready" : `waiting for ${now.missing.join(", ")}`;
  return [
    `${state} · router ${router} ${version} · up ${now.uptimeS} s · ${now.sessions} sessions${now.bus.connected ? "" : " · the bus is away"}`,
    ...now.problems.map((problem) => `PROBLEM ${problem}`),
  ];
}

function workerLines(worker: LiveWorker): string[] {
  const { name, slots, running, leases, prefillTokensPerSecond, stepMs, speculation, barred, draining } = worker;
  const right = speculation ? `${percent(speculation.acceptance)} of drafts right` : "";
  const state = barred ? "  left alone" : draining ? "  draining" : "";
  const positions = speculation?.positions.map(({ drafted, accepted }) => percent(drafted === 0 ? null : accepted / drafted)) ?? [];
  const more = [
    `reads ${Math.round(prefillTokensPerSecond)} tokens a second`,
    ...(speculation
      ? [
          speculation.sources.length > 0
            ? `drafts by ${speculation.sources.join(" and ")}`
            : speculation.why
              ? "no drafts"
              : "drafts fixed",
        ]
      : []),
    ...(speculation?.why ? [speculation.why.replaceAll("_", " ")] : []),
    ...(positions.length > 0 ? [`right by position ${positions.join(" ")}`] : []),
  ];
  return [
    `${name.padEnd(nameWide)} ${`${running}/${slots}`.padStart(6)} slots  ${String(leases).padStart(5)} leases  ${stepMs.toFixed(1).padStart(6)} ms a step  ${right}${state}`,
    `${"".padEnd(nameWide)} ${more.join(" · ")}`,
  ];
}

function tenantLines({ of, engineMs, tokens, shares: { shown = 0, ...other }, accepted }: LiveTenant): string[] {
  const rest = split({ accepted, ...other }, percent);
  return [
    `tenant ${of.padEnd(nameWide - 7)} ${(engineMs / 1_000).toFixed(1).padStart(8)} s of engines  ${String(tokens).padStart(8)} tokens  ${percent(shown)} shown`,
    ...(rest === "" ? [] : [`${"".padEnd(nameWide)} ${rest}`]),
  ];
}

/** Those that are not nothing, the most first. */
const split = (of: Readonly<Record<string, number>>, say: (value: number) => string) =>
  Object.entries(of)
    .filter(([, value]) => value > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${say(value)}`)
    .join(" · ");

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const plain = (line: string) => line.replace(/[\u0000-\u001f\u007f-\u009f]/g, "");
/** The first moment of a router has none before it. */
const rate = ({ outcomes }: Point) => (Object.keys(outcomes).length === 0 ? null : sum(outcomes));
const wrong = (point: Point) => {
  const { failed = 0, expired = 0, refused = 0 } = point.outcomes;
  return rate(point) === null ? null : failed + expired + refused;
};
const sum = (of: Readonly<Record<string, number>>) => Object.values(of).reduce((all, each) => all + each, 0);
const ms = (value: number | null) => (value === null ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`);
const count = (value: number | null) =>
  value === null ? "–" : value >= 9.95 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
const percent = (share: number | null) => (share === null ? "–" : `${Math.round(100 * share)} %`);
