// guard: `slipstream bench guard`: short runs of the whole system under the virtual clock, seed by seed, against what an earlier tree
// gave for the same seeds (expected.json). What is counted does not depend on the machine, so only a change of the code moves it;
// processor time is taken against a fixed piece of work in the same process. Fails what is worse beyond its bound and beyond noise.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processorMs } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { packageRoot } from "../../lib/package-root.ts";
import type { Source } from "../../sim/trace/generate.ts";
import { type Figures, figuresOf } from "../keys/measure.ts";
import { type Ablation, ablations, allOn } from "../keys/switches.ts";
import { VirtualStand } from "../keys/virtual-stand.ts";
import { calibrated } from "./calibration.ts";
import { type Bound, judge, type Verdict } from "./judge.ts";
import { type Sizing, sized, sizing } from "./sizing.ts";

/** Of each figure: what it is, and how much worse it may be. */
const guarded = {
  tokens_per_trigger: { of: ({ figures }: Run) => figures.tokens_per_trigger, better: "less", worseMax: 0.25, floor: 1 },
  recomputed_tokens_per_key: {
    of: ({ figures }: Run) => figures.recomputed_tokens_per_key.mean,
    better: "less",
    worseMax: 0.35,
    floor: 3,
  },
  waste_share: { of: ({ figures }: Run) => figures.waste_share, better: "less", worseMax: 0.5, floor: 0.1 },
  first_text_p95_ms: { of: ({ figures }: Run) => figures.first_text_ms.p95, better: "less", worseMax: 0.25, floor: 20 },
  answered_share: { of: ({ figures }: Run) => figures.answered_share, better: "more", worseMax: 0.1, floor: 0.01 },
  fresh_share: { of: ({ figures }: Run) => figures.fresh_share, better: "more", worseMax: 0.12, floor: 0.01 },
  without_generation_share: {
    of: ({ figures }: Run) => figures.answered_without_generation_share,
    ...{ better: "more", worseMax: 0.25, floor: 0.01 },
  },
  violations: { of: ({ figures }: Run) => figures.violations, better: "less", worseMax: 0, floor: 0.001, exact: true },
  // Of router, workers' agents, pretend GPUs and typists together. Machines differ in more than speed: the bound is wide.
  processor_per_trigger: { of: ({ processor }: Run) => processor, better: "less", worseMax: 0.6, floor: 0.001 },
  // Of the operator's sizing of a pool, on a few days of bench scale.
  scale_windows_missed: { of: ({ scale }: Run) => scale.missed, better: "less", worseMax: 0.3, floor: 0.004 },
  scale_oracle_ratio: { of: ({ scale }: Run) => scale.oracleRatio, better: "less", worseMax: 0.04, floor: 1 },
  scale_processor_per_day: { of: ({ scale }: Run) => scale.processor, better: "less", worseMax: 0.6, floor: 0.001 },
} as const satisfies Record<string, Bound & { readonly of: (run: Run) => number }>;

type Guarded = keyof typeof guarded;
const names = Object.keys(guarded) as Guarded[];

/** Small enough that all of it takes a minute; the load is where queues begin. */
const crowd = { people: 50, warmMs: 8_000, measureMs: 12_000 } as const;
const stand = { profile: "l40s-7b-eagle3", profileEnd: "mid", workers: 2, slots: 4, agreement: 0.3 } as const;
export const seedsMax = 8;

interface Run {
  readonly figures: Figures;
  /** Processor time of a trigger, in calibrations. */
  readonly processor: number;
  readonly scale: Sizing;
}

interface Expected {
  readonly crowd: typeof crowd;
  readonly stand: typeof stand;
  readonly sizing: typeof sizing;
  /** By figure, one number a seed from seed 1 on. */
  readonly figures: Readonly<Record<string, readonly number[]>>;
}

