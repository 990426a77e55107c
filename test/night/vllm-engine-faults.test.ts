// Hundreds of random faults of a real vLLM: each generation ends once, and nothing is left of them. The same by hand:
// `slipstream bench vllm --parts faults`.
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { benchFaults } from "../../bench/vllm/faults.ts";
import { modelName, RealVllm } from "../../bench/vllm/real-vllm.ts";
import { findTool } from "../../tools/toolbox.ts";

const tool = findTool("vllm");

test.skipIf(!tool.path)(
  "300 faults of a real engine, eight of them its death, leave nothing",
  async () => {
    const python = tool.path as string;
    const soaked = await benchFaults({
      start: () => RealVllm.start({ python, models: join(dirname(python), "models-3"), env: process.env }),
      ...{ model: modelName, faults: 300, kills: 4, seed: 3 },
      say: (text) => process.stdout.write(`${text}\n`),
    });
    process.stdout.write(`${JSON.stringify(soaked)}\n`);
    expect(soaked.all).toBeGreaterThanOrEqual(300);
    expect(soaked.repeated).toBe(0);
    expect(soaked.left).toMatchObject({ running: 0, engine: 0, waiting: 0 });
    expect(soaked.left.connections).toBeLessThanOrEqual(20);
    expect(soaked.left.grown_mib).toBeLessThan(20);
    expect(soaked.credits.after).toBe(soaked.credits.before);
    // All kinds of end were met.
    for (const how of ["done", "cancelled", "lost", "refused engine_failed", "refused not_found"])
      expect(soaked.ends).toHaveProperty(how);
  },
  3_600_000,
);
