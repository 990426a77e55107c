// report: what k6 summed up and what was gathered second by second in; the JSON of a run, a table for a person and a page with plots
// out. The knee of a ramp, and what a long run changed, are read off the seconds.
import type { Histogram } from "../../lib/structures/histogram.ts";
import { pageOf, tableOf } from "../page/page.ts";
import { linesOf } from "../page/plot.ts";
import type { Gathered } from "./gathered.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

/** Of k6's end-of-run data: what is used here. */
export interface Summary {
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly state: { readonly testRunDurationMs: number };
}

interface Metric {
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

interface TierFigures {
  readonly triggers: number;
  readonly first_text_ms: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly answer_ms: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface K6Report {
  readonly scenario: Scenario;
  readonly target: string;
  readonly passed: boolean;
  readonly exit: number;
  readonly seconds: number;
  readonly triggers: number;
  readonly triggers_per_second: number;
  readonly late_ms_p99: number;
  readonly tiers: Readonly<Record<string, TierFigures>>;
  readonly limits: readonly {
    readonly metric: string;
    readonly limit: string;
    readonly ok: boolean;
    readonly values: Metric["values"];
  }[];
  /** The most triggers a second before the first text of a key grew past half again of what it was at the start. */
  readonly knee: { readonly triggers_per_second: number; readonly p95_ms: number } | null;
  /** Of a run of at least two minutes: its last quarter beside its first. */
  readonly drift: { readonly p95_ms: readonly [number, number]; readonly rss_mib: readonly [number, number] | null } | null;
  readonly series: {
    readonly triggers_per_second: readonly number[];
    /** null: no key of that second had text. */
    readonly first_text_ms: readonly ({ readonly p50: number; readonly p95: number } | null)[];
    readonly outcomes: readonly Readonly<Record<string, number>>[];
    readonly rss_mib: readonly (readonly [number, number])[];
  };
}

interface Found {
  readonly target: string;
  readonly exit: number;
  readonly summary: Summary;
  readonly gathered: Gathered;
  readonly rss: readonly (readonly [number, number])[];
}

const round = (value: number, digits = 1) => (Number.isFinite(value) ? Math.round(value * 10 ** digits) / 10 ** digits : 0);
const ms = (histogram: Histogram, share: number) => round(histogram.quantile(share) / 1_000);
const quantiles = (histogram: Histogram) => ({ p50: ms(histogram, 0.5), p95: ms(histogram, 0.95), p99: ms(histogram, 0.99) });
const kneeWindowS = 5;
/** As k6 ends. */
const limitCrossed = 99;
const driftSecondsMin = 120;
/**
 * Of a soak, its last quarter over its first. Times: half as long again is what a ramp calls the knee; memory: what a process keeps
 * of its first minutes (compiled code, caches up to their bounds) is a quarter, what leaks is more the longer it runs.
 */
const driftMax = { p95: 1.5, rss: 1.25 } as const;

export function reportOf({ scenario }: { readonly scenario: Scenario }, { target, exit, summary, gathered, rss }: Found): K6Report {
  const { metrics, state } = summary;
  const { seconds, tiers } = gathered;
  const triggers = seconds.reduce((sum, second) => sum + second.triggers, 0);
  const lasted = state.testRunDurationMs / 1_000;
  const quarter = Math.floor(seconds.length / 4);
  const p95Of = (from: number, to: number) => {
    const values = seconds.slice(from, to).map(({ firstText }) => firstText.quantile(0.95) / 1_000);
    const known = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
    return round(known[Math.floor(known.length / 2)] ?? Number.NaN);
  };
  const rssOf = (part: typeof rss) => round(part.reduce((sum, [, mib]) => sum + mib, 0) / Math.max(1, part.length));
  const rssQuarter = Math.floor(rss.length / 4);
  const drift: K6Report["drift"] =
    lasted < driftSecondsMin
      ? null
      : {
          p95_ms: [p95Of(0, quarter), p95Of(seconds.length - quarter, seconds.length)],
          rss_mib: rssQuarter === 0 ? null : [rssOf(rss.slice(0, rssQuarter)), rssOf(rss.slice(-rssQuarter))],
        };
  const drifts = scenario === "soak" ? driftLimits(drift) : [];
  const drifted = exit === 0 && drifts.some(({ ok }) => !ok);
  return {
    ...{
      scenario,
      target,
      exit: drifted ? limitCrossed : exit,
      passed: exit === 0 && !drifted,
      seconds: round(lasted),
      triggers,
      triggers_per_second: round(triggers / Math.max(1, lasted)),
    },
    late_ms_p99: round(metrics["slipstream_late_ms"]?.values["p(99)"] ?? Number.NaN),
    tiers: Object.fromEntries(
      [...tiers].map(([tier, { firstText, answer, outcomes }]) => [
        tier,
        { triggers: answer.count, first_text_ms: quantiles(firstText), answer_ms: quantiles(answer), outcomes },
      ]),
    ),
    limits: [
      ...Object.entries(metrics).flatMap(([metric, { values, thresholds = {} }]) =>
        Object.entries(thresholds).map(([limit, { ok }]) => ({ metric, limit, ok, values })),
      ),
      ...drifts,
    ],
    knee: scenario === "ramp" ? kneeOf(seconds) : null,
    drift,
    series: {
      triggers_per_second: seconds.map((second) => second.triggers),
      first_text_ms: seconds.map(({ firstText }) =>
        firstText.count === 0 ? null : { p50: ms(firstText, 0.5), p95: ms(firstText, 0.95) },
      ),
      outcomes: seconds.map(({ outcomes }) => outcomes),
      rss_mib: rss,
    },
  };
}

/** What k6 itself cannot judge: the last quarter beside the first. */
function driftLimits(drift: K6Report["drift"]): K6Report["limits"] {
  if (!drift) return [];
  const row = (metric: string, [first, last]: readonly [number, number], most: number) => {
    const ratio = round(last / Math.max(1, first), 3);
    return { metric, limit: `ratio<${most}`, ok: ratio < most, values: { ratio } };
  };
  const { p95_ms: p95, rss_mib: rss } = drift;
  return [
    row("last quarter over first, p95 of first text", p95, driftMax.p95),
    ...(rss ? [row("last quarter over first, memory", rss, driftMax.rss)] : []),
  ];
}

/** In windows of five seconds; the first is what is usual, unless it is a whole prompt's time. */
function kneeOf(seconds: Gathered["seconds"]): K6Report["knee"] {
  const windows = Array.from({ length: Math.floor(seconds.length / kneeWindowS) }, (_, nth) => {
    const part = seconds.slice(nth * kneeWindowS, (nth + 1) * kneeWindowS);
    const known = part.map(({ firstText }) => firstText.quantile(0.95) / 1_000).filter((value) => !Number.isNaN(value));
    const p95 = known.sort((a, b) => a - b)[Math.floor(known.length / 2)] ?? Number.NaN;
    return { rate: part.reduce((sum, { triggers }) => sum + triggers, 0) / kneeWindowS, p95 };
  });
  const early = windows.slice(0, Math.max(1, Math.floor(windows.length / 3))).map(({ p95 }) => p95);
  const usual = early.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)[Math.floor(early.length / 2)];
  if (usual === undefined) return null;
  let best: { rate: number; p95: number } | undefined;
  for (const window of windows) if (window.p95 <= 1.5 * usual && window.rate > (best?.rate ?? 0)) best = window;
  return best ? { triggers_per_second: round(best.rate), p95_ms: round(best.p95) } : null;
}

export function told(report: K6Report): string {
  const tiers = Object.entries(report.tiers).map(
    ([tier, { triggers, first_text_ms: first, answer_ms: answer, outcomes }]) =>
      `${tier.padEnd(11)} ${triggers} triggers, first text p50 ${first.p50} p95 ${first.p95} p99 ${first.p99} ms, answered p95 ${answer.p95} ms; ${Object.entries(
        outcomes,
      )
        .map(([name, count]) => `${name} ${count}`)
        .join(", ")}\n`,
  );
  const limits = report.limits.map(
    ({ metric, limit, ok, values }) => `  ${ok ? "✓" : "✗"} ${metric} ${limit} (${valueFor(limit, values)})\n`,
  );
  const { knee, drift } = report;
  return `${report.scenario}: ${scenarios[report.scenario]}
target      ${report.target}
${report.triggers} triggers in ${report.seconds} s (${report.triggers_per_second} a second); the generator was late by ${report.late_ms_p99} ms (p99)
${tiers.join("")}${knee ? `knee        ${knee.triggers_per_second} triggers a second (first text p95 ${knee.p95_ms} ms)\n` : ""}${drift ? `drift       first text p95 ${drift.p95_ms.join(" → ")} ms${drift.rss_mib ? `, router ${drift.rss_mib.join(" → ")} MiB` : ""} (first quarter → last)\n` : ""}limits
${limits.join("")}${report.passed ? "passed" : `FAILED (k6 ended with ${report.exit})`}
`;
}

function valueFor(limit: string, values: Metric["values"]): string {
  const name = /^[a-z]+(?:\(\d+\))?/.exec(limit)?.[0] ?? "";
  const value = values[name === "p(50)" ? "med" : name];
  return value === undefined ? "not measured" : String(Math.round(value * 1_000) / 1_000);
}

export function drawn(report: K6Report): string {
  const { series, tiers } = report;
  const at = <T>(values: readonly T[], of: (value: T) => number) =>
    values.map((value, second): [number, number] => [second, of(value)]);
  const known = <T>(values: readonly (T | null)[], of: (value: T) => number) =>
    values.flatMap((value, second): [number, number][] => (value === null ? [] : [[second, of(value)]]));
  const outcomes = [...new Set(series.outcomes.flatMap((each) => Object.keys(each)))];
  const limit = report.limits.find(({ metric, limit }) => metric.startsWith("slipstream_first_text_ms") && /p\(95\)/.test(limit));
  const limitMs = Number(/<(\d+)/.exec(limit?.limit ?? "")?.[1] ?? Number.NaN);
  return pageOf(`Load test: ${report.scenario}`, [
    `<p>${scenarios[report.scenario]}. Target: ${report.target}. ${report.triggers} triggers in ${report.seconds} s. <span class="${report.passed ? "yes" : "no"}">${report.passed ? "All limits held." : `Failed: k6 ended with ${report.exit}.`}</span></p>`,
    "<p>Open loop: sessions begin at their rate and keys fall when they are due, whatever became of those before; times run from when a trigger was due.</p>",
    '<div class="plots">',
    linesOf(
      {
        title: "First text of a key",
        x: "seconds",
        y: "ms",
        caption: "Of each second in which a key had text.",
        ...(limitMs > 0 ? { limits: [{ name: `limit of p95: ${limitMs} ms`, at: limitMs }] } : {}),
      },
      [
        { name: "p50", points: known(series.first_text_ms, ({ p50 }) => p50) },
        { name: "p95", points: known(series.first_text_ms, ({ p95 }) => p95) },
      ],
    ),
    linesOf({ title: "Triggers", x: "seconds", y: "a second" }, [
      { name: "triggers", points: at(series.triggers_per_second, (value) => value) },
    ]),
    linesOf(
      { title: "How they ended", x: "seconds", y: "a second" },
      outcomes.map((name) => ({ name, points: at(series.outcomes, (each) => each[name] ?? 0) })),
    ),
    series.rss_mib.length > 1
      ? linesOf({ title: "Memory of the router's process", x: "seconds", y: "MiB" }, [{ name: "resident", points: series.rss_mib }])
      : "",
    "</div>",
    "<h2>Tiers</h2>",
    tableOf([
      ["tier", "triggers", "first text p50", "p95", "p99 ms", "answered p95 ms", "outcomes"],
      ...Object.entries(tiers).map(([tier, { triggers, first_text_ms: first, answer_ms: answer, outcomes: ended }]) => [
        ...[tier, triggers, first.p50, first.p95, first.p99, answer.p95],
        Object.entries(ended)
          .map(([name, count]) => `${name} ${count}`)
          .join(", "),
      ]),
    ]),
    "<h2>Limits</h2>",
    tableOf([
      ["metric", "limit", "measured", "held"],
      ...report.limits.map(({ metric, limit: each, ok, values }) => [metric, each, valueFor(each, values), ok ? "yes" : "NO"]),
    ]),
  ]);
}
