// speculation-report: what each way took on each span in, ratios to plain decoding with their intervals out. A text that
// differs from the plain one is looked into: only a near tie lets it count as the same.
import { below, seeded } from "../lib/random.ts";
import { percentile } from "../sim/statistics.ts";
import type { Fixed } from "../workers/engine/embedded/embedded.ts";
import { draftShare } from "../workers/engine/embedded/pace.ts";
import type { FimTokens, Segment } from "../workers/generation.ts";
import { epsilonLogits, gapWhereTheyPart, openPlain } from "./near-tie.ts";
import type { Span } from "./spans.ts";

export const chunkTokens = 64;
const fixedLengths = [1, 2, 3, 4, 6, 8] as const;

export interface Way {
  readonly name: string;
  readonly fixed?: Fixed;
}

/** What all others are compared with. */
export const plainWay: Way = { name: "none", fixed: { source: "none", length: 0 } };

export const otherWays: readonly Way[] = [
  ...fixedLengths.map((length) => ({ name: `model ${length}`, fixed: { source: "model", length } as const })),
  { name: "lookup", fixed: { source: "lookup", length: 8 } },
  { name: "auto" },
];

export interface Run {
  readonly tokens: number;
  readonly ms: number;
  readonly drafted: number;
  readonly accepted: number;
  readonly targetPasses: number;
  readonly draftPasses: number;
  /** What the engine's process had of the processor; nothing that other processes do adds to it. */
  readonly processorMs: number;
  readonly text: string;
}

interface Compared {
  readonly auto_ratio: number;
  /** 95 % of resampled sets of spans. */
  readonly auto_ratio_interval: readonly [number, number];
  readonly best_fixed_k: number;
  readonly best_fixed_ratio: number;
  readonly auto_of_best_fixed: number;
  readonly lookup_ratio: number | undefined;
  readonly ratios: Readonly<Record<string, number>>;
}

interface Ratios extends Compared {
  readonly emulated: boolean;
  readonly spans: number;
  /** The same by what a busy machine does not change. */
  readonly steady: Steady;
  readonly plain_tokens_per_second: number;
  readonly auto_blocks: Readonly<Record<string, number>>;
}

/** Paced, from the passes counted, as if none had been late; as it is, from what the engine's process had of the processor. */
interface Steady extends Compared {
  readonly by: "passes" | "processor";
}

export interface SpeculationReport {
  readonly spans: number;
  readonly identical: number;
  readonly near_ties: readonly { place: string; way: string; pace_ms: number; top_two_gap: number; identical: boolean }[];
  readonly epsilon_logits: number;
  readonly acceptance: Readonly<Record<string, number>>;
  readonly acceptance_per_position: readonly number[];
  readonly tokens_per_block: Readonly<Record<string, number>>;
  readonly raw: Ratios | undefined;
  readonly paced: Readonly<Record<string, Ratios>>;
  readonly cost_table: { readonly verify_ms: Readonly<Record<string, number>>; readonly draft_ms: number };
  readonly packages: readonly string[];
  readonly interrupted: boolean;
}

export interface Measured {
  readonly paceMs: number;
  /** One map a span: by way. */
  readonly runs: readonly ReadonlyMap<string, Run>[];
  readonly costs: { readonly verify: Readonly<Record<string, number>>; readonly draft: number };
  readonly autoBlocks: Readonly<Record<string, number>>;
  readonly perPosition: readonly number[];
}

export function segmentsOf(span: Span, fim: FimTokens): Segment[] {
  const [prefix, suffix] = [
    [{ special: fim.prefix }, { text: span.prefix }],
    [{ special: fim.suffix }, { text: span.suffix }],
  ];
  // Without a middle token the suffix stands first and the text goes on where the prefix ends.
  return fim.middle === "" ? [...suffix, ...prefix] : [...prefix, ...suffix, { special: fim.middle }];
}

interface ReportOptions {
  readonly modelPath: string;
  readonly maxTokens: number;
  readonly seed: number;
  readonly interrupted: boolean;
}

export async function report(
  spans: readonly Span[],
  measured: readonly Measured[],
  options: ReportOptions,
): Promise<SpeculationReport> {
  const done = Math.max(0, ...measured.map(({ runs }) => runs.length));
  const { near_ties, differing } = await lookInto(spans, measured, options);
  const all = measured.flatMap(({ runs }) => runs);
  const raw = measured.find(({ paceMs }) => paceMs === 0);
  const [shown] = measured;
  const sums = (name: string) => summed(all, name);
  const ways = otherWays.filter(({ name }) => shown?.runs[0]?.has(name));
  const named = (of: (name: string) => number) => Object.fromEntries(ways.map(({ name }) => [name, round(of(name))]));
  return {
    spans: done,
    identical: done - differing,
    near_ties,
    epsilon_logits: epsilonLogits,
    acceptance: named((name) => sums(name).accepted / Math.max(1, sums(name).drafted)),
    acceptance_per_position: shown?.perPosition ?? [],
    tokens_per_block: named((name) => sums(name).tokens / Math.max(1, sums(name).tokens - sums(name).accepted)),
    raw: raw && raw.runs.length > 0 ? ratios(raw, options.seed) : undefined,
    paced: Object.fromEntries(
      measured
        .filter(({ paceMs, runs }) => paceMs > 0 && runs.length > 0)
        .map((one) => [String(one.paceMs), ratios(one, options.seed)]),
    ),
    cost_table: {
      verify_ms: Object.fromEntries(Object.entries(shown?.costs.verify ?? {}).map(([n, ms]) => [n, round(ms)])),
      draft_ms: round(shown?.costs.draft ?? 0),
    },
    packages: [...new Set(spans.slice(0, done).map((span) => span.package))].sort(),
    interrupted: options.interrupted,
  };
}

