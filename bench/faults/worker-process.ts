// worker-process: one worker of this bench: the agent as shipped, over gRPC, in front of a pretend GPU that can be made slow:
// each SIGUSR2 switches between its own pace and a fifth of it.
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { readWorkerConfig } from "../../workers/config.ts";
import { SimulatedEngine } from "../../workers/engine/simulated/simulated.ts";
import { startWorker } from "../../workers/main.ts";
import { runChild } from "../keys/child.ts";

export interface FaultWorkerOrders {
  readonly name: string;
  readonly slots: number;
  /** 0: any. */
  readonly port: number;
}

const slowTimes = 5;

await runChild(async (given, lifecycle) => {
  const { name, slots, port } = given as FaultWorkerOrders;
  const engine = new SimulatedEngine(
    { profile: "h100-7b-eagle3", profileEnd: "mid", seed: 1, slots },
    { clock: systemClock, random: seeded(1) },
  );
  const config = readWorkerConfig({
    SLIPSTREAM_WORKER_NAME: name,
    SLIPSTREAM_WORKER_SLOTS: String(slots),
    SLIPSTREAM_WORKER_ENGINE: "simulated",
    SLIPSTREAM_WORKER_ADDRESS: `127.0.0.1:${port}`,
    SLIPSTREAM_WORKER_ADMIN_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_WORKER_LOG_LEVEL: "silent",
  });
  const worker = await startWorker(config, {
    ...{ lifecycle, clock: systemClock, random: seeded(1), log: silentLog },
    startEngine: async () => engine,
  });
  let slow = false;
  process.on("SIGUSR2", () => {
    slow = !slow;
    engine.slow(slow ? slowTimes : 1);
  });
  return { port: worker.port, take: () => ({}) };
});
