// rollout-way: a free GPU and what the SLO leaves in, how the next worker becomes one of the new revision out. Never by less than the
// load needs: where neither a GPU is free nor a worker can be spared, the rollout waits, and says for what.
import type { RolloutSeen, RolloutWay } from "../moves.ts";

export function decideRolloutWay({ strategy, freePlaces, ready, predictedOneLessMs, targetMs }: RolloutSeen): RolloutWay {
  const hasRoom = freePlaces === undefined || freePlaces > 0;
  if (strategy !== "HandOff" && hasRoom)
    return { way: "Surge", reason: "RollingOut", message: "a new worker starts before an old one leaves" };
  if (strategy === "Surge") return wait("NoFreeGPU", "no GPU is free for a new worker, and rollout.strategy is Surge");
  if (ready <= 1) return wait("NoFreeGPU", "no GPU is free, and the only worker that serves cannot be handed off");
  if (predictedOneLessMs === undefined)
    return wait("MetricsStale", "a worker is handed off when routers report what one less would do");
  const said = `with one worker less first text would take ${Math.round(predictedOneLessMs)} ms at p95; the target leaves ${targetMs} ms`;
  if (predictedOneLessMs > targetMs) return wait("LoadTooHigh", said);
  return { way: "HandOff", reason: "HandingOff", message: said };
}

const wait = (reason: RolloutWay["reason"], message: string): RolloutWay => ({ way: "Wait", reason, message });
