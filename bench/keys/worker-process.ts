// worker-process: one worker of this bench: the agent as shipped, over gRPC, in front of a pretend GPU that knows a share of
// what will be typed, and counted.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { machineMs, systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { seeded } from "../../lib/random.ts";
import { dilatedClock } from "../../sim/dilated-clock.ts";
import { readWorkerConfig } from "../../workers/config.ts";
import type { Engine } from "../../workers/engine/engine.ts";
import type { ProfileEnd, ProfileName } from "../../workers/engine/simulated/profiles.ts";
import { startWorker } from "../../workers/main.ts";
import { runChild } from "./child.ts";
import { Counted } from "./counted.ts";
import { pretend } from "./pretend.ts";

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
  /** All of its time goes so many times as slowly (default 1). */
  readonly dilation?: number;
}

await runChild(async (given, lifecycle) => {
  const orders = given as WorkerOrders;
  const { name, slots, seed, dilation = 1 } = orders;
  const clock = dilation === 1 ? systemClock : dilatedClock(systemClock, dilation);
  const engine = orders.embedded
    ? await shipped(slots)
    : pretend({ ...orders, texts: orders.sources.map((path) => readFileSync(path, "utf8")) }, { clock });
  const counted = new Counted(name, engine, { clock, machineMs });
  const config = readWorkerConfig({
    SLIPSTREAM_WORKER_NAME: name,
    SLIPSTREAM_WORKER_SLOTS: String(slots),
    SLIPSTREAM_WORKER_ENGINE: orders.embedded ? "embedded" : "simulated",
    SLIPSTREAM_WORKER_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_WORKER_ADMIN_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_WORKER_LOG_LEVEL: "silent",
  });
  const worker = await startWorker(config, {
    ...{ lifecycle, clock, random: seeded(seed), log: silentLog },
    startEngine: async () => engine,
  });
  return { port: worker.port, take: () => counted.take() };
});

async function shipped(slots: number): Promise<Engine> {
  const { EmbeddedEngine } = await import("../../workers/engine/embedded/embedded.ts");
  const modelPath = join(packageRoot(), "models/slipstream-fim-13m-q8_0.gguf");
  return EmbeddedEngine.start({ modelPath, slots }, { clock: systemClock, log: silentLog });
}
