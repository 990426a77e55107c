// stops: how soon an engine is done with a generation that nobody wants: by a Cancel through the agent, and by closing a connection of
// one's own, in turn on the same engine; with nothing else to do, and with every seat taken and others waiting.
import { systemClock } from "../../lib/clock.ts";
import { quantile } from "../../lib/structures/quantiles.ts";
import { HttpEngine } from "../../workers/engine/http.ts";
import { readCounters } from "../../workers/engine/vllm/counters.ts";
import type { AgentEnd } from "./agent-end.ts";

/** By closing the connection, or by the request's id; and by a client of one's own that closes. */
export const stopWays = ["agent", "agent_by_id", "direct"] as const;
export type StopWay = (typeof stopWays)[number];

export interface StopRow {
  readonly engine: "idle" | "saturated";
  readonly by: StopWay;
  readonly stops: number;
  /** Until the engine's own count of requests is what it was before. */
  readonly back_ms: { readonly p50: number; readonly p99: number };
  /** From the Cancel's arrival at the agent until the engine is told. */
  readonly issued_ms: { readonly p50: number; readonly p99: number } | undefined;
  /** The same until the agent has closed its books of it, as it says in its CancelAck. */
  readonly abort_ms: { readonly p50: number; readonly p99: number } | undefined;
}

/** An agent whose engine is told to stop in one way. */
export interface StoppingAgent {
  readonly end: AgentEnd;
  /** When it last told the engine to stop, and what this process had had of the processor by then. */
  readonly told: () => { readonly ms: number; readonly cpuMs: number };
}

interface Options {
  readonly url: string;
  readonly model: string;
  readonly rounds: number;
  readonly seats: number;
  readonly signal?: AbortSignal;
}

/** This process's own code is compiled in the first ones. */
const warmRounds = 20;
const longTokens = 1_400;
/** Stops in each way while the same others run. */
const roundsOfAFill = 20;
/** How often the engine is asked for its counts: each question costs it a few milliseconds. */
const askEveryMs = 4;
const patienceMs = 20_000;

export async function benchStops(
  options: Options,
  deps: { agents: Readonly<Record<Exclude<StopWay, "direct">, StoppingAgent>> },
): Promise<StopRow[]> {
  const http = new HttpEngine({ url: options.url, connectionsMax: 64 }, { clock: systemClock });
  const stops = new Stops(options, { http, agents: deps.agents });
  try {
    await stops.measure("idle", 0, -warmRounds, options.rounds);
    const half = Math.ceil(options.rounds / 2);
    // What fills the seats ends after a while: it is begun anew before that.
    for (let round = 0; round < half && !options.signal?.aborted; round += roundsOfAFill) {
      const others = Array.from({ length: options.seats + 2 }, (_, index) =>
        direct(http, options.model, `// other ${round} ${index}\n`, 9),
      );
      const count = await settled(http, options.seats + 2);
      await stops.measure("saturated", count, round, Math.min(half, round + roundsOfAFill));
      for (const leave of others) leave();
      await reached(http, 0);
    }
    return stops.rows();
  } finally {
    http.close();
  }
}

interface Times {
  readonly back: number[];
  readonly issued: number[];
  readonly aborts: number[];
}

class Stops {
  readonly #options: Options;
  readonly #deps: { http: HttpEngine; agents: Readonly<Record<Exclude<StopWay, "direct">, StoppingAgent>> };
  readonly #times = new Map<string, Times>();

  constructor(options: Options, deps: { http: HttpEngine; agents: Readonly<Record<Exclude<StopWay, "direct">, StoppingAgent>> }) {
    this.#options = options;
    this.#deps = deps;
  }

  async measure(engine: StopRow["engine"], before: number, from: number, to: number): Promise<void> {
    for (let round = from; round < to && !this.#options.signal?.aborted; round++)
      // Turn about, so that a slow moment of the machine is everyone's.
      for (let turn = 0; turn < stopWays.length; turn++)
        await this.#one(engine, stopWays[(turn + round + warmRounds) % stopWays.length] as StopWay, before, round);
  }

  rows(): StopRow[] {
    return [...this.#times].map(([name, { back, issued, aborts }]) => {
      const [engine, by] = name.split(" ") as [StopRow["engine"], StopWay];
      const spreads = by === "direct" ? {} : { issued_ms: spread(issued), abort_ms: spread(aborts) };
      return { engine, by, stops: back.length, back_ms: spread(back), issued_ms: undefined, abort_ms: undefined, ...spreads };
    });
  }

  async #one(engine: StopRow["engine"], by: StopWay, before: number, round: number): Promise<void> {
    const { http, agents } = this.#deps;
    const times = this.#of(`${engine} ${by}`);
    const text = `// ${engine} ${by} ${round}\nconst a = `;
    let stop: () => void;
    let toldMs = () => Number.NaN;
    if (by === "direct") stop = direct(http, this.#options.model, text, 0);
    else {
      const { end, told } = agents[by];
      const segments = [{ part: { case: "text" as const, value: text } }];
      const { id, over } = end.ask({ segments, sampling: { maxTokens: longTokens }, cacheSalt: "s" });
      void over.then(({ how, abortMs }) => how === "cancelled" && round >= 0 && times.aborts.push(abortMs));
      stop = () => end.cancel(id);
      toldMs = () => told().ms;
    }
    if (!(await reached(http, before + 1))) return;
    const startedMs = systemClock.now();
    stop();
    if (!(await reached(http, before)) || round < 0) return;
    times.back.push(systemClock.now() - startedMs);
    if (by !== "direct") times.issued.push(toldMs() - startedMs);
  }

  #of(name: string): Times {
    const known = this.#times.get(name);
    if (known) return known;
    const fresh: Times = { back: [], issued: [], aborts: [] };
    this.#times.set(name, fresh);
    return fresh;
  }
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