/** A span differs when some way, at some pace, gave another text and not by a tie. */
async function lookInto(spans: readonly Span[], measured: readonly Measured[], options: ReportOptions) {
  const near_ties: SpeculationReport["near_ties"][number][] = [];
  const differing = new Set<Span>();
  let plain: Awaited<ReturnType<typeof openPlain>> | undefined;
  for (const { paceMs, runs } of measured) {
    for (const [index, byWay] of runs.entries()) {
      const span = spans[index] as Span;
      for (const [way, { text }] of byWay) {
        if (text === byWay.get("none")?.text) continue;
        plain ??= await openPlain(options.modelPath, chunkTokens);
        const asked = { segments: segmentsOf(span, plain.model.fim), maxTokens: options.maxTokens, chunkTokens, other: text };
        const gap = (await gapWhereTheyPart(plain, asked)) ?? Number.POSITIVE_INFINITY;
        const tie = gap < epsilonLogits;
        if (!tie) differing.add(span);
        near_ties.push({ place: span.place, way, pace_ms: paceMs, top_two_gap: round(gap), identical: tie });
      }
    }
  }
  await plain?.dispose();
  return { near_ties, differing: differing.size };
}

function summed(runs: readonly ReadonlyMap<string, Run>[], name: string): Omit<Run, "text"> {
  const sum = { tokens: 0, ms: 0, drafted: 0, accepted: 0, targetPasses: 0, draftPasses: 0, processorMs: 0 };
  for (const byWay of runs) {
    const run = byWay.get(name);
    if (run)
      for (const key of ["tokens", "ms", "drafted", "accepted", "targetPasses", "draftPasses", "processorMs"] as const)
        sum[key] += run[key];
  }
  return sum;
}

function ratio(runs: readonly ReadonlyMap<string, Run>[], name: string): number {
  const [way, none] = [summed(runs, name), summed(runs, "none")];
  return way.tokens / way.ms / (none.tokens / none.ms);
}

/** Tokens a target pass, a draft pass counted by its share of one: plain decoding has one. */
function counted(runs: readonly ReadonlyMap<string, Run>[], name: string): number {
  const { tokens, targetPasses, draftPasses } = summed(runs, name);
  return tokens / (targetPasses + draftShare * draftPasses);
}

/** Tokens a millisecond of the processor, of plain decoding's. */
function byProcessor(runs: readonly ReadonlyMap<string, Run>[], name: string): number {
  const [way, none] = [summed(runs, name), summed(runs, "none")];
  return way.tokens / way.processorMs / (none.tokens / none.processorMs);
}

const resamples = 1_000;

type Measure = (runs: readonly ReadonlyMap<string, Run>[], name: string) => number;

function ratios({ runs, paceMs, autoBlocks }: Measured, seed: number): Ratios {
  const wall = compared(runs, ratio, seed);
  const none = summed(runs, "none");
  return {
    emulated: paceMs > 0,
    spans: runs.length,
    ...wall,
    steady: { by: paceMs > 0 ? "passes" : "processor", ...compared(runs, paceMs > 0 ? counted : byProcessor, seed) },
    plain_tokens_per_second: round((none.tokens / none.ms) * 1_000),
    auto_blocks: autoBlocks,
  };
}

function compared(runs: readonly ReadonlyMap<string, Run>[], of: Measure, seed: number) {
  const random = seeded(seed);
  const drawn = Array.from({ length: resamples }, () =>
    of(
      runs.map(() => runs[below(random, runs.length)] as ReadonlyMap<string, Run>),
      "auto",
    ),
  );
  const ratios = Object.fromEntries([...(runs[0]?.keys() ?? [])].map((name) => [name, of(runs, name)]));
  const fixed = [{ k: 0, ratio: 1 }, ...fixedLengths.map((k) => ({ k, ratio: ratios[`model ${k}`] ?? 0 }))];
  const best = fixed.reduce((one, other) => (other.ratio > one.ratio ? other : one));
  const auto = ratios["auto"] ?? 0;
  return {
    auto_ratio: round(auto),
    auto_ratio_interval: [round(percentile(drawn, 0.025)), round(percentile(drawn, 0.975))] as const,
    best_fixed_k: best.k,
    best_fixed_ratio: round(best.ratio),
    auto_of_best_fixed: round(auto / best.ratio),
    lookup_ratio: ratios["lookup"] === undefined ? undefined : round(ratios["lookup"]),
    ratios: Object.fromEntries(Object.entries(ratios).map(([name, one]) => [name, round(one)])),
  };
}

export function round(value: number): number {
  return Number.isFinite(value) ? Math.round(value * 1_000) / 1_000 : value;
}