export interface GuardReport {
  readonly seeds: number;
  readonly rows: readonly ({
    readonly name: Guarded;
    readonly now: number;
    readonly before: number;
    readonly worseMax: number;
  } & Verdict)[];
  readonly worse: number;
}

export interface GuardOptions {
  readonly seeds: number;
  /** One mechanism off, to see the guard fail. */
  readonly ablation: Ablation | undefined;
  readonly update: boolean;
}

interface Deps {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

const folder = () => join(packageRoot(), "bench", "guard");

export async function benchGuard({ seeds, ablation, update }: GuardOptions, { say, signal }: Deps): Promise<GuardReport> {
  const sources = typedHere();
  const expected = update ? undefined : expectedHere();
  const runs: Run[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    runs.push(await ran(seed, sources, ablation, signal));
    say(`seed ${seed} of ${seeds}: ${names.map((name) => `${name} ${short(guarded[name].of(runs.at(-1) as Run))}`).join(", ")}`);
  }
  const figures = Object.fromEntries(names.map((name) => [name, runs.map((run) => round(guarded[name].of(run)))]));
  if (update) writeFileSync(join(folder(), "expected.json"), formatted({ crowd, stand, sizing, figures }));
  const before = expected?.figures ?? figures;
  const rows = names.map((name) => {
    const [mine, theirs] = [figures[name] ?? [], (before[name] ?? []).slice(0, seeds)];
    return { name, now: mean(mine), before: mean(theirs), worseMax: guarded[name].worseMax, ...judge(mine, theirs, guarded[name]) };
  });
  return { seeds, rows, worse: rows.filter(({ worse }) => worse).length };
}

async function ran(seed: number, sources: readonly Source[], ablation: Ablation | undefined, signal: AbortSignal): Promise<Run> {
  const switches = ablation === undefined ? allOn : { ...allOn, ...ablations[ablation] };
  const typing = await VirtualStand.start({ ...stand, seed, switches, sources });
  try {
    typing.crowd(crowd.people);
    await typing.pass(crowd.warmMs, signal);
    await typing.take();
    const before = calibrated();
    const sinceMs = processorMs();
    await typing.pass(crowd.measureMs, signal);
    const tookMs = processorMs() - sinceMs;
    const after = calibrated();
    const figures = figuresOf(await typing.take(), crowd.people, typing.violations);
    const processor = tookMs / Math.max(1, figures.triggers) / ((before + after) / 2);
    return { figures, processor, scale: await sized(seed, signal) };
  } finally {
    await typing.end();
  }
}

/** Texts that stay as they are, whatever becomes of this package's own. */
function typedHere(): Source[] {
  const from = join(folder(), "sources");
  try {
    return readdirSync(from)
      .sort()
      .map((name) => ({ path: name.replace(/txt$/, "ts"), language: "typescript", text: readFileSync(join(from, name), "utf8") }));
  } catch (thrown) {
    throw new SlipstreamError("not_found", "bench guard runs in a checkout of the sources alone", { cause: thrown });
  }
}

function expectedHere(): Expected {
  const expected = JSON.parse(readFileSync(join(folder(), "expected.json"), "utf8")) as Expected;
  const runs = ({ crowd, stand, sizing }: Omit<Expected, "figures">) => JSON.stringify([crowd, stand, sizing]);
  if (runs(expected) !== runs({ crowd, stand, sizing }))
    throw new SlipstreamError("config", "bench/guard/expected.json is of other runs: make it anew with --update");
  return expected;
}

/** As the formatter of this repository has it: a figure a line. */
const formatted = (expected: Expected) =>
  `${JSON.stringify(expected, null, 2).replace(/\[\s+([^\]]*?)\s+\]/g, (_, inner: string) => `[${inner.replace(/\s+/g, " ")}]`)}\n`;

const mean = (values: readonly number[]) => round(values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length));
const round = (value: number) => Math.round(value * 1e5) / 1e5;
const short = (value: number) => String(Number(value.toPrecision(3)));
