// speculation: what speculation brings on this machine: spans of real code in, throughput over plain decoding out, for drafts of
// each fixed length, for lookups and for the controller; as it is, and under an emulated accelerator whose passes take a set
// time. Every way is run on a span before the next span, in an order of chance.
import { systemClock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { seeded } from "../lib/random.ts";
import { mean } from "../sim/statistics.ts";
import { EmbeddedEngine } from "../workers/engine/embedded/embedded.ts";
import type { FimTokens, Generation } from "../workers/generation.ts";
import { heldOutSpans, type Span, shuffled } from "./spans.ts";
import {
  chunkTokens,
  type Measured,
  type Run,
  report,
  round,
  type SpeculationReport,
  segmentsOf,
  type Way,
} from "./speculation-report.ts";

/** A completion takes some ms as it is, less than a busy machine's hiccup: the middle one of so many counts. */
const rawRepeats = 3;

export interface SpeculationBenchOptions {
  readonly modelPath: string;
  readonly draftPath: string | undefined;
  /** A node_modules folder, and what of it was trained on. */
  readonly packages: string;
  readonly trained: ReadonlySet<string>;
  readonly spans: number;
  /** What is measured, plain decoding among it. */
  readonly ways: readonly Way[];
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
  return report(spans, measured, { ...options, interrupted: deps.signal.aborted });
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
  for (const way of first ? options.ways.filter(({ fixed }) => fixed) : [])
    await complete(engine, first as Span, way, options, signal);
  const before = { ...engine.speculation() };
  const auto: Record<string, number> = {};
  for (const [index, span] of spans.entries()) {
    const repeated = new Map<string, Run[]>();
    const order = Array.from({ length: paceMs === 0 ? rawRepeats : 1 }, () => shuffled(options.ways, random)).flat();
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

/** Processor time is not the luck of one run: all count. */
function middle(list: readonly Run[]): Run {
  const run = [...list].sort((a, b) => a.ms - b.ms)[list.length >> 1] as Run;
  return { ...run, processorMs: mean(list.map(({ processorMs }) => processorMs)) };
}

async function complete(
  engine: EmbeddedEngine,
  span: Span,
  way: Way,
  options: SpeculationBenchOptions,
  signal: AbortSignal,
): Promise<Run | undefined> {
  const before = engine.speculation();
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
      : {
          tokens: usage.completionTokens - 1,
          ms: usage.decodeMs,
          drafted: usage.drafted,
          accepted: usage.draftAccepted,
          ...spentSince(before, engine.speculation()),
          text,
        };
  }
}

interface Spent {
  readonly passes: { readonly target: number; readonly draft: number };
  readonly processorMs: number;
}

function spentSince(before: Spent, after: Spent) {
  return {
    targetPasses: after.passes.target - before.passes.target,
    draftPasses: after.passes.draft - before.passes.draft,
    processorMs: after.processorMs - before.processorMs,
  };
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
