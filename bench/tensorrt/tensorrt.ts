// tensorrt: how soon a TensorRT-LLM stops what nobody wants any more, over its gRPC and over its HTTP: from a Cancel's arrival at the agent
// until the engine is told, until it has ended the generation, and what it computed meanwhile. Before the stand-in (sim/tensorrt), in
// this process, at the step times of a GPU profile: it shows what the wires cost, not what a GPU does.
import { systemClock } from "../../lib/clock.ts";
import { seeded } from "../../lib/random.ts";
import { quantile } from "../../lib/structures/quantiles.ts";
import { StandInGrpc } from "../../sim/tensorrt/grpc.ts";
import type { StandInModel } from "../../sim/tensorrt/model.ts";
import { StandInServe } from "../../sim/tensorrt/serve.ts";
import { standInFolder } from "../../sim/tensorrt/stand-in.ts";
import type { Engine } from "../../workers/engine/engine.ts";
import { type ProfileName, profile } from "../../workers/engine/simulated/profiles.ts";
import { startTensorRtGrpc } from "../../workers/engine/tensorrt/grpc/grpc.ts";
import { startTensorRt } from "../../workers/engine/tensorrt/tensorrt.ts";
import { agentDefaults, createAgent } from "../../workers/wire.ts";
import { AgentEnd } from "../vllm/agent-end.ts";

export { profileNames } from "../../workers/engine/simulated/profiles.ts";

export const tensorrtWires = ["grpc", "http"] as const;
export type TensorRtWireName = (typeof tensorrtWires)[number];

interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export interface StopRow {
  readonly wire: TensorRtWireName;
  readonly cancels: number;
  /** From the Cancel until the engine was told; from then it ends with the step that runs. */
  readonly told_ms: Spread;
  /** From the Cancel until the engine had ended it. */
  readonly ended_ms: Spread;
  /** Tokens computed after the Cancel, for nobody: mean of a cancel. */
  readonly wasted_tokens: number;
}

export interface TensorRtReport {
  readonly profile: ProfileName;
  readonly step_ms: number;
  /** Other generations in the engine the whole time. */
  readonly others: number;
  readonly stops: readonly StopRow[];
}

export interface TensorRtBench {
  readonly profile: ProfileName;
  readonly cancels: Readonly<Record<TensorRtWireName, number>>;
  readonly others: number;
  readonly signal?: AbortSignal;
  readonly progress?: (text: string) => void;
}

interface Stand {
  readonly engine: StandInModel;
  kill(): Promise<unknown>;
}

/** This process's own code is compiled in the first ones. */
const warmCancels: Readonly<Record<TensorRtWireName, number>> = { grpc: 50, http: 2 };
const longTokens = 900;
const contextTokens = 2_048;

export async function benchTensorRt(options: TensorRtBench): Promise<TensorRtReport> {
  const { s0Ms, s1Ms, prefillTokensPerSecond } = profile(options.profile, "mid");
  const pace = { s0Ms, s1Ms, prefillTokensPerSecond };
  const stops: StopRow[] = [];
  for (const wire of tensorrtWires) {
    if (options.cancels[wire] === 0 || options.signal?.aborted) continue;
    const stand = wire === "grpc" ? await StandInGrpc.start({ pace }) : await StandInServe.start({ pace });
    try {
      const engine = await started(wire, stand.url, options.others + 2);
      try {
        stops.push(await stopping(wire, stand, engine, options));
      } finally {
        await engine.close();
      }
    } finally {
      await stand.kill();
    }
  }
  return { profile: options.profile, step_ms: s0Ms + s1Ms * (options.others + 1), others: options.others, stops };
}

function started(wire: TensorRtWireName, url: string, slots: number): Promise<Engine> {
  const deps = { clock: systemClock, random: seeded(1) };
  const common = { url, model: "", slots, tokenizer: standInFolder, startMs: 30_000, confidence: false, contextTokens };
  return wire === "grpc" ? startTensorRtGrpc({ ...common, lane: "inline", oneTenant: true }, deps) : startTensorRt(common, deps);
}

async function stopping(
  wire: TensorRtWireName,
  { engine: model }: Stand,
  engine: Engine,
  { cancels, others, signal, progress }: TensorRtBench,
): Promise<StopRow> {
  const agent = createAgent(
    { ...agentDefaults, worker: "w", pool: "p", maxTokensMax: longTokens, stepBudgetMs: 0 },
    { clock: systemClock, random: seeded(2), engine },
  );
  const end = new AgentEnd({ model: engine.models[0]?.name ?? "" }, { agent });
  const ask = (text: string) =>
    end.ask({ segments: [{ part: { case: "text", value: text } }], sampling: { maxTokens: longTokens }, cacheSalt: "a" });
  const over = new AbortController();
  const beside = Array.from({ length: others }, (_, number) => other(`// other ${number}`, ask, end, over.signal));
  const rows: { readonly told: number; readonly ended: number; readonly wasted: number }[] = [];
  for (let turn = -warmCancels[wire]; turn < cancels[wire] && !signal?.aborted; turn++) {
    const { id, first, over: ended } = ask(`// ${wire} ${turn}\nconst a = `);
    await first;
    // As a frame from the wire comes: in a turn of the loop of its own.
    await systemClock.sleep(1);
    const before = { aborted: model.aborted, steps: model.iterations.count };
    const startedMs = systemClock.now();
    end.cancel(id);
    await ended;
    while (model.aborted === before.aborted && !signal?.aborted) await systemClock.sleep(1);
    const { toldMs, endedMs, step } = model.lastAbort;
    // A step gives a token to each; the one that ends it gives it none.
    const wasted = Math.max(0, step - before.steps - 1);
    if (turn >= 0) rows.push({ told: toldMs - startedMs, ended: endedMs - startedMs, wasted });
    if (turn >= 0) progress?.(`TensorRT-LLM over ${wire}: ${turn + 1} of ${cancels[wire]} cancels`);
  }
  over.abort();
  await Promise.all(beside);
  end.close();
  const spread = (of: (row: (typeof rows)[number]) => number): Spread => {
    const at = (part: number) => Math.round(100 * quantile(rows.map(of), part)) / 100;
    return { p50: at(0.5), p99: at(0.99), most: at(1) };
  };
  const mean = rows.reduce((sum, { wasted }) => sum + wasted, 0) / Math.max(1, rows.length);
  return {
    ...{ wire, cancels: rows.length, told_ms: spread(({ told }) => told), ended_ms: spread(({ ended }) => ended) },
    wasted_tokens: Math.round(10 * mean) / 10,
  };
}

/** Goes on the whole time: one that has ended is asked again. */
async function other(
  title: string,
  ask: (text: string) => ReturnType<AgentEnd["ask"]>,
  end: AgentEnd,
  over: AbortSignal,
): Promise<void> {
  for (let turn = 0; !over.aborted; turn++) {
    const { id, over: ended } = ask(`${title} ${turn}\n`);
    const stop = () => end.cancel(id);
    over.addEventListener("abort", stop, { once: true });
    await ended;
    over.removeEventListener("abort", stop);
  }
}
