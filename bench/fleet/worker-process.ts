// worker-process: one worker of this bench: the agent as shipped in front of a pretend GPU. Says of every generation whose it was,
// when it began, when the engine was told to stop it and when it was over. Holds those of one window.
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { readWorkerConfig } from "../../workers/config.ts";
import type { Engine } from "../../workers/engine/engine.ts";
import type { ProfileName } from "../../workers/engine/simulated/profiles.ts";
import { SimulatedEngine } from "../../workers/engine/simulated/simulated.ts";
import type { Finished, Piece } from "../../workers/generation.ts";
import { startWorker } from "../../workers/main.ts";
import { runChild } from "../keys/child.ts";
import { sharedMs } from "./times.ts";

export interface FleetWorkerOrders {
  readonly name: string;
  readonly profile: ProfileName;
  readonly slots: number;
  readonly seed: number;
}

/** One generation at its engine. */
export interface Ran {
  readonly document: string;
  readonly link: string;
  readonly beganMs: number;
  /** The engine was told to stop. */
  readonly abortedMs?: number;
  readonly overMs: number;
}

export interface FleetWorkerFigures {
  readonly ran: readonly Ran[];
}

await runChild(async (given, lifecycle) => {
  const { name, profile, slots, seed } = given as FleetWorkerOrders;
  let ran: Ran[] = [];
  const engine: Engine = new SimulatedEngine(
    { profile, profileEnd: "mid", slots, seed },
    { clock: systemClock, random: seeded(seed) },
  );
  const generate = engine.generate.bind(engine);
  engine.generate = (work, signal) =>
    watched({ document: work.affinity, link: work.link }, generate(work, signal), signal, (one) => ran.push(one));
  const config = readWorkerConfig({
    SLIPSTREAM_WORKER_NAME: name,
    SLIPSTREAM_WORKER_SLOTS: String(slots),
    SLIPSTREAM_WORKER_ENGINE: "simulated",
    SLIPSTREAM_WORKER_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_WORKER_ADMIN_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_WORKER_LOG_LEVEL: "silent",
  });
  const worker = await startWorker(config, {
    ...{ lifecycle, clock: systemClock, random: seeded(seed), log: silentLog },
    startEngine: async () => engine,
  });
  return {
    port: worker.port,
    take: (): FleetWorkerFigures => {
      const taken = ran;
      ran = [];
      return { ran: taken };
    },
  };
});

async function* watched(
  of: Pick<Ran, "document" | "link">,
  pieces: AsyncGenerator<Piece, Finished>,
  signal: AbortSignal,
  over: (one: Ran) => void,
): AsyncGenerator<Piece, Finished> {
  const beganMs = sharedMs();
  let abortedMs: number | undefined;
  const aborted = () => {
    abortedMs = sharedMs();
  };
  signal.addEventListener("abort", aborted, { once: true });
  try {
    return yield* pieces;
  } finally {
    signal.removeEventListener("abort", aborted);
    over({ ...of, beganMs, ...(abortedMs === undefined ? {} : { abortedMs }), overMs: sharedMs() });
  }
}
