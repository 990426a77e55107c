// worker-node: one worker of a simulated world: an agent, wired as the process wires it, in front of a pretend GPU.
import type { Clock } from "../lib/clock.ts";
import { silentLog } from "../lib/log.ts";
import { fork, type Random } from "../lib/random.ts";
import type { Agent } from "../workers/agent.ts";
import type { ProfileEnd, ProfileName } from "../workers/engine/simulated/profiles.ts";
import { SimulatedEngine } from "../workers/engine/simulated/simulated.ts";
import type { Generation } from "../workers/generation.ts";
import { agentDefaults, createAgent } from "../workers/main.ts";
import { workerMetricTable } from "../workers/metrics.ts";
import type { LinkHandler } from "./network.ts";
import { RecordedMetrics } from "./recorded-metrics.ts";

export interface WorkerNodeOptions {
  readonly name: string;
  readonly profile: ProfileName;
  readonly profileEnd: ProfileEnd;
  readonly slots: number;
  readonly seed: number;
  readonly agreement: number;
  readonly stall: { readonly probability: number; readonly ms: number };
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly oracle: (work: Generation) => string | undefined;
}

export class WorkerNode {
  readonly name: string;
  readonly link: LinkHandler;
  readonly #engine: SimulatedEngine;
  readonly #agent: Agent;
  readonly #recorded = new RecordedMetrics(workerMetricTable);

  constructor(options: WorkerNodeOptions, deps: Deps) {
    const { clock, oracle } = deps;
    this.name = options.name;
    this.#engine = new SimulatedEngine(options, { clock, random: fork(deps.random), oracle });
    this.#agent = createAgent(
      { ...agentDefaults, worker: options.name, pool: "inline" },
      { clock, random: fork(deps.random), engine: this.#engine, log: silentLog, metrics: this.#recorded.metrics },
    );
    this.link = (stream) => this.#agent.serve(stream);
  }

  unrest(): string[] {
    const { running, kvBlocksUsed, prefillBacklogTokens } = this.#engine.load();
    const found = this.#recorded.unrest(["running", "waiting"]);
    if (running > 0) found.push(`${running} generations run in the engine`);
    if (kvBlocksUsed > 0) found.push(`${kvBlocksUsed} KV blocks are held`);
    if (prefillBacklogTokens > 0) found.push(`${prefillBacklogTokens} prompt tokens wait`);
    return found;
  }

  async close(): Promise<void> {
    await this.#agent.drain(1_000);
    await this.#engine.close();
  }
}
