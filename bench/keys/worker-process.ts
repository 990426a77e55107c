// worker-process: one worker of this bench: the agent as shipped, over gRPC, in front of a pretend GPU that knows a share of
// what will be typed. Counts what its engine did with every generation, cancelled ones included. Holds the counts of one
// window at a time.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { seeded } from "../../lib/random.ts";
import { readWorkerConfig } from "../../workers/config.ts";
import type { Engine } from "../../workers/engine/engine.ts";
import type { ProfileEnd, ProfileName } from "../../workers/engine/simulated/profiles.ts";
import { SimulatedEngine } from "../../workers/engine/simulated/simulated.ts";
import type { Finished, Generation, Lane, Piece } from "../../workers/generation.ts";
import { startWorker } from "../../workers/main.ts";
import { runChild } from "./child.ts";
import { knowing } from "./knowing.ts";

export interface WorkerOrders {
  readonly name: string;
  readonly profile: ProfileName;
  readonly profileEnd: ProfileEnd;
  readonly slots: number;
  readonly seed: number;
  readonly agreement: number;
  /** Files whose text is typed. */
  readonly sources: readonly string[];
  readonly suffixFirst: boolean;
  readonly chunkMs?: number;
  /** The shipped model on this machine's processor instead of a pretend GPU. */
  readonly embedded: boolean;
}

/** What one generation cost. */
export interface Cost {
  /** "worker id", with the id of the router's link. */
  readonly id: string;
  readonly lane: Lane;
  readonly prompt: number;
  readonly recomputed: number;
  readonly completion: number;
}

/** Of the generations that ended since it was last asked. */
export interface WorkerFigures {
  readonly costs: readonly Cost[];
  /** From the engine's abort to its end, of those that were stopped from outside. */
  readonly abortMs: readonly number[];
  /** Slots in use, times the time they were. */
  readonly slotMs: number;
  /** Time in which any slot was in use. */
  readonly busyMs: number;
}

class Counted {
  #running = 0;
  #sinceMs = systemClock.now();
  #figures = empty();

  constructor(name: string, engine: Engine) {
    const generate = engine.generate.bind(engine);
    engine.generate = (work, signal) =>
      this.#counted({ id: `${name} ${work.id}`, lane: work.lane }, generate(work, signal), signal);
  }

  take(): WorkerFigures {
    this.#pass(0);
    const taken = this.#figures;
    this.#figures = empty();
    return taken;
  }

  async *#counted(
    of: Pick<Cost, "id" | "lane">,
    pieces: AsyncGenerator<Piece, Finished>,
    signal: AbortSignal,
  ): AsyncGenerator<Piece, Finished> {
    this.#pass(1);
    let abortedMs: number | undefined;
    const aborted = () => {
      abortedMs = systemClock.now();
    };
    signal.addEventListener("abort", aborted, { once: true });
    let finished: Finished | undefined;
    try {
      finished = yield* pieces;
      return finished;
    } finally {
      signal.removeEventListener("abort", aborted);
      this.#pass(-1);
      if (finished) {
        const { recomputedTokens: recomputed, promptTokens: prompt, completionTokens: completion } = finished.usage;
        this.#figures.costs.push({ ...of, prompt, recomputed, completion });
        if (abortedMs !== undefined) this.#figures.abortMs.push(systemClock.now() - abortedMs);
      }
    }
  }

  #pass(change: number): void {
    const now = systemClock.now();
    this.#figures.slotMs += this.#running * (now - this.#sinceMs);
    if (this.#running > 0) this.#figures.busyMs += now - this.#sinceMs;
    this.#sinceMs = now;
    this.#running += change;
  }
}

const empty = () => ({ costs: [] as Cost[], abortMs: [] as number[], slotMs: 0, busyMs: 0 });

const fim = { prefix: "<|fim_prefix|>", suffix: "<|fim_suffix|>", fileSeparator: "<|file_sep|>", repository: "<|repo_name|>" };

await runChild(async (given, lifecycle) => {
  const orders = given as WorkerOrders;
  const { name, slots, seed } = orders;
  const engine = orders.embedded ? await shipped(slots) : pretend(orders);
  const counted = new Counted(name, engine);
  const config = readWorkerConfig({
    SLIPSTREAM_WORKER_NAME: name,
    SLIPSTREAM_WORKER_SLOTS: String(slots),
    SLIPSTREAM_WORKER_ENGINE: orders.embedded ? "embedded" : "simulated",
    SLIPSTREAM_WORKER_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_WORKER_ADMIN_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_WORKER_LOG_LEVEL: "silent",
  });
  const worker = await startWorker(config, {
    ...{ lifecycle, clock: systemClock, random: seeded(seed), log: silentLog },
    startEngine: async () => engine,
  });
  return { port: worker.port, take: () => counted.take() };
});

function pretend(orders: WorkerOrders): Engine {
  const { profile, profileEnd, slots, seed, agreement, chunkMs } = orders;
  const texts = orders.sources.map((path) => readFileSync(path, "utf8"));
  const oracle: (work: Generation) => string | undefined = knowing({ texts, agreement, seed });
  return new SimulatedEngine(
    {
      ...{ profile, profileEnd, slots, seed, fim: { ...fim, middle: orders.suffixFirst ? "" : "<|fim_middle|>" } },
      ...(chunkMs === undefined ? {} : { chunkMs }),
    },
    { clock: systemClock, random: seeded(seed), oracle },
  );
}

async function shipped(slots: number): Promise<Engine> {
  const { EmbeddedEngine } = await import("../../workers/engine/embedded/embedded.ts");
  const modelPath = join(packageRoot(), "models/slipstream-fim-4m-q8_0.gguf");
  return EmbeddedEngine.start({ modelPath, slots }, { clock: systemClock, log: silentLog });
}
