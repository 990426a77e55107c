// The contract of engines, held against each engine that runs here: the embedded one as it is, the others against servers that pretend
// (test/support/vllm, sim/tensorrt) as recorded from the real ones. Real servers: test/system.
import { join } from "node:path";
import { systemClock } from "../../lib/clock.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { seeded } from "../../lib/random.ts";
import { StandInGrpc } from "../../sim/tensorrt/grpc.ts";
import { type ServeOptions, StandInServe } from "../../sim/tensorrt/serve.ts";
import { standInFolder } from "../../sim/tensorrt/stand-in.ts";
import { StandInTriton } from "../../sim/tensorrt/triton.ts";
import { EmbeddedEngine } from "../../workers/engine/embedded/embedded.ts";
import { OpenAiEngine } from "../../workers/engine/openai/openai.ts";
import { SimulatedEngine } from "../../workers/engine/simulated/simulated.ts";
import { startTensorRtGrpc } from "../../workers/engine/tensorrt/grpc/grpc.ts";
import { startTensorRt, type TensorRtHttpOptions } from "../../workers/engine/tensorrt/tensorrt.ts";
import { startTriton } from "../../workers/engine/tensorrt/triton/triton.ts";
import { VllmGrpcEngine } from "../../workers/engine/vllm/grpc/grpc.ts";
import { VllmEngine, type VllmOptions } from "../../workers/engine/vllm/vllm.ts";
import { engineContract, type Started } from "../support/engine-contract.ts";
import { FakeVllmGrpc } from "../support/vllm/fake-grpc.ts";
import { type FakeOptions, FakeVllm } from "../support/vllm/fake-vllm.ts";
import { FakePublisher } from "../support/vllm/publisher.ts";

const deps = { clock: systemClock, random: seeded(1) };
const pretence: FakeOptions = { stepMs: 2, text: () => "a + b; // 漢字\n}\n" };
const common = { model: "", slots: 4, tokenizer: "", startMs: 20_000, confidence: false, hungMs: 5_000, busyMs: 20, idleMs: 50 };

engineContract({
  name: "the embedded engine",
  kind: "embedded",
  async start() {
    const modelPath = join(packageRoot(), "models/slipstream-fim-13m-q8_0.gguf");
    const draftPath = join(packageRoot(), "models/slipstream-draft-1m-q8_0.gguf");
    const engine = await EmbeddedEngine.start({ modelPath, draftPath }, deps);
    return { engine, kill: async () => process.kill(engine.pid as number, "SIGKILL"), close: () => engine.close() };
  },
});

engineContract({
  name: "the simulated engine",
  kind: "simulated",
  async start() {
    const engine = new SimulatedEngine({ profile: "h100-7b-draft", profileEnd: "fast", seed: 1, slots: 4 }, deps);
    return { engine, kill: async () => engine.crash("killed for a test"), close: () => engine.close() };
  },
});

async function vllm(fakeOptions: FakeOptions, options: Partial<VllmOptions> = {}): Promise<Started> {
  const publisher = await FakePublisher.start();
  const events = publisher.publish.bind(publisher);
  const fake = await FakeVllm.start({ ...pretence, kvEndpoints: publisher.endpoints, events, ...fakeOptions });
  const engine = await VllmEngine.start({ ...common, url: fake.url, ...options }, deps);
  const close = async () => {
    await engine.close();
    await fake.kill().catch(() => {});
    await publisher.close();
  };
  return {
    ...{ engine, close, counted: () => fake.running, kill: () => fake.kill() },
    ...(fakeOptions.seats !== undefined && { seats: fakeOptions.seats }),
  };
}

engineContract({
  name: "a pretend vLLM with all that it can have",
  kind: "vllm",
  has: ["cached_told", "better_lane_first", "speculation", "kv_events", "confidence", "adapters", "sleep"],
  start: () => vllm({ perStep: 3, seats: 2 }, { confidence: true, adapters: { style: "/adapters/style" } }),
});

engineContract({
  name: "a pretend vLLM without priority, drafts and adapters",
  kind: "vllm",
  has: ["cached_told", "kv_events", "sleep"],
  start: () => vllm({ seats: 2, priority: false }),
});

