// The walk on real kubelets again and again, each time in a cluster of its own: what fails once in many is found at night.
// SLIPSTREAM_E2E_RUNS says how often; 20 without it.
import { spawn } from "node:child_process";
import { describe, expect, test } from "vitest";
import { packageProgram, root } from "../../tools/child.ts";
import { clusterToolsHere } from "../../tools/cluster/programs.ts";

const runs = Number(process.env["SLIPSTREAM_E2E_RUNS"] ?? 20);

function walk(): Promise<{ readonly code: number | null; readonly said: string }> {
  const words = [...packageProgram("vitest", "vitest.mjs"), "run", "--project", "system", "test/e2e/walk.test.ts"];
  const child = spawn(words[0] as string, words.slice(1), { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => {
      said += data;
    });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, said })));
}

describe.skipIf(!clusterToolsHere())("the walk", () => {
  test(`goes well ${runs} times in a row`, { timeout: runs * 1_200_000 }, async () => {
    const seconds: number[] = [];
    for (let run = 1; run <= runs; run++) {
      const began = performance.now();
      const { code, said } = await walk();
      seconds.push(Math.round((performance.now() - began) / 1_000));
      process.stdout.write(`  walk ${run} of ${runs}: ${code === 0 ? "well" : "NOT WELL"}, ${seconds.at(-1)} s\n`);
      expect({ run, code, said: code === 0 ? "" : said.slice(-8_000) }).toEqual({ run, code: 0, said: "" });
    }
    process.stdout.write(`  ${runs} walks in a row, each ${Math.min(...seconds)} to ${Math.max(...seconds)} s\n`);
  });
});
