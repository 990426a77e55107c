// vllm: figures of a real vLLM behind the agent: how soon it stops, what the agent costs, what a key makes it compute, whether tenants
// are apart, and what a killed engine does to people. Starts its own engines, and ends them.
import { systemClock } from "../../lib/clock.ts";
import type { Env } from "../../lib/config.ts";
import { seeded } from "../../lib/random.ts";
import { VllmEngine } from "../../workers/engine/vllm/vllm.ts";
import { longSources } from "../keys/sources.ts";
import { type AbortRow, benchAborts } from "./aborts.ts";
import type { AgentEnd } from "./agent-end.ts";
import { benchCost, type CostReport } from "./cost.ts";
import { benchFaults, type FaultsReport } from "./faults.ts";
import { startFleet } from "./fleet.ts";
import { benchKilling, type KillReport } from "./killing.ts";
import { modelName, RealVllm } from "./real-vllm.ts";
import { agentBefore } from "./stopping-agent.ts";
import { benchStops, type StopRow } from "./stops.ts";
import { benchTyping, type TypingReport } from "./typing.ts";

export const vllmParts = ["stops", "aborts", "cost", "tenants", "typing", "kill", "faults"] as const;
export type VllmPart = (typeof vllmParts)[number];

export interface VllmReport {
  readonly stops?: readonly StopRow[];
  readonly aborts?: readonly AbortRow[];
  readonly cost?: CostReport;
  /** Cached tokens of a prompt asked again by its own tenant, and by another. */
  readonly tenants?: { readonly prompt: number; readonly own: number; readonly other: number };
  readonly typing?: TypingReport & { readonly blocks: number; readonly evicted_blocks: number };
  readonly kill?: KillReport;
  readonly faults?: FaultsReport;
}

/** Those that one engine is enough for, and that leave it as it was. */
export const partsOfOne = ["stops", "aborts", "cost", "tenants"] as const satisfies readonly VllmPart[];

export interface VllmBenchOptions {
  readonly python: string;
  readonly models: string;
  /** Of an engine that runs already; undefined: each is started. */
  readonly url?: string;
  /** Generations that an engine runs at once. */
  readonly seats: number;
  readonly parts: readonly VllmPart[];
  readonly rounds: number;
  readonly pairs: number;
  readonly sessions: number;
  readonly keys: number;
  /** Of the engine's KV memory while people type. */
  readonly blocks: number;
  readonly seconds: number;
  readonly faults: number;
  readonly kills: number;
  /** Of the engines' processes. */
  readonly env: Env;
}

interface Deps {
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

const blockTokens = 32;

export async function benchVllm(options: VllmBenchOptions, deps: Deps): Promise<VllmReport> {
  const { parts } = options;
  const text = (longSources()[0] as { text: string }).text;
  let report: VllmReport = {};
  const ofOne: readonly VllmPart[] = partsOfOne;
  if (parts.some((part) => ofOne.includes(part))) report = { ...report, ...(await alone(options, text, deps)) };
  if (parts.includes("typing") && !deps.signal.aborted) report = { ...report, typing: await typing(options, deps) };
  if (parts.includes("kill") && !deps.signal.aborted) report = { ...report, kill: await killing(options, text, deps) };
  if (parts.includes("faults") && !deps.signal.aborted) {
    const { faults, kills } = options;
    const start = () => RealVllm.start(all(options));
    report = { ...report, faults: await benchFaults({ start, model: modelName, faults, kills, seed: 1, ...deps }) };
  }
  return report;
}

/** One engine, one agent in this process. */
async function alone(options: VllmBenchOptions, text: string, deps: Deps): Promise<VllmReport> {
  if (options.url !== undefined) return onOne({ url: options.url }, options, text, deps);
  deps.say("starting an engine");
  const real = await RealVllm.start({ ...all(options), speculation: { method: "draft_model", model: "", tokens: 3 } });
  try {
    return await onOne(real, options, text, deps);
  } finally {
    await real.process.stop();
  }
}

async function onOne(
  { url }: { readonly url: string },
  options: VllmBenchOptions,
  text: string,
  { say, signal }: Deps,
): Promise<VllmReport> {
  const { parts, rounds, pairs, seats } = options;
  const about = { url, model: "", slots: seats, tokenizer: "", startMs: 60_000, confidence: false, ignoreEnd: true };
  const ends = [await agentBefore(about), await agentBefore({ ...about, abortById: true })] as const;
  try {
    const [{ end: agent, model }] = ends;
    const common = { url, model, text, signal };
    const report: { -readonly [K in keyof VllmReport]: VllmReport[K] } = {};
    if (parts.includes("cost")) {
      say("cost: pairs of generations");
      report.cost = await benchCost({ ...common, pairs }, { agent });
    }
    if (parts.includes("tenants")) report.tenants = await tenants(agent, text);
    if (parts.includes("aborts")) {
      say("aborts: by the agent");
      report.aborts = await benchAborts({ cancels: 5 * rounds, others: seats - 1, text, signal }, { agent: ends[0] });
    }
    if (parts.includes("stops")) {
      say("stops: by the agent and by a client of its own");
      report.stops = await benchStops({ ...common, rounds, seats }, { agents: { agent: ends[0], agent_by_id: ends[1] } });
    }
    return report;
  } finally {
    for (const { close } of ends) await close();
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

async function typing(options: VllmBenchOptions, { say, signal }: Deps): Promise<NonNullable<VllmReport["typing"]>> {
  const { blocks, seats } = options;
  say(`starting an engine with ${blocks} KV blocks`);
  const real = await RealVllm.start(options);
  const counted: [number, number][] = [];
  const about = { url: real.url, model: "", slots: seats, tokenizer: "", startMs: 60_000, confidence: false };
  const deps = {
    clock: systemClock,
    random: seeded(1),
    counted: (expected: number, cached: number) => void counted.push([expected, cached]),
  };
  try {
    let engine: VllmEngine | undefined;
    const startEngine = async () => {
      engine = await VllmEngine.start(about, deps);
      return engine;
    };
    const fleet = await startFleet([real.url], { startEngine });
    counted.length = 0;
    const { sessions, keys } = options;
    try {
      const typed = await benchTyping({ fleet, sessions, keys, blockTokens, counted, say, signal });
      return { ...typed, blocks, evicted_blocks: engine?.evictedBlocks ?? 0 };
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
    for (let index = 0; index < 2; index++) engines.push(await RealVllm.start(all(options)));
    const fleet = await startFleet(
      engines.map(({ url }) => url),
      { worker: { SLIPSTREAM_WORKER_SLOTS: String(options.seats) } },
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

/** With as many KV blocks as fit. */
function all({ blocks: _, ...options }: VllmBenchOptions): Omit<VllmBenchOptions, "blocks"> {
  return options;
}
