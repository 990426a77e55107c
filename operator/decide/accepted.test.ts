import { describe, expect, test } from "vitest";
import { cache, type Loose, pool } from "../../test/support/cluster-objects.ts";
import { live, poolSeen } from "../../test/support/pool-seen.ts";
import { engineName } from "../api/built-engine.ts";
import { modelCacheSpec } from "../api/model-cache.ts";
import { readSpec } from "../api/read.ts";
import type { SeenCache } from "../pool.ts";
import { modelNotReady, refusal } from "./accepted.ts";

describe("a pool that serves a built engine", () => {
  const l40s = { gpuClassRef: "l40s", version: "1.2.1" };
  const filled = { type: "Ready", status: "True", reason: "Complete", message: "" };
  const built = pool((p) =>
    Object.assign(p.spec, {
      engine: { type: "TensorRTLLM", version: "1.2.1", backend: "TensorRT" },
      ...{ speculative: { method: "None" }, parallelism: { tensor: 2 }, gpu: { classRef: "l40s", count: 2 } },
    }),
  );

  /** The cache with these engines, of which it says this. */
  function seen(engines: Loose[], said: Loose = {}, object: Loose = built) {
    const made = live(cache((c) => Object.assign(c.spec, { engines, engineStorage: { size: "1Gi" } })));
    const spec = readSpec(modelCacheSpec, made.spec).spec as SeenCache["spec"];
    made.status = { engines: spec.engines.map((engine) => ({ name: engineName(spec, engine), ...said })) };
    return poolSeen(object, { caches: new Map([["coder-7b", { object: made, spec, ready: filled as never }]]) });
  }

  test.each<[what: string, engines: Loose[]]>([
    ["no engine", []],
    ["one for fewer GPUs", [l40s]],
    ["one of another version", [{ ...l40s, tensor: 2, version: "1.1.0" }]],
    ["one for another class", [{ ...l40s, tensor: 2, gpuClassRef: "h100" }]],
  ])("with %s in its cache is refused, and told which one is missing", (_, engines) => {
    expect(refusal(seen(engines))).toEqual({
      reason: "EngineMissing",
      message: 'engines of ModelCache "coder-7b" name none for GPUClass "l40s", TensorRT-LLM 1.2.1, tensor 2, pipeline 1',
    });
  });

  test.each<[state: string, message: string, reason: string | undefined]>([
    ["Ready", "built in 12 min", undefined],
    ["Building", "it is being built since 3 min", "BuildingEngine"],
    ["Waiting", "the model's files are not there yet", "BuildingEngine"],
    ["Failed", "BackoffLimitExceeded: out of memory", "EngineBuildFailed"],
  ])("whose engine is %s waits or not, with the cache's own words", (state, message, reason) => {
    const given = seen([{ ...l40s, tensor: 2 }], { state, message });
    expect(refusal(given)).toBeUndefined();
    const said = modelNotReady(given);
    expect(said?.reason).toBe(reason);
    if (said) expect(said.message).toContain(message);
  });

  test("what the cache said of an engine from other files counts for nothing", () => {
    const given = seen([{ ...l40s, tensor: 2 }], { name: "0123456789", state: "Ready", message: "built" });
    expect(modelNotReady(given)).toMatchObject({ reason: "BuildingEngine", message: expect.stringContaining("not looked at yet") });
  });

  test("whose backend is PyTorch asks for no engine", () => {
    const plain = pool((p) => Object.assign(p.spec, { engine: { type: "TensorRTLLM" }, speculative: { method: "None" } }));
    expect([refusal(seen([], {}, plain)), modelNotReady(seen([l40s], { state: "Failed" }, plain))]).toEqual([undefined, undefined]);
  });
});
