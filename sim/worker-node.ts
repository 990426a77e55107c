// worker-node: one worker of a simulated world: an agent, wired as the process wires it, in front of a pretend GPU.
import type { Clock } from "../lib/clock.ts";
import { silentLog } from "../lib/log.ts";
import { fork, type Random } from "../lib/random.ts";
import type { Agent } from "../workers/agent.ts";
import type { ProfileEnd, ProfileName } from "../workers/engine/simulated/profiles.ts";
import { SimulatedEngine } from "../workers/engine/simulated/simulated.ts";
import { SupervisedEngine } from "../workers/engine/supervised.ts";
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
  /** Generations that wait in the agent beyond those that run (default 1). */
  readonly ahead?: number;
  readonly kvBlocks?: number;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly oracle: (work: Generation) => string | undefined;
}

export class WorkerNode {
  readonly name: string;
  readonly link: LinkHandler;
  /** Replaced when it dies. */
  #engine: SimulatedEngine;
  readonly #supervised: SupervisedEngine;
  #draining: Disposable | undefined;
  readonly #clock: Clock;
  readonly #agent: Agent;
  readonly #recorded = new RecordedMetrics(workerMetricTable);

  private constructor(options: WorkerNodeOptions, deps: Deps, first: SimulatedEngine, supervised: SupervisedEngine) {
    const { clock } = deps;
    this.name = options.name;
    this.#clock = clock;
    this.#engine = first;
    this.#supervised = supervised;
    this.#agent = createAgent(
      { ...agentDefaults, worker: options.name, pool: "inline", ahead: options.ahead ?? 1 },
      { clock, random: fork(deps.random), engine: supervised, log: silentLog, metrics: this.#recorded.metrics },
    );
    this.link = (stream) => this.#agent.serve(stream);
    // As the process does it: routers go elsewhere until the engine is back.
    supervised.watch({
      down: () => void this.#agent.drain(0),
      up: () => this.#agent.resume(),
    });
  }

  static async start(options: WorkerNodeOptions, deps: Deps): Promise<WorkerNode> {
    const { clock, oracle } = deps;
    const random = fork(deps.random);
    const made: SimulatedEngine[] = [];
    const start = async () => {
      const engine = new SimulatedEngine(options, { clock, random: fork(random), oracle });
      made.push(engine);
      if (node) node.#engine = engine;
      return engine;
    };
    let node: WorkerNode | undefined;
    const supervised = await SupervisedEngine.start({ restartsMax: 1_000 }, { clock, start });
    node = new WorkerNode(options, deps, made[0] as SimulatedEngine, supervised);
    return node;
  }

  /** Time that its pretend GPU computed. */
  get gpuMs(): number {
    return this.#engine.busyMs;
  }

  crash(): void {
    this.#engine.crash("a simulated death");
  }

  /** Takes nothing new, and takes work again when `ms` have passed. */
  drain(ms: number): void {
    if (this.#draining) return;
    this.#draining = this.#clock.timer(ms, () => {
      this.#draining = undefined;
      this.#agent.resume();
    });
    void this.#agent.drain(ms / 2);
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
    await this.#supervised.close();
  }
}
