// cost: what the agent adds to a generation: the same prompts asked of the engine by a plain client and through the agent, in turn, in
// one process: time to the first text, to the end, and processor time of this process.
import { processorMs, systemClock } from "../../lib/clock.ts";
import { quantile } from "../../lib/structures/quantiles.ts";
import { HttpEngine } from "../../workers/engine/http.ts";
import { ServerEvents } from "../../workers/engine/server-events.ts";
import type { AgentEnd } from "./agent-end.ts";

export interface CostReport {
  readonly pairs: number;
  readonly direct: Times;
  readonly agent: Times;
  /** Medians of the pairs' differences, and the 99th percentiles' difference. */
  readonly added_first_ms: { readonly p50: number; readonly p99: number };
  readonly added_cpu_ms: number;
}

interface Times {
  readonly first_ms: { readonly p50: number; readonly p99: number };
  readonly whole_ms: { readonly p50: number; readonly p99: number };
  readonly cpu_ms: number;
}

interface One {
  readonly firstMs: number;
  readonly wholeMs: number;
  readonly cpuMs: number;
}

const tokens = 16;
const prompts = 12;
/** Pairs before those that count: each prompt is computed once, and this process's own code compiled. */
const warmPairs = 60;

export async function benchCost(
  options: {
    readonly url: string;
    readonly model: string;
    readonly pairs: number;
    readonly text: string;
    readonly signal?: AbortSignal;
  },
  deps: { agent: AgentEnd },
): Promise<CostReport> {
  const http = new HttpEngine({ url: options.url, connectionsMax: 4 }, { clock: systemClock });
  const direct: One[] = [];
  const agent: One[] = [];
  try {
    for (let pair = 0; pair < options.pairs + warmPairs && !options.signal?.aborted; pair++) {
      const prompt = options.text.slice((pair % prompts) * 100, (pair % prompts) * 100 + 1_200);
      const both = pair % 2 === 0 ? [direct, agent] : [agent, direct];
      for (const list of both) {
        const one = list === direct ? await byClient(http, options.model, prompt) : await byAgent(deps.agent, prompt);
        if (pair >= warmPairs) list.push(one);
      }
    }
  } finally {
    http.close();
  }
  const [plain, through] = [times(direct), times(agent)];
  const added = direct.map((one, index) => (agent[index]?.firstMs ?? Number.NaN) - one.firstMs).filter((ms) => !Number.isNaN(ms));
  return {
    pairs: added.length,
    ...{ direct: plain, agent: through },
    added_first_ms: { p50: quantile(added, 0.5), p99: through.first_ms.p99 - plain.first_ms.p99 },
    added_cpu_ms: through.cpu_ms - plain.cpu_ms,
  };
}

function byClient(http: HttpEngine, model: string, prompt: string): Promise<One> {
  const [startedMs, cpu] = [systemClock.now(), processorMs()];
  let firstMs = 0;
  return new Promise((resolve, reject) => {
    const events = new ServerEvents(
      { bytesMax: 1 << 20 },
      {
        data: (data) => {
          if (data !== "[DONE]" && (JSON.parse(data) as { choices: unknown[] }).choices.length > 0) firstMs ||= systemClock.now();
        },
      },
    );
    const body = {
      ...{ model, prompt, max_tokens: tokens, temperature: 0, ignore_eos: true, cache_salt: "cost", stream: true },
      stream_options: { include_usage: true, continuous_usage_stats: true },
    };
    http.stream("/v1/completions", body, {
      chunk: (chunk) => events.push(chunk),
      end: (how) => {
        if (how !== undefined) reject(how instanceof Error ? how : new Error(`status ${how.status}`));
        else resolve({ firstMs: firstMs - startedMs, wholeMs: systemClock.now() - startedMs, cpuMs: processorMs() - cpu });
      },
    });
  });
}

async function byAgent(agent: AgentEnd, prompt: string): Promise<One> {
  const [startedMs, cpu] = [systemClock.now(), processorMs()];
  const { over } = agent.ask({
    segments: [{ part: { case: "text", value: prompt } }],
    sampling: { maxTokens: tokens },
    cacheSalt: "cost",
  });
  const { firstMs = Number.NaN, endMs, how, detail } = await over;
  if (how !== "done") throw new Error(`a generation was ${how} ${detail}`);
  return { firstMs: firstMs - startedMs, wholeMs: endMs - startedMs, cpuMs: processorMs() - cpu };
}

function times(list: readonly One[]): Times {
  const spread = (of: keyof One) => ({
    p50: quantile(
      list.map((one) => one[of]),
      0.5,
    ),
    p99: quantile(
      list.map((one) => one[of]),
      0.99,
    ),
  });
  return {
    first_ms: spread("firstMs"),
    whole_ms: spread("wholeMs"),
    cpu_ms: list.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / Math.max(1, list.length),
  };
}
