// invalid-objects: the table of custom resources with one thing wrong each, and what a person reads then: by our own rules, and from a
// real apiserver.
import { cache, cpuPool, digest, draftDigest, gpuClass, type Loose, pool, service } from "./cluster-objects.ts";

export interface Invalid {
  readonly what: string;
  readonly object: Loose;
  /** Said by both; or by ours alone, where the apiserver has its own words. */
  readonly says: string;
  readonly apiserver?: string;
}

const row = (what: string, object: Loose, says: string, apiserver?: string): Invalid => ({
  what,
  object,
  says,
  ...(apiserver === undefined ? {} : { apiserver }),
});

export const invalidObjects: readonly Invalid[] = [
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
    "speculation as a raw argument",
    pool((p) => p.spec.engine.args.push("--speculative-config={}")),
    "engine.args: speculation, model, port, host and parallelism have fields of their own",
  ),
  row(
    "a draft method without a draft",
    pool((p) => delete p.spec.speculative.draft),
    "speculative.draft: must be set with method DraftModel and EAGLE3",
  ),
  row(
    "a draft without a method for it",
    pool((p) => (p.spec.speculative.method = "NGram")),
    "speculative.draft: must be set with method DraftModel and EAGLE3, and with no other",
  ),
  row(
    "two drafts",
    pool((p) => (p.spec.speculative.draft.image = `r/d@${draftDigest}`)),
    "speculative.draft: exactly one of cacheRef and image must be set",
  ),
  row(
    "a draft without its revision",
    pool((p) => delete p.spec.speculative.draft.revision),
    "speculative.draft.revision: must be set",
  ),
  row(
    "a draft that is the model",
    pool((p) => (p.spec.speculative.draft.cacheRef = "coder-7b")),
    "speculative.draft: is the model itself",
  ),
  row(
    "nothing guessed, yet disabled above a batch",
    pool((p) => (p.spec.speculative = { method: "None", disableAboveBatch: 8 })),
    "speculative.disableAboveBatch: there is nothing to disable",
  ),
  row(
    "a spread draft without a draft",
    pool((p) => (p.spec.speculative = { method: "MTP", draftTensorParallel: 2 })),
    "speculative.draftTensorParallel: only a draft model",
  ),
  row(
    "seventeen tokens guessed",
    pool((p) => (p.spec.speculative.numTokens = 17)),
    "spec.speculative.numTokens",
    "should be less than or equal to 16",
  ),
  row(
    "an acceptance of two",
    pool((p) => (p.spec.speculative.minAcceptance = "2")),
    "speculative.minAcceptance: is a share, 1 at most",
  ),
  row(
    "a method that the engine lacks",
    cpuPool((p) => (p.spec.speculative = { method: "Suffix" })),
    "speculative.method: this engine does not have it",
  ),
  row(
    "EAGLE-3 over a pipeline in vLLM",
    pool((p) => {
      p.spec.speculative.method = "EAGLE3";
      p.spec.gpu.count = 2;
      p.spec.parallelism = { pipeline: 2 };
    }),
    "parallelism.pipeline: vLLM runs EAGLE-3 only with 1",
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
  row(
    "no tiers",
    service((s) => (s.spec.tiers = [])),
    "spec.tiers",
    "should have at least 1 items",
  ),
  row(
    "a fallback that is not there",
    service((s) => (s.spec.tiers[0].fallback = "quick")),
    "tiers.fallback: names no tier of this service",
  ),
  row(
    "a fallback to itself",
    service((s) => (s.spec.tiers[0].fallback = "inline")),
    "tiers.fallback: is the tier itself",
  ),
  row(
    "a tier with a pool's name",
    service((s) => (s.spec.tiers[0].name = "inline-7b")),
    "tiers.name: is also the name of a pool",
  ),
  row(
    "a tier twice",
    service((s) => s.spec.tiers.push(s.spec.tiers[0])),
    "",
    "Duplicate value",
  ),
  row(
    "more routers at least than at most",
    service((s) => (s.spec.router = { minReplicas: 3 })),
    "router.minReplicas: is above router.maxReplicas",
  ),
  row(
    "an inline target under the network's",
    service((s) => (s.spec.slo = { inline: { p95: "20ms" } })),
    "slo.inline: p95 less networkBudget",
  ),
  row(
    "a bus without a port",
    service((s) => (s.spec.nats = { servers: ["nats"] })),
    "spec.nats.servers.0",
    "spec.nats.servers[0]",
  ),
  row(
    "two sources",
    cache((c) => (c.spec.source.image = `r/m@${digest}`)),
    "source: exactly one of uri and image must be set",
  ),
  row(
    "a mirror of what is no hub",
    cache((c) => Object.assign(c.spec.source, { uri: "https://h/m", mirror: "https://m" })),
    "source.mirror: stands in for the model hub alone",
  ),
  row(
    "a volume without a size",
    cache((c) => delete c.spec.storage.size),
    "storage.size: must be set with mode PersistentVolume and Pod",
  ),
  row(
    "an image volume without an image",
    cache((c) => (c.spec.storage = { mode: "Image" })),
    "storage.mode: Image needs source.image",
  ),
  row(
    "an image by tag",
    cache((c) => Object.assign(c.spec, { source: { image: "r/m:1" }, storage: { mode: "Image" } })),
    "source.image: must end with @ and the revision",
  ),
  row(
    "a checksum of another kind",
    cache((c) => (c.spec.checksum = "md5:1")),
    "spec.checksum",
    "spec.checksum",
  ),
  row(
    "a volume that one pod may read",
    cache((c) => (c.spec.storage.accessMode = "ReadWriteOncePod")),
    "storage.accessMode: ReadWriteOncePod lets no second pod",
  ),
  row(
    "a pull ahead of what is no image",
    cache((c) => (c.spec.prefetch = { perNode: true })),
    "prefetch.perNode: needs storage.mode Image",
  ),
  row(
    "a download in ten seconds",
    cache((c) => (c.spec.prefetch = { deadline: "10s" })),
    "prefetch.deadline: must be at least 1m",
  ),
  row(
    "a GPU that nothing gives",
    gpuClass((g) => delete g.spec.devicePlugin),
    "devicePlugin or dra must say how a pod gets the device",
  ),
  row(
    "a resource without a domain",
    gpuClass((g) => (g.spec.devicePlugin = "gpu")),
    "spec.devicePlugin",
    "spec.devicePlugin",
  ),
  row(
    "a GPU without memory",
    gpuClass((g) => delete g.spec.memory),
    "spec.memory",
    "spec.memory: Required value",
  ),
];
