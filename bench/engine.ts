// engine: an engine in, how fast it reads prompts and writes text on this machine out, what reused KV saves, and how soon it
// stops when told to. Through the Engine interface, one generation at a time, speculation off.
import { systemClock } from "../lib/clock.ts";
import { percentile } from "../sim/statistics.ts";
import type { Engine } from "../workers/engine/engine.ts";
import type { Finished, Generation, Segment } from "../workers/generation.ts";
import { benchCancel, type Cancelled } from "./cancel.ts";

interface Spread {
  readonly p50: number;
  readonly p95: number;
}

export interface EngineReport {
  readonly engine: string;
  readonly model: string;
  readonly prefill_tokens_per_second: Spread;
  readonly decode_tokens_per_second: Spread;
  /** A prompt that nobody computed before, and the same with some letters more. */
  readonly kv_reuse: {
    readonly prompt_tokens: number;
    readonly cold: { readonly first_text_ms: Spread; readonly total_ms: Spread; readonly recomputed_tokens: number };
    readonly warm: { readonly first_text_ms: Spread; readonly total_ms: Spread; readonly recomputed_tokens: number };
  };
  readonly abort: readonly Cancelled[];
}

interface Taken {
  readonly firstTextMs: number;
  readonly totalMs: number;
  readonly end: Finished;
}

const clock = systemClock;
const completionTokens = 24;

export async function benchEngine(
  engine: Engine,
  options: { rounds: number; cancels: number; signal: AbortSignal; progress: (text: string) => void },
): Promise<EngineReport> {
  const { rounds, signal, progress } = options;
  const [cold, warm]: [Taken[], Taken[]] = [[], []];
  for (let round = 0; round < rounds && !signal.aborted; round++) {
    const typed = ["ret", "return"];
    const [before, after] = [
      await complete(engine, round, typed[0] as string, signal),
      await complete(engine, round, typed[1] as string, signal),
    ];
    if (before && after) [cold, warm].forEach((list, i) => void list.push(i === 0 ? before : after));
    progress(`prompts: ${round + 1} of ${rounds}`);
  }
  const spread = (taken: readonly Taken[], of: (one: Taken) => number): Spread => {
    const values = taken.map(of);
    return { p50: round2(percentile(values, 0.5)), p95: round2(percentile(values, 0.95)) };
  };
  const rate = (tokens: number, ms: number) => (ms > 0 ? (tokens / ms) * 1_000 : 0);
  const side = (taken: readonly Taken[]) => ({
    first_text_ms: spread(taken, (one) => one.firstTextMs),
    total_ms: spread(taken, (one) => one.totalMs),
    recomputed_tokens: round2(taken.reduce((sum, { end }) => sum + end.usage.recomputedTokens, 0) / Math.max(1, taken.length)),
  });
  return {
    engine: engine.name,
    model: engine.models[0]?.name ?? "",
    prefill_tokens_per_second: spread(cold, ({ end }) => rate(end.usage.recomputedTokens, end.usage.prefillMs)),
    decode_tokens_per_second: spread([...cold, ...warm], ({ end }) => rate(end.usage.completionTokens - 1, end.usage.decodeMs)),
    kv_reuse: { prompt_tokens: cold[0]?.end.usage.promptTokens ?? 0, cold: side(cold), warm: side(warm) },
    abort: await benchCancel(engine, { cancels: options.cancels, signal, progress }),
  };
}

async function complete(engine: Engine, round: number, typed: string, signal: AbortSignal): Promise<Taken | undefined> {
  const startedMs = clock.now();
  const path = engine.generate(generation(engine, round, typed), signal);
  let firstMs: number | undefined;
  for (;;) {
    const step = await path.next();
    if (!step.done) {
      firstMs ??= clock.now();
      continue;
    }
    if (step.value.kind === "failed") throw step.value.error;
    const endedMs = clock.now();
    return step.value.kind === "done"
      ? { firstTextMs: (firstMs ?? endedMs) - startedMs, totalMs: endedMs - startedMs, end: step.value }
      : undefined;
  }
}

/** Three quarters of the context, other names each round, so that a round's first prompt finds no KV. */
function generation(engine: Engine, round: number, typed: string): Generation {
  const model = engine.models[0];
  if (!model) throw new Error("the engine has no model");
  const chars = Math.floor(Math.min(model.contextTokens, 2_048) * model.bytesPerToken * 0.5);
  const line = (n: number) => `const value${round}x${n} = compute(${n}, "${round}");\n`;
  let text = "";
  for (let n = 0; text.length < chars; n++) text += line(n);
  const suffix = "\n}\n\nexport const done = true;\n";
  const segments: Segment[] = [];
  if (model.fim.suffix !== "") segments.push({ special: model.fim.suffix }, { text: suffix }, { special: model.fim.prefix });
  segments.push({ text: `${text}function last() {\n  ${typed}` });
  return {
    id: BigInt(round),
    link: "bench",
    affinity: `round ${round}`,
    lane: "inline",
    model: model.name,
    segments,
    sampling: {
      maxTokens: completionTokens,
      temperature: 0,
      topP: 1,
      topK: 0,
      seed: undefined,
      stop: [],
      speculation: "off",
    },
    stopAtNewline: false,
    deadlineMs: Number.POSITIVE_INFINITY,
    receivedMs: clock.now(),
    cacheSalt: `engine ${round}`,
    blockDigests: new Uint8Array(),
    draftDepthHint: 0,
    traceparent: "",
  };
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