engineContract({
  name: "a pretend vLLM over gRPC",
  kind: "vllm_grpc",
  has: ["kv_events", "confidence"],
  async start() {
    const fake = await FakeVllmGrpc.start({ stepMs: 2, perStep: 2 });
    const options = { ...common, url: fake.url, confidence: true, lane: "inline", oneTenant: true } as const;
    const engine = await VllmGrpcEngine.start(options, deps);
    const close = async () => {
      await engine.close();
      await fake.kill();
    };
    return { engine, close, counted: () => fake.running, kill: () => fake.kill() };
  },
});

const tensorrtCommon = { ...common, tokenizer: standInFolder, contextTokens: 2_048 };

async function tensorrt(serveOptions: ServeOptions, options: Partial<TensorRtHttpOptions> = {}): Promise<Started> {
  const stand = await StandInServe.start(serveOptions);
  const engine = await startTensorRt({ ...tensorrtCommon, url: stand.url, ...options }, deps);
  const close = async () => {
    await engine.close();
    await stand.kill().catch(() => {});
  };
  const { seats } = serveOptions;
  return { engine, close, counted: () => stand.running, kill: () => stand.kill(), ...(seats !== undefined && { seats }) };
}

engineContract({
  name: "a stand-in for trtllm-serve with all that it can have",
  kind: "tensorrt",
  has: ["tenants_apart", "better_lane_first", "speculation", "kv_events", "confidence", "adapters"],
  start: () => tensorrt({ perStep: 3, seats: 2, adapters: true }, { confidence: true, adapters: { style: "/adapters/style" } }),
});

engineContract({
  name: "a stand-in for trtllm-serve of one tenant that is told which cached blocks may go",
  kind: "tensorrt",
  has: ["better_lane_first", "kv_events"],
  start: () => tensorrt({ seats: 2 }, { truncate: true, oneTenant: true }),
});

engineContract({
  name: "a stand-in for trtllm-serve 1.2 without priorities, drafts and adapters",
  kind: "tensorrt",
  has: ["tenants_apart", "kv_events"],
  start: () => tensorrt({ seats: 2, speaks: "1.2", quietMs: 50, prometheus: false }),
});

engineContract({
  name: "a stand-in for trtllm-serve that tells nothing of itself",
  kind: "tensorrt",
  has: ["tenants_apart", "better_lane_first"],
  start: () => tensorrt({ seats: 2, prometheus: false, iterations: false, eventsMax: 0 }),
});

engineContract({
  name: "a stand-in for TensorRT-LLM over gRPC",
  kind: "tensorrt_grpc",
  has: ["kv_events", "confidence"],
  async start() {
    const stand = await StandInGrpc.start({ perStep: 2 });
    const options = { ...tensorrtCommon, url: stand.url, confidence: true, lane: "inline", oneTenant: true } as const;
    const engine = await startTensorRtGrpc(options, deps);
    const close = async () => {
      await engine.close();
      await stand.kill();
    };
    return { engine, close, counted: () => stand.running, kill: () => stand.kill() };
  },
});

engineContract({
  name: "a stand-in for TensorRT-LLM behind Triton",
  kind: "tensorrt_triton",
  async start() {
    const stand = await StandInTriton.start();
    const engine = await startTriton({ ...tensorrtCommon, url: stand.url, oneTenant: true }, deps);
    const close = async () => {
      await engine.close();
      await stand.kill().catch(() => {});
    };
    return { engine, close, counted: () => stand.running, kill: () => stand.kill() };
  },
});

async function openai(speaks: "sglang" | "llama.cpp" | "bare"): Promise<Started> {
  const fake = await FakeVllm.start({ ...pretence, speaks, model: "qwen2.5-coder-7b", seats: 2, blockTokens: 16 });
  const engine = await OpenAiEngine.start({ ...common, url: fake.url }, deps);
  const close = async () => {
    await engine.close();
    await fake.kill().catch(() => {});
  };
  return { engine, close, seats: 2, counted: () => fake.running, kill: () => fake.kill() };
}

engineContract({
  name: "a pretend llama-server",
  kind: "openai",
  has: ["cached_told", "prefix_ahead"],
  start: () => openai("llama.cpp"),
});

engineContract({
  name: "a pretend SGLang",
  kind: "openai",
  has: ["cached_told", "prefix_ahead"],
  start: () => openai("sglang"),
});

engineContract({
  name: "a server that has nothing but completions",
  kind: "openai",
  start: () => openai("bare"),
});
