// A real vLLM that serves gRPC, with a tiny model in float32: its messages are those that the pretend one was made after, and the agent
// serves from it what one lane and one tenant may ask. SLIPSTREAM_RECORD=1 records its messages anew.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFleet } from "../../bench/vllm/fleet.ts";
import { RealVllm } from "../../bench/vllm/real-vllm.ts";
import { systemClock } from "../../lib/clock.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { seeded } from "../../lib/random.ts";
import { findTool } from "../../tools/toolbox.ts";
import { VllmGrpcEngine } from "../../workers/engine/vllm/grpc/grpc.ts";
import { slipstream } from "../support/command.ts";
import { engineContract } from "../support/engine-contract.ts";
import { exchangeGrpc, type GrpcExchanged } from "../support/vllm/exchange-grpc.ts";
import { differences, shapeOf } from "../support/vllm/shapes.ts";

const tool = findTool("vllm");
const golden = join(packageRoot(), "test/golden/vllm/grpc-0.32.0.json");

describe.skipIf(!tool.path)("a real vLLM over gRPC", () => {
  const models = join(dirname(tool.path ?? ""), "models-3");
  let real: RealVllm;

  beforeAll(async () => {
    real = await RealVllm.start({ python: tool.path as string, models, grpc: true, env: process.env });
  }, 600_000);

  afterAll(() => real?.process.stop(), 60_000);

  test("speaks as it was recorded", async () => {
    const said = await exchangeGrpc(real.url);
    if (process.env["SLIPSTREAM_RECORD"]) {
      const text = JSON.stringify(said, undefined, 1).replaceAll(models, "/models");
      writeFileSync(golden, `${text}\n`);
    }
    const recorded = JSON.parse(readFileSync(golden, "utf8")) as GrpcExchanged;
    expect(Object.keys(said).sort()).toEqual(Object.keys(recorded).sort());
    for (const [name, message] of Object.entries(recorded))
      expect([name, differences(shapeOf(message), shapeOf(said[name]))]).toEqual([name, []]);
  });

  test("completes for a person's command, through router and agent", async () => {
    const worker = { SLIPSTREAM_WORKER_ONLY_LANE: "inline", SLIPSTREAM_WORKER_ONE_TENANT: "true" };
    const fleet = await startFleet([real.url], { worker });
    try {
      const folder = mkdtempSync(join(tmpdir(), "slipstream-vllm-"));
      writeFileSync(join(folder, "add.ts"), "export function add(a: number, b: number) {\n  return \n}\n");
      const address = `127.0.0.1:${fleet.router.ports.grpc}`;
      const { out, code, err } = await slipstream(["complete", `${join(folder, "add.ts")}:2:10`, "--address", address, "--json"]);
      expect([code, err.includes("error")]).toEqual([0, false]);
      expect(JSON.parse(out)).toMatchObject({ outcome: "generated" });
    } finally {
      await fleet.end();
    }
  });

  engineContract({
    name: "the contract, to its end",
    kind: "vllm_grpc",
    has: ["kv_events", "confidence"],
    async start() {
      const options = { url: real.url, model: "", slots: 4, tokenizer: "", startMs: 60_000, confidence: true, ignoreEnd: true };
      const engine = await VllmGrpcEngine.start(
        { ...options, lane: "inline", oneTenant: true },
        { clock: systemClock, random: seeded(1) },
      );
      return { engine, close: () => engine.close(), kill: () => real.process.kill() };
    },
  });
});
