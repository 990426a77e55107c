// wire: the one place of the worker that says `new` for its rooms: settings, clock, chance and an engine in, an agent that
// serves streams out. The gRPC server (main.ts), `slipstream up` and the simulation all start here.
import type { Clock } from "../lib/clock.ts";
import { type Log, silentLog } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import { Agent } from "./agent.ts";
import { Emit } from "./emit/emit.ts";
import type { Engine } from "./engine/engine.ts";
import { Intake } from "./intake/intake.ts";
import { Kv } from "./kv/kv.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { Report } from "./report/report.ts";
import { Slots } from "./slots/slots.ts";
import type { EndedGeneration } from "./spans.ts";

export interface AgentOptions {
  /** Stable name of the worker. */
  readonly worker: string;
  readonly pool: string;
  /** Of the pool's template; absent: not known. */
  readonly revision?: string;
  readonly promptBytesMax: number;
  readonly maxTokensMax: number;
  /** Deltas of one generation within this time are one frame. */
  readonly coalesceMs: number;
  /** A Load frame at most this often. */
  readonly loadEveryMs: number;
  readonly routersMax: number;
  /** Longest decode step before fewer generations run at once; 0: no bound. */
  readonly stepBudgetMs: number;
  /** Of prompts that are computed ahead. */
  readonly warmBytesPerSecond: number;
  /** Generations that wait here for a slot beyond those that run. */
  readonly ahead?: number;
  /** Protocol versions that it speaks, instead of those of this release. */
  readonly protocol?: { readonly min: number; readonly max: number };
}

export const agentDefaults: Omit<AgentOptions, "worker" | "pool" | "revision"> = {
  promptBytesMax: 256 << 10,
  maxTokensMax: 4_096,
  coalesceMs: 2,
  loadEveryMs: 100,
  routersMax: 64,
  stepBudgetMs: 50,
  warmBytesPerSecond: 256 << 10,
};

/** An agent in front of `engine`, for gRPC or for streams in memory. */
export function createAgent(
  options: AgentOptions,
  deps: {
    clock: Clock;
    random: Random;
    engine: Engine;
    log?: Log;
    metrics?: WorkerMetrics;
    ended?: (ended: EndedGeneration) => void;
  },
): Agent {
  const { clock, engine, random, metrics, log = silentLog } = deps;
  const { worker, pool, revision = "", promptBytesMax, maxTokensMax, routersMax, stepBudgetMs, ahead = 1 } = options;
  const given = { clock, engine, ...(metrics ? { metrics } : {}) };
  const identity = { worker, pool, revision, instance: random.hex(16) };
  // Credits of every router's every lane, should all come at once.
  const waitingMax = engine.slots + ahead + 4 * routersMax;
  const slots = new Slots({ slots: engine.slots, ahead, stepBudgetMs, waitingMax, routersMax }, given);
  return new Agent(
    {
      intake: new Intake(
        { identity, promptBytesMax, maxTokensMax, ...(options.protocol && { protocol: options.protocol }) },
        { models: engine.models },
      ),
      slots,
      engine,
      emit: new Emit({ coalesceMs: options.coalesceMs }, given),
      kv: new Kv(
        {
          ...{ everyMs: 50, kept: 1_024, digestsMax: 4_096, warmingsMax: 8, hotMax: 32 },
          ...{ warmBytesPerSecond: options.warmBytesPerSecond, slots: engine.slots },
        },
        given,
      ),
      report: new Report({ everyMs: options.loadEveryMs, slots: engine.slots }, { ...given, slots }),
    },
    { ...given, log, ...(deps.ended ? { ended: deps.ended } : {}) },
  );
}
