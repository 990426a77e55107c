// vllm: figures of a real vLLM behind the agent: how soon it stops, what the agent costs, what a key makes it compute, whether tenants
// are apart, and what a killed engine does to people. Starts its own engines, and ends them.
import { systemClock } from "../../lib/clock.ts";
import type { Env } from "../../lib/config.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { VllmEngine } from "../../workers/engine/vllm/vllm.ts";
import { agentDefaults, createAgent } from "../../workers/wire.ts";
import { longSources } from "../keys/sources.ts";
import { AgentEnd } from "./agent-end.ts";
import { benchCost, type CostReport } from "./cost.ts";
import { startFleet } from "./fleet.ts";
import { benchKilling, type KillReport } from "./killing.ts";
import { RealVllm } from "./real-vllm.ts";
import { benchStops, type StopRow } from "./stops.ts";
import { benchTyping, type TypingReport } from "./typing.ts";

export const vllmParts = ["stops", "cost", "tenants", "typing", "kill"] as const;
export type VllmPart = (typeof vllmParts)[number];

export interface VllmReport {
  readonly stops?: readonly StopRow[];
  readonly cost?: CostReport;
  /** Cached tokens of a prompt asked again by its own tenant, and by another. */
  readonly tenants?: { readonly prompt: number; readonly own: number; readonly other: number };
  readonly typing?: TypingReport;
  readonly kill?: KillReport;
}

export interface VllmBenchOptions {
  readonly python: string;
  readonly models: string;
  readonly parts: readonly VllmPart[];
  readonly rounds: number;
  readonly pairs: number;
  readonly sessions: number;
  readonly keys: number;
  readonly seconds: number;
  /** Of the engines' processes. */
  readonly env: Env;
}

interface Deps {
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

const seats = 8;
const blockTokens = 32;
/** Of a memory too small for the sessions: a prompt of the built-in model has some twenty blocks. */
const fewBlocks = 160;

export async function benchVllm(options: VllmBenchOptions, deps: Deps): Promise<VllmReport> {
  const { parts } = options;
  const text = (longSources()[0] as { text: string }).text;
  let report: VllmReport = {};
  if (parts.some((part) => part === "stops" || part === "cost" || part === "tenants"))
    report = { ...report, ...(await alone(options, text, deps)) };
  if (parts.includes("typing") && !deps.signal.aborted) report = { ...report, typing: await typing(options, deps) };
  if (parts.includes("kill") && !deps.signal.aborted) report = { ...report, kill: await killing(options, text, deps) };
  return report;
}

/** One engine, one agent in this process. */
async function alone(options: VllmBenchOptions, text: string, { say, signal }: Deps): Promise<VllmReport> {
  say("starting an engine");
  const real = await RealVllm.start({ ...options, seats, speculation: { method: "draft_model", model: "", tokens: 3 } });
  try {
    const about = { url: real.url, model: "", slots: seats, tokenizer: "", startMs: 60_000, confidence: false, ignoreEnd: true };
    const random = seeded(1);
    const engine = await VllmEngine.start(about, { clock: systemClock, random });
    const agent = new AgentEnd(
      { model: real.model },
      { agent: createAgent({ ...agentDefaults, worker: "w", pool: "p" }, { clock: systemClock, random, engine, log: silentLog }) },
    );
    const common = { url: real.url, model: real.model, text, signal };
    const { parts, rounds, pairs } = options;
    const report: { -readonly [K in keyof VllmReport]: VllmReport[K] } = {};
    if (parts.includes("cost")) {
      say("cost: pairs of generations");
      report.cost = await benchCost({ ...common, pairs }, { agent });
    }
    if (parts.includes("tenants")) report.tenants = await tenants(agent, text);
    if (parts.includes("stops")) {
      say("stops: by the agent and by a client of its own");
      report.stops = await benchStops({ ...common, rounds, seats }, { agent });
    }
    agent.close();
    await engine.close();
    return report;
  } finally {
    await real.process.stop();
  }
}

async function tenants(agent: AgentEnd, text: string): Promise<NonNullable<VllmReport["tenants"]>> {
  const ask = async (cacheSalt: string) => {
    const segments = [{ part: { case: "text" as const, value: text.slice(2_000, 3_500) } }];
    return (await agent.ask({ segments, sampling: { maxTokens: 2 }, cacheSalt }).over).usage;
  };
  const first = await ask("one");
  return {
    prompt: first?.promptTokens ?? 0,
    own: (await ask("one"))?.cachedTokens ?? 0,
    other: (await ask("two"))?.cachedTokens ?? 0,
  };
}

async function typing(options: VllmBenchOptions, { say, signal }: Deps): Promise<TypingReport> {
  say(`starting an engine with ${fewBlocks} KV blocks`);
  const real = await RealVllm.start({ ...options, seats, blocks: fewBlocks });
  const counted: [number, number][] = [];
  const about = { url: real.url, model: "", slots: seats, tokenizer: "", startMs: 60_000, confidence: false };
  const deps = {
    clock: systemClock,
    random: seeded(1),
    counted: (expected: number, cached: number) => void counted.push([expected, cached]),
  };
  try {
    const fleet = await startFleet([real.url], { startEngine: () => VllmEngine.start(about, deps) });
    counted.length = 0;
    const { sessions, keys } = options;
    try {
      return await benchTyping({ fleet, sessions, keys, blockTokens, counted, say, signal });
    } finally {
      await fleet.end();
    }
  } finally {
    await real.process.stop();
  }
}

async function killing(options: VllmBenchOptions, text: string, { say, signal }: Deps): Promise<KillReport> {
  say("starting two engines");
  const engines: RealVllm[] = [];
  try {
    // One after the other: at once on a small machine each waits for the other, and gives up.
    for (let index = 0; index < 2; index++) engines.push(await RealVllm.start({ ...options, seats }));
    const fleet = await startFleet(
      engines.map(({ url }) => url),
      { worker: { SLIPSTREAM_WORKER_SLOTS: String(seats) } },
    );
    say("two engines under load, one of them killed");
    const kill = async () => void (await engines[1]?.process.kill());
    try {
      return await benchKilling({ fleet, callers: 12, seconds: options.seconds, text, kill, signal });
    } finally {
      await fleet.end();
    }
  } finally {
    for (const engine of engines) await engine.process.stop();
  }
}
