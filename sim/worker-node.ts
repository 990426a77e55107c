// worker-node: one worker of a simulated world: an agent, wired as the process wires it, in front of a pretend GPU.
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
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
  /** Default: "inline". */
  readonly pool?: string;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly oracle: (work: Generation) => string | undefined;
  /** All its connections break; nothing passes on them until `ms` have passed. */
  readonly cut?: () => void;
  readonly freeze?: (ms: number) => void;
  /** A planted bug of its engines. */
  readonly engineFault?: (engine: SimulatedEngine) => void;
}

/** One process of a worker, from its start to its death. */
interface Life {
  readonly agent: Agent;
  readonly supervised: SupervisedEngine;
  readonly recorded: RecordedMetrics<typeof workerMetricTable>;
  /** Replaced when it dies. */
  engine: SimulatedEngine;
}

export class WorkerNode {
  readonly name: string;
  readonly link: LinkHandler;
  readonly #options: WorkerNodeOptions;
  readonly #deps: Deps;
  readonly #random: Random;
  #life: Life;
  #draining: Disposable | undefined;
  #slow: Disposable | undefined;
  #frozen: Disposable | undefined;
  #dead = false;
  #earlierMs = 0;
  #closed = false;
  /** Engines that are down now. */
  #enginesDown = 0;
  /** Since when nothing has been wrong with it. */
  #calmSinceMs: number;

  private constructor(options: WorkerNodeOptions, deps: Deps, random: Random, life: Life) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    this.#random = random;
    this.#life = life;
    this.#calmSinceMs = deps.clock.now();
    this.#watch(life);
    this.link = async (stream) => {
      if (this.#dead) throw new SlipstreamError("unavailable", "nobody listens");
      await this.#life.agent.serve(stream);
    };
  }

  static async start(options: WorkerNodeOptions, deps: Deps): Promise<WorkerNode> {
    const random = fork(deps.random);
    return new WorkerNode(options, deps, random, await live(options, deps, random));
  }

  /** How long it has been well: alive, heard, neither draining nor slow. 0: it is not. */
  get calmMs(): number {
    const struck = this.#dead || this.#frozen || this.#draining || this.#slow || this.#enginesDown > 0;
    return struck ? 0 : this.#deps.clock.now() - this.#calmSinceMs;
  }

  /** Time that its pretend GPU computed, in all its lives. */
  get gpuMs(): number {
    return this.#earlierMs + this.#life.engine.busyMs;
  }

  crash(): void {
    if (!this.#dead) this.#life.engine.crash("a simulated death");
  }

  /** Hands its sessions over for a part of it, then takes nothing new, and takes work again when `ms` have passed. */
  drain(ms: number): void {
    if (this.#draining || this.#dead) return;
    const { agent } = this.#life;
    const draining = this.#deps.clock.timer(ms, () => {
      this.#draining = undefined;
      this.#calm();
      agent.resume();
    });
    this.#draining = draining;
    void agent.presence.handOver(ms / 4, ms).then(() => {
      if (this.#draining === draining) void agent.drain(ms / 4);
    });
  }

  /** As a pod that is replaced: hands over for `handOverMs`, ends what runs, and is gone; another one is there after `awayMs`. */
  async replace(handOverMs: number, graceMs: number, awayMs: number): Promise<void> {
    const { agent } = this.#life;
    await agent.presence.handOver(handOverMs, graceMs);
    await agent.drain(graceMs);
    this.die(awayMs);
  }

  slow(times: number, ms: number): void {
    if (this.#slow || this.#dead) return;
    this.#life.engine.slow(times);
    this.#slow = this.#deps.clock.timer(ms, () => {
      this.#slow = undefined;
      this.#calm();
      this.#life.engine.slow(1);
    });
  }

  freeze(ms: number): void {
    if (this.#frozen || this.#dead) return;
    this.#deps.freeze?.(ms);
    this.#frozen = this.#deps.clock.timer(ms, () => {
      this.#frozen = undefined;
      this.#calm();
    });
  }

  /** The process is killed with all it holds; another one, that holds nothing, listens when `ms` have passed. */
  die(ms: number): void {
    if (this.#dead || this.#closed) return;
    this.#dead = true;
    const { supervised } = this.#life;
    this.#deps.cut?.();
    this.#draining?.[Symbol.dispose]();
    this.#slow?.[Symbol.dispose]();
    this.#draining = this.#slow = undefined;
    const closing = supervised.close();
    this.#deps.clock.timer(ms, () => {
      void closing.then(async () => {
        if (this.#closed) return;
        this.#earlierMs += this.#life.engine.busyMs;
        this.#life = await live(this.#options, this.#deps, this.#random);
        this.#enginesDown = 0;
        this.#watch(this.#life);
        this.#dead = false;
        this.#calm();
      });
    });
  }

  unrest(): string[] {
    const { engine, recorded } = this.#life;
    const { running, kvBlocksUsed, prefillBacklogTokens } = engine.load();
    const found = recorded.unrest(["running", "waiting"]);
    if (running > 0) found.push(`${running} generations run in the engine`);
    if (kvBlocksUsed > 0) found.push(`${kvBlocksUsed} KV blocks are held`);
    if (prefillBacklogTokens > 0) found.push(`${prefillBacklogTokens} prompt tokens wait`);
    return found;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#life.agent.drain(1_000);
    await this.#life.supervised.close();
  }

  #calm(): void {
    this.#calmSinceMs = this.#deps.clock.now();
  }

  /** As the process does it: routers go elsewhere until the engine is back. */
  #watch(life: Life): void {
    life.supervised.watch({
      down: () => {
        if (life !== this.#life) return;
        this.#enginesDown += 1;
        void life.agent.drain(0);
      },
      up: () => {
        if (life !== this.#life) return;
        this.#enginesDown -= 1;
        this.#calm();
        life.agent.resume();
      },
    });
  }
}

async function live(options: WorkerNodeOptions, { clock, oracle, engineFault }: Deps, random: Random): Promise<Life> {
  const made: SimulatedEngine[] = [];
  const recorded = new RecordedMetrics(workerMetricTable);
  const start = async () => {
    const engine = new SimulatedEngine(options, { clock, random: fork(random), oracle });
    engineFault?.(engine);
    made.push(engine);
    if (life) life.engine = engine;
    return engine;
  };
  let life: Life | undefined;
  const supervised = await SupervisedEngine.start({ restartsMax: 1_000 }, { clock, start });
  const agent = createAgent(
    { ...agentDefaults, worker: options.name, pool: options.pool ?? "inline", ahead: options.ahead ?? 1 },
    { clock, random: fork(random), engine: supervised, log: silentLog, metrics: recorded.metrics },
  );
  life = { agent, supervised, recorded, engine: made[0] as SimulatedEngine };
  return life;
}
