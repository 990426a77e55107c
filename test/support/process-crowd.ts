// process-crowd: what suites that let people type at a fleet of processes share: the pool, the service before it, and the people.
import { cpuPool, type Loose, service } from "./cluster-objects.ts";
import { slipstream } from "./command.ts";
import type { ProcessFleet } from "./process-fleet.ts";

export const inline = service((made) => (made.spec.tiers = [{ name: "inline", pools: ["dev"], deadlines: { auto: "500ms" } }]));

/** Of pretend GPUs, two generations at once. */
export const pool = (scaling: Loose, more: Loose = {}) =>
  cpuPool((made) => {
    const { replicas: _, ...spec } = made.spec;
    const engine = { type: "Simulated", profile: "l40s-3b-eagle3", slots: 2 };
    made.spec = { ...spec, engine, scaling, startup: { warmup: { requests: 2 } }, drain: { timeout: "5s" }, ...more };
  });

/** `slipstream bench burst`, its report as JSON on stdout. */
export const burst = (fleet: ProcessFleet, words: string) =>
  slipstream(
    [
      ...["bench", "burst", "--address", fleet.router, "--kubeconfig", fleet.kubeconfig, "--namespace", "code", "--pool", "dev"],
      ...["--out", fleet.folder, "--json", ...words.split(" ")],
    ],
    { timeoutMs: 240_000 },
  );
