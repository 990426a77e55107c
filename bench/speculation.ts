// speculation: what speculation brings on this machine: spans of real code in, throughput over plain decoding out, for drafts of
// each fixed length, for lookups and for the controller; as it is, and under an emulated accelerator whose passes take a set
// time. Every way is run on a span before the next span; a text that differs from the plain one is looked into.
import { systemClock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { below, seeded } from "../lib/random.ts";
import { percentile } from "../sim/statistics.ts";
import { EmbeddedEngine, type Fixed } from "../workers/engine/embedded/embedded.ts";
import type { FimTokens, Generation, Segment } from "../workers/generation.ts";
import { epsilonLogits, gapWhereTheyPart, openPlain } from "./near-tie.ts";
import { heldOutSpans, type Span, shuffled } from "./spans.ts";

const fixedLengths = [1, 2, 3, 4, 6, 8] as const;
const chunkTokens = 64;
/** A completion takes some ms as it is, less than a busy machine's hiccup: the middle one of so many counts. */
const rawRepeats = 3;

interface Way {
  readonly name: string;
  readonly fixed?: Fixed;
}

const ways: readonly Way[] = [
  { name: "none", fixed: { source: "none", length: 0 } },
  ...fixedLengths.map((length) => ({ name: `model ${length}`, fixed: { source: "model", length } as const })),
  { name: "lookup", fixed: { source: "lookup", length: 8 } },
  { name: "auto" },
];

export interface SpeculationBenchOptions {
  readonly modelPath: string;
  readonly draftPath: string | undefined;
  /** A node_modules folder, and what of it was trained on. */
  readonly packages: string;
  readonly trained: ReadonlySet<string>;
  readonly spans: number;
  /** ms of a target pass; 0: as it is. */
  readonly paces: readonly number[];
  readonly maxTokens: number;
  readonly seed: number;
}

interface Deps {
  readonly log: Log;
  readonly progress: (text: string) => void;
  readonly signal: AbortSignal;
}

interface Run {
  readonly tokens: number;
  readonly ms: number;
  readonly drafted: number;
  readonly accepted: number;
  readonly text: string;
}

interface Ratios {
  readonly emulated: boolean;
  readonly spans: number;
  readonly auto_ratio: number;
  /** 95 % of resampled sets of spans. */
  readonly auto_ratio_interval: readonly [number, number];
  readonly best_fixed_k: number;
  readonly best_fixed_ratio: number;
  readonly auto_of_best_fixed: number;
  readonly lookup_ratio: number;
  readonly ratios: Readonly<Record<string, number>>;
  readonly plain_tokens_per_second: number;
  readonly auto_blocks: Readonly<Record<string, number>>;
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

interface Measured {
  readonly paceMs: number;
  /** One map a span: by way. */
  readonly runs: readonly ReadonlyMap<string, Run>[];
  readonly costs: { readonly verify: Readonly<Record<string, number>>; readonly draft: number };
  readonly autoBlocks: Readonly<Record<string, number>>;
  readonly perPosition: readonly number[];
}

export async function benchSpeculation(options: SpeculationBenchOptions, deps: Deps): Promise<SpeculationReport> {
  const measured: Measured[] = [];
  let spans: readonly Span[] = [];
  for (const paceMs of options.paces) {
    if (deps.signal.aborted) break;
    const engine = await EmbeddedEngine.start(
      { modelPath: options.modelPath, slots: 1, chunkTokens, confidenceTokens: 0, paceMs, ...draftOf(options) },
      { clock: systemClock, log: deps.log },
    );
    try {
      const model = engine.models[0];
      if (spans.length === 0) {
        // Three quarters of the context, most of it before the cursor.
        const chars = Math.floor(((model?.contextTokens ?? 512) - options.maxTokens) * (model?.bytesPerToken ?? 3) * 0.75);
        spans = heldOutSpans({
          folder: options.packages,
          trained: options.trained,
          spans: options.spans,
          seed: options.seed,
          prefixChars: Math.min(3_000, Math.floor(chars * 0.75)),
          suffixChars: Math.min(1_000, Math.floor(chars * 0.25)),
        });
      }
      measured.push(await measure(engine, paceMs, spans, options, deps));
    } finally {
      await engine.close();
    }
  }
  return report(spans, measured, options, deps);
}

function draftOf({ draftPath }: SpeculationBenchOptions) {
  return draftPath === undefined ? {} : { draftPath };
}

async function measure(
  engine: EmbeddedEngine,
  paceMs: number,
  spans: readonly Span[],
  options: SpeculationBenchOptions,
  { progress, signal }: Deps,
): Promise<Measured> {
  const random = seeded(options.seed + paceMs);
  const runs: Map<string, Run>[] = [];
  // One span unmeasured: it pays for code that is still cold.
  const [first] = spans;
  for (const way of first ? ways.filter(({ fixed }) => fixed) : []) await complete(engine, first as Span, way, options, signal);
  const before = { ...engine.speculation() };
  const auto: Record<string, number> = {};
  for (const [index, span] of spans.entries()) {
    const repeated = new Map<string, Run[]>();
    const order = Array.from({ length: paceMs === 0 ? rawRepeats : 1 }, () => shuffled(ways, random)).flat();
    for (const way of order) {
      const counted = { ...engine.speculation().sources };
      const run = await complete(engine, span, way, options, signal);
      if (run) repeated.set(way.name, [...(repeated.get(way.name) ?? []), run]);
      if (way.name === "auto")
        for (const [source, count] of Object.entries(engine.speculation().sources))
          auto[source] = (auto[source] ?? 0) + count - (counted[source as keyof typeof counted] ?? 0);
    }
    if (signal.aborted) break;
    runs.push(new Map([...repeated].map(([name, list]) => [name, middle(list)])));
    progress(`${paceMs === 0 ? "as it is" : `paced ${paceMs} ms (emulated)`}: ${index + 1} of ${spans.length} spans`);
  }
  const { costs, drafted, accepted } = engine.speculation();
  const perPosition = drafted.map((count, i) => {
    const of = count - (before.drafted[i] ?? 0);
    return of === 0 ? 0 : round(((accepted[i] ?? 0) - (before.accepted[i] ?? 0)) / of);
  });
  return { paceMs, runs, costs, autoBlocks: auto, perPosition };
}

function middle(list: readonly Run[]): Run {
  return [...list].sort((a, b) => a.ms - b.ms)[list.length >> 1] as Run;
}

async function complete(
  engine: EmbeddedEngine,
  span: Span,
  way: Way,
  options: SpeculationBenchOptions,
  signal: AbortSignal,
): Promise<Run | undefined> {
  const path = engine.generate(generation(span, way, engine.models[0]?.fim as FimTokens, options), signal, way.fixed);
  let text = "";
  for (let step = await path.next(); ; step = await path.next()) {
    if (!step.done) {
      text += step.value.text;
      continue;
    }
    const { kind, usage } = step.value;
    if (kind === "failed") throw step.value.error;
    // The first token is the prompt's; speculation begins with the second.
    return kind === "aborted"
      ? undefined
      : { tokens: usage.completionTokens - 1, ms: usage.decodeMs, drafted: usage.drafted, accepted: usage.draftAccepted, text };
  }
}

function segmentsOf(span: Span, fim: FimTokens): Segment[] {
  const [prefix, suffix] = [
    [{ special: fim.prefix }, { text: span.prefix }],
    [{ special: fim.suffix }, { text: span.suffix }],
  ];
  // Without a middle token the suffix stands first and the text goes on where the prefix ends.
  return fim.middle === "" ? [...suffix, ...prefix] : [...prefix, ...suffix, { special: fim.middle }];
}

let nextId = 0n;

function generation(span: Span, way: Way, fim: FimTokens, { maxTokens }: SpeculationBenchOptions): Generation {
  nextId += 1n;
  return {
    id: nextId,
    link: "bench",
    affinity: "",
    lane: "inline",
    model: "",
    segments: segmentsOf(span, fim),
    sampling: { maxTokens, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" },
    stopAtNewline: false,
    deadlineMs: Number.POSITIVE_INFINITY,
    receivedMs: 0,
    // Each run computes its own KV: what another left would be in other chunks.
    cacheSalt: `${way.name} ${nextId}`,
    blockDigests: new Uint8Array(),
    draftDepthHint: 0,
    traceparent: "",
  };
}

async function report(
  spans: readonly Span[],
  measured: readonly Measured[],
  options: SpeculationBenchOptions,
  deps: Deps,
): Promise<SpeculationReport> {
  const done = Math.max(0, ...measured.map(({ runs }) => runs.length));
  const { near_ties, differing } = await lookInto(spans, measured, options);
  const all = measured.flatMap(({ runs }) => runs);
  const raw = measured.find(({ paceMs }) => paceMs === 0);
  const [shown] = measured;
  const sums = (name: string) => summed(all, name);
  const named = (of: (name: string) => number) => Object.fromEntries(ways.slice(1).map(({ name }) => [name, round(of(name))]));
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
    interrupted: deps.signal.aborted,
  };
}

/** A span differs when some way, at some pace, gave another text and not by a tie. */
async function lookInto(spans: readonly Span[], measured: readonly Measured[], options: SpeculationBenchOptions) {
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
  const sum = { tokens: 0, ms: 0, drafted: 0, accepted: 0 };
  for (const byWay of runs) {
    const run = byWay.get(name);
    if (run) for (const key of ["tokens", "ms", "drafted", "accepted"] as const) sum[key] += run[key];
  }
  return sum;
}

function ratio(runs: readonly ReadonlyMap<string, Run>[], name: string): number {
  const [way, none] = [summed(runs, name), summed(runs, "none")];
  return way.tokens / way.ms / (none.tokens / none.ms);
}

const resamples = 1_000;

function ratios({ runs, paceMs, autoBlocks }: Measured, seed: number): Ratios {
  const random = seeded(seed);
  const resampled = Array.from({ length: resamples }, () =>
    ratio(
      runs.map(() => runs[below(random, runs.length)] as ReadonlyMap<string, Run>),
      "auto",
    ),
  );
  const fixed = [{ k: 0, ratio: 1 }, ...fixedLengths.map((k) => ({ k, ratio: ratio(runs, `model ${k}`) }))];
  const best = fixed.reduce((one, other) => (other.ratio > one.ratio ? other : one));
  const auto = ratio(runs, "auto");
  const none = summed(runs, "none");
  return {
    emulated: paceMs > 0,
    spans: runs.length,
    auto_ratio: round(auto),
    auto_ratio_interval: [round(percentile(resampled, 0.025)), round(percentile(resampled, 0.975))],
    best_fixed_k: best.k,
    best_fixed_ratio: round(best.ratio),
    auto_of_best_fixed: round(auto / best.ratio),
    lookup_ratio: round(ratio(runs, "lookup")),
    ratios: Object.fromEntries(ways.map(({ name }) => [name, round(ratio(runs, name))])),
    plain_tokens_per_second: Math.round((none.tokens / none.ms) * 1_000),
    auto_blocks: autoBlocks,
  };
}

function round(value: number): number {
  return Number.isFinite(value) ? Math.round(value * 1_000) / 1_000 : value;
}
