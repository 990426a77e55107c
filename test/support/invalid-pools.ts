// invalid-pools: WorkerPools with one thing wrong each.
import { cpuPool, digest, pool } from "./cluster-objects.ts";
import { type Invalid, row } from "./invalid-row.ts";

export const invalidPools: readonly Invalid[] = [
  row(
    "no tier",
    pool((p) => delete p.spec.tier),
    "spec.tier",
    "spec.tier: Required value",
  ),
  row(
    "an unknown tier",
    pool((p) => (p.spec.tier = "Fast")),
    "spec.tier",
    'spec.tier: Unsupported value: "Fast"',
  ),
  row(
    "an unknown engine",
    pool((p) => (p.spec.engine.type = "SGLang")),
    "spec.engine.type",
    "spec.engine.type: Unsupported value",
  ),
  row(
    "no model",
    pool((p) => delete p.spec.model),
    "model: must be set; only Embedded, Simulated and OpenAI engines bring their own",
  ),
  row(
    "two models",
    pool((p) => (p.spec.model.uri = "hf://a/b")),
    "model: exactly one of cacheRef, image and uri must be set",
  ),
  row(
    "a model without its revision",
    pool((p) => delete p.spec.model.revision),
    "model.revision: must be set",
  ),
  row(
    "a drain longer than an agent takes",
    cpuPool((p) => (p.spec.drain = { timeout: "11m" })),
    "drain.timeout: is longer than 10m",
  ),
  row(
    "a revision that is a branch",
    pool((p) => (p.spec.model.revision = "main")),
    "spec.model.revision",
    "spec.model.revision",
  ),
  row(
    "a model image by tag",
    pool((p) => (p.spec.model = { image: "registry/coder:1", revision: digest })),
    "model.image: must end with @ and the revision",
  ),
  row(
    "a model for a pretend GPU",
    cpuPool((p) => Object.assign(p.spec, { engine: { type: "Simulated" }, model: pool().spec.model })),
    "model: has no meaning for Simulated and OpenAI engines",
  ),
  row(
    "no address of an engine elsewhere",
    cpuPool((p) => (p.spec.engine.type = "OpenAI")),
    "engine.endpoint: must be set with type OpenAI",
  ),
  row(
    "an address for an engine of ours",
    cpuPool((p) => (p.spec.engine.endpoint = "http://x")),
    "engine.endpoint: must be set with type OpenAI, and with no other",
  ),
  row(
    "an address that is none",
    cpuPool((p) => (p.spec.engine = { type: "OpenAI", endpoint: "x" })),
    "spec.engine.endpoint",
    "spec.engine.endpoint",
  ),
  row(
    "a profile of a real engine",
    pool((p) => (p.spec.engine.profile = "h100-7b-draft")),
    "engine.profile: is only for type Simulated",
  ),
  row(
    "settings of another engine",
    pool((p) => (p.spec.engine.config = { a: 1 })),
    "engine.config: is only for type TensorRTLLM",
  ),
  row(
    "arguments for an engine without a container",
    cpuPool((p) => (p.spec.engine.args = ["--x"])),
    "engine: args and image are only for types VLLM and TensorRTLLM",
  ),
  row(
    "no accelerator for vLLM",
    pool((p) => delete p.spec.gpu),
    "gpu: must be set with VLLM and TensorRTLLM engines",
  ),
  row(
    "an accelerator for the embedded engine",
    cpuPool((p) => (p.spec.gpu = { classRef: "l40s" })),
    "gpu: must be set with VLLM and TensorRTLLM engines, and with no other",
  ),
  row(
    "more GPUs than are used",
    pool((p) => (p.spec.gpu.count = 4)),
    "parallelism: tensor × pipeline must be gpu.count × nodes",
  ),
  row(
    "seventeen GPUs in a pod",
    pool((p) => (p.spec.gpu.count = 17)),
    "spec.gpu.count",
    "should be less than or equal to 16",
  ),
  row(
    "a share of workers that are several pods",
    pool((p) => {
      p.spec.parallelism = { nodes: 2, tensor: 2 };
      p.spec.rollout = { maxSurge: "25%" };
    }),
    "rollout.maxSurge: must be a whole number where a worker has several pods",
  ),
  row(
    "several nodes without GPUs",
    cpuPool((p) => (p.spec.parallelism = { nodes: 2, tensor: 2 })),
    "parallelism.nodes: only an engine with GPUs spreads over several pods",
  ),
  row(
    "a rollout that cannot move",
    pool((p) => (p.spec.rollout = { maxSurge: 0, maxUnavailable: 0 })),
    "rollout: maxSurge and maxUnavailable are both 0",
  ),
  row(
    "a rollout that cannot move, in percent",
    pool((p) => (p.spec.rollout = { maxSurge: "0%" })),
    "rollout: maxSurge and maxUnavailable are both 0",
  ),
  row(
    "more at least than at most",
    pool((p) => (p.spec.scaling.minReplicas = 9)),
    "scaling.minReplicas: is above scaling.maxReplicas",
  ),
  row(
    "a fixed number without the number",
    pool((p) => delete p.spec.replicas),
    "replicas: must be set with scaling.mode Fixed",
  ),
  row(
    "a number that somebody else writes, without the first one",
    pool((p) => {
      p.spec.scaling.mode = "External";
      delete p.spec.replicas;
    }),
    "replicas: must be set with scaling.mode External: whoever scales the pool begins from it",
  ),
  row(
    "fewer than no workers",
    pool((p) => (p.spec.replicas = -1)),
    "spec.replicas",
    "should be greater than or equal to 0",
  ),
  row(
    "a target that the network eats",
    pool((p) => (p.spec.scaling.slo = { p95: "30ms", networkBudget: "20ms" })),
    "scaling.slo: p95 less networkBudget leaves under 20ms",
  ),
  row(
    "a time without a unit",
    pool((p) => (p.spec.scaling.slo = { p95: "100" })),
    "spec.scaling.slo.p95",
    "spec.scaling.slo.p95",
  ),
  row(
    "a headroom in words",
    pool((p) => (p.spec.scaling.headroom = "much")),
    "spec.scaling.headroom",
    "spec.scaling.headroom",
  ),
  row(
    "seventeen schedules",
    pool(
      (p) =>
        (p.spec.scaling.schedules = Array.from({ length: 17 }, (_, i) => ({
          name: `s${i}`,
          cron: "0 9 * * *",
          duration: "1h",
          minReplicas: 1,
        }))),
    ),
    "spec.scaling.schedules",
    "must have at most 16 items",
  ),
  row(
    "a start in ten seconds",
    pool((p) => (p.spec.startup = { deadline: "10s" })),
    "startup.deadline: must be at least 30s",
  ),
  row(
    "a canary of all workers",
    pool((p) => (p.spec.rollout = { canary: { weight: 100 } })),
    "spec.rollout.canary.weight",
    "should be less than or equal to 50",
  ),
  row(
    "an image that is none",
    pool((p) => (p.spec.engine.image = "Vllm latest")),
    "spec.engine.image",
    "spec.engine.image",
  ),
  row(
    "a variable that is none",
    pool((p) => (p.spec.podTemplate = { env: [{ name: "A B", value: "" }] })),
    "spec.podTemplate.env.0.name",
    "spec.podTemplate.env[0].name",
  ),
  row(
    "memory in words",
    pool((p) => (p.spec.podTemplate = { resources: { memory: "lots" } })),
    "spec.podTemplate.resources.memory",
    "spec.podTemplate.resources.memory",
  ),
  row(
    "a field that is misspelt",
    pool((p) => (p.spec.speculativ = {})),
    "spec: Unrecognized key",
    'unknown field "spec.speculativ"',
  ),
];
