// stops: how soon an engine is done with a generation that nobody wants: by a Cancel through the agent, and by closing a connection of
// one's own, in turn on the same engine; with nothing else to do, and with every seat taken and others waiting.
import { systemClock } from "../../lib/clock.ts";
import { quantile } from "../../lib/structures/quantiles.ts";
import { HttpEngine } from "../../workers/engine/http.ts";
import { readCounters } from "../../workers/engine/vllm/counters.ts";
import type { AgentEnd } from "./agent-end.ts";

export interface StopRow {
  readonly engine: "idle" | "saturated";
  readonly by: "agent" | "direct";
  readonly stops: number;
  /** Until the engine's own count of requests is what it was before. */
  readonly back_ms: { readonly p50: number; readonly p99: number };
  /** The agent's own: from receipt of the Cancel until the connection is closed. */
  readonly abort_ms: { readonly p50: number; readonly p99: number } | undefined;
}

interface Options {
  readonly url: string;
  readonly model: string;
  readonly rounds: number;
  readonly seats: number;
  readonly signal?: AbortSignal;
}

/** This process's own code is compiled in the first ones. */
const warmRounds = 4;
const longTokens = 1_400;
/** How often the engine is asked for its counts: each question costs it a few milliseconds. */
const askEveryMs = 4;
const patienceMs = 20_000;

export async function benchStops(options: Options, deps: { agent: AgentEnd }): Promise<StopRow[]> {
  const http = new HttpEngine({ url: options.url, connectionsMax: 64 }, { clock: systemClock });
  try {
    const rows = await measured("idle", 0, options, http, deps.agent);
    const others = Array.from({ length: options.seats + 2 }, (_, index) => direct(http, options.model, `// other ${index}\n`, 9));
    const count = await settled(http, options.seats + 2);
    const saturated = await measured("saturated", count, { ...options, rounds: Math.ceil(options.rounds / 2) }, http, deps.agent);
    for (const leave of others) leave();
    return [...rows, ...saturated];
  } finally {
    http.close();
  }
}

async function measured(
  engine: StopRow["engine"],
  before: number,
  options: Options,
  http: HttpEngine,
  agent: AgentEnd,
): Promise<StopRow[]> {
  const back = { agent: [] as number[], direct: [] as number[] };
  const aborts: number[] = [];
  for (let round = -warmRounds; round < options.rounds && !options.signal?.aborted; round++) {
    // Turn about, so that a slow moment of the machine is both's.
    for (const by of round % 2 === 0 ? (["agent", "direct"] as const) : (["direct", "agent"] as const)) {
      const text = `// ${engine} ${by} ${round}\nconst a = `;
      let stop: () => void;
      if (by === "agent") {
        const { id, over } = agent.ask({
          segments: [{ part: { case: "text", value: text } }],
          sampling: { maxTokens: longTokens },
          cacheSalt: "s",
        });
        void over.then(({ how, abortMs }) => how === "cancelled" && round >= 0 && aborts.push(abortMs));
        stop = () => agent.cancel(id);
      } else stop = direct(http, options.model, text, 0);
      if (!(await reached(http, before + 1))) continue;
      const startedMs = systemClock.now();
      stop();
      if ((await reached(http, before)) && round >= 0) back[by].push(systemClock.now() - startedMs);
    }
  }
  return (["agent", "direct"] as const).map((by) => ({
    ...{ engine, by, stops: back[by].length, back_ms: spread(back[by]) },
    abort_ms: by === "agent" ? spread(aborts) : undefined,
  }));
}

function direct(http: HttpEngine, model: string, prompt: string, priority: number): () => void {
  const body = { model, prompt, max_tokens: longTokens, temperature: 0, ignore_eos: true, priority, cache_salt: "s", stream: true };
  return http.stream("/v1/completions", body, { chunk: () => {}, end: () => {} });
}

async function counted(http: HttpEngine): Promise<number> {
  const { running = 0, waiting = 0 } = readCounters((await http.ask("/metrics")).text);
  return running + waiting;
}

async function reached(http: HttpEngine, count: number): Promise<boolean> {
  for (const startedMs = systemClock.now(); systemClock.now() - startedMs < patienceMs; await systemClock.sleep(askEveryMs))
    if ((await counted(http)) === count) return true;
  return false;
}

/** The count that it comes to and keeps. */
async function settled(http: HttpEngine, wanted: number): Promise<number> {
  await reached(http, wanted);
  return counted(http);
}

function spread(values: readonly number[]): { p50: number; p99: number } {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99) };
}
