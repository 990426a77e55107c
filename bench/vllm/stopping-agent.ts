// stopping-agent: an agent before an engine of somebody else, in this process, that says when it last told the engine to stop.
import { processorMs, systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { VllmEngine, type VllmOptions } from "../../workers/engine/vllm/vllm.ts";
import { agentDefaults, createAgent } from "../../workers/wire.ts";
import { AgentEnd } from "./agent-end.ts";
import type { StoppingAgent } from "./stops.ts";

export async function agentBefore(about: VllmOptions): Promise<StoppingAgent & { readonly model: string; close(): Promise<void> }> {
  const random = seeded(1);
  let told = { ms: Number.NaN, cpuMs: Number.NaN };
  const aborted = () => {
    told = { ms: systemClock.now(), cpuMs: processorMs() };
  };
  const engine = await VllmEngine.start(about, { clock: systemClock, random, aborted });
  const agent = createAgent(
    { ...agentDefaults, stepBudgetMs: 0, worker: "w", pool: "p" },
    { clock: systemClock, random, engine, log: silentLog },
  );
  const model = engine.models[0]?.name ?? "";
  const end = new AgentEnd({ model }, { agent });
  const close = async () => {
    end.close();
    await engine.close();
  };
  return { end, model, told: () => told, close };
}
