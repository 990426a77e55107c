import { expect, test } from "vitest";
import { readRouterConfig } from "../../router/config.ts";
import { cache, cpuPool, gpuClass, type Loose, pool, service } from "../../test/support/cluster-objects.ts";
import { readWorkerConfig } from "../../workers/config.ts";
import { completionServiceSpec } from "../api/completion-service.ts";
import { gpuClassSpec } from "../api/gpu-class.ts";
import { modelCacheSpec } from "../api/model-cache.ts";
import { readSpec } from "../api/read.ts";
import { workerPoolSpec } from "../api/worker-pool.ts";
import type { CacheSeen, PoolSeen, ServiceSeen } from "../pool.ts";
import { cachePlan, poolTemplate, servicePlan } from "./desired.ts";
import { tensorrtSpeculation, vllmSpeculation } from "./speculation.ts";

const setting = { image: "slipstream:1", namespace: "slipstream-system", natsServers: ["nats:4222"], bus: true };
const live = (object: Loose) => ({ ...object, metadata: { ...object.metadata, uid: "u", generation: 1 } });

function seen(object: Loose, more: Partial<PoolSeen> = {}): PoolSeen {
  const spec = readSpec(workerPoolSpec, object.spec).spec;
  if (!spec) throw new Error(readSpec(workerPoolSpec, object.spec).problems.join());
  const caches = ["coder-7b", "coder-draft"].map((name) => {
    const made = cache((each) => (each.metadata.name = name));
    return [name, { object: live(made), spec: readSpec(modelCacheSpec, made.spec).spec as never, ready: undefined }] as const;
  });
  return {
    ...{
      pool: live(object),
      spec,
      gpuClass: readSpec(gpuClassSpec, gpuClass().spec).spec,
      caches: new Map(caches),
      workloads: [],
      pods: [],
    },
    ...{
      children: new Map(),
      services: [],
      priorityClasses: new Set(["slipstream-inline"]),
      servesLeaderWorkerSets: false,
      heard: new Set(),
    },
    ...{ figures: undefined, setting, wallMs: 0 },
    ...more,
  };
}

const env = (container: Loose) =>
  Object.fromEntries(container.env.map(({ name, value, valueFrom }: Loose) => [name, value ?? (valueFrom ? "pod" : "")]));
/** As the kubelet would fill it in. */
const filled = (given: Record<string, string>) =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value.replace("$(POD_IP)", "10.0.0.1")]));
const containerOf = (template: { spec: Loose }, name: string): Loose =>
  template.spec.containers.find((each: Loose) => each.name === name);

test.each([
  ["an embedded engine", cpuPool()],
  ["a pretend GPU", cpuPool((p) => (p.spec.engine = { type: "Simulated", profile: "l40s-7b-eagle3" }))],
  ["vLLM", pool()],
  ["TensorRT-LLM", pool((p) => Object.assign(p.spec, { engine: { type: "TensorRTLLM" }, speculative: { method: "NGram" } }))],
  ["a server elsewhere", cpuPool((p) => (p.spec.engine = { type: "OpenAI", endpoint: "http://models.example:8000" }))],
])("the agent of %s is given settings that it accepts", (_, object) => {
  const config = readWorkerConfig(filled(env(containerOf(poolTemplate(seen(object)), "agent"))));
  expect(config).toMatchObject({
    pool: object.metadata.name,
    address: "0.0.0.0:7421",
    advertise: "10.0.0.1:7421",
    natsServers: ["nats:4222"],
    insecure: false,
  });
});

test("routers are given settings that they accept, and reach every pool of every tier by DNS", () => {
  const object = live(service((s) => s.spec.tiers.push({ name: "chat", pools: ["chat-32b", "inline-7b"] })));
  const spec = readSpec(completionServiceSpec, object.spec).spec as ServiceSeen["spec"];
  const plan = servicePlan({
    service: object,
    spec,
    pools: new Map(),
    children: new Map(),
    pods: [],
    priorityClasses: new Set(),
    figures: undefined,
    setting,
    wallMs: 0,
  });
  const deployment = plan.apply.find(({ kind }) => kind === "Deployment");
  const config = readRouterConfig(filled(env(deployment?.spec.template.spec.containers[0])));
  expect(config).toMatchObject({
    workersDns: ["chat-32b.code.svc:7421", "inline-7b.code.svc:7421"],
    linkServerName: "workers.slipstream.internal",
    insecure: false,
  });
});

test.each([
  ["a pool with an engine", pool()],
  ["a pool without", cpuPool()],
])("pods of %s pass the restricted profile", (_, object) => {
  const { spec } = poolTemplate(seen(object));
  expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
  for (const each of [...spec.containers, ...(spec.initContainers ?? [])])
    expect(each.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  expect(spec.volumes.every((volume: Loose) => !("hostPath" in volume))).toBe(true);
  expect(spec.automountServiceAccountToken).toBe(false);
});

test("an engine has GPUs, shared memory, writable caches and a start as long as the pool says", () => {
  const template = poolTemplate(seen(pool()));
  const engine = containerOf(template, "engine");
  expect(engine.resources.limits).toEqual({ "nvidia.com/gpu": "1" });
  expect(engine.volumeMounts.map(({ mountPath }: Loose) => mountPath)).toEqual([
    "/dev/shm",
    "/cache",
    "/tmp",
    "/models/model",
    "/models/draft",
  ]);
  expect(engine.startupProbe.periodSeconds * engine.startupProbe.failureThreshold).toBe(600);
  expect(template.spec).toMatchObject({
    readinessGates: [{ conditionType: "slipstream.dev/warm" }],
    priorityClassName: "slipstream-inline",
    nodeSelector: { "nvidia.com/gpu.product": "NVIDIA-L40S" },
  });
  expect(engine.args).toContain("--speculative-config");
  expect(JSON.parse(engine.args[engine.args.indexOf("--speculative-config") + 1])).toEqual({
    ...{ method: "draft_model", model: "/models/draft", num_speculative_tokens: 5 },
    num_speculative_tokens_per_batch_size: [[1, 12, 5]],
  });
});

test("a class that is not there is left out, so that pods are not refused for it", () => {
  expect(poolTemplate(seen(pool(), { priorityClasses: new Set() })).spec.priorityClassName).toBeUndefined();
});

test("GPUs by claim are claimed by the engine, and asked for nowhere else", () => {
  const dra = readSpec(gpuClassSpec, { dra: { deviceClass: "gpu.nvidia.com" }, memory: "80Gi" }).spec;
  const template = poolTemplate(
    seen(
      pool((p) => (p.spec.gpu.mode = "DRA")),
      { gpuClass: dra },
    ),
  );
  expect(containerOf(template, "engine").resources).toEqual({ requests: {}, limits: {}, claims: [{ name: "gpu" }] });
  expect(template.spec.resourceClaims).toEqual([{ name: "gpu", resourceClaimTemplateName: "inline-7b-gpu" }]);
});

test("the same pool is the same revision; any change of its pod is another, a change of its number is none", () => {
  const of = (change: (p: Loose) => void) => poolTemplate(seen(pool(change))).revision;
  const first = of(() => undefined);
  expect(of(() => undefined)).toBe(first);
  expect(of((p) => (p.spec.replicas = 7))).toBe(first);
  expect(of((p) => (p.spec.speculative.numTokens = 4))).not.toBe(first);
  expect(of((p) => p.spec.engine.args.push("--max-model-len=8192"))).not.toBe(first);
});

const base = { method: "None", numTokens: 4 } as const;
test.each<[string, Loose, string, Loose]>([
  ["nothing", base, "0.32.0", undefined],
  ["a draft model", { ...base, method: "DraftModel" }, "0.32.0", { method: "draft_model", num_speculative_tokens: 4, model: "/d" }],
  [
    "EAGLE-3",
    { ...base, method: "EAGLE3", draftTensorParallel: 1 },
    "0.32.0",
    { method: "eagle3", num_speculative_tokens: 4, model: "/d", draft_tensor_parallel_size: 1 },
  ],
  [
    "lookups",
    { ...base, method: "NGram" },
    "0.32.0",
    { method: "ngram", num_speculative_tokens: 4, prompt_lookup_max: 4, prompt_lookup_min: 2 },
  ],
  ["suffixes", { ...base, method: "Suffix" }, "0.32.0", { method: "suffix", num_speculative_tokens: 4 }],
  [
    "a bound by batch, now",
    { ...base, method: "MTP", disableAboveBatch: 8 },
    "0.33.0",
    { method: "mtp", num_speculative_tokens: 4, num_speculative_tokens_per_batch_size: [[1, 8, 4]] },
  ],
  [
    "a bound by batch, of the first scheduler",
    { ...base, method: "MTP", disableAboveBatch: 8 },
    "0.9.2",
    { method: "mtp", num_speculative_tokens: 4, disable_by_batch_size: 8 },
  ],
  [
    "a bound by batch, where it cannot be said",
    { ...base, method: "MTP", disableAboveBatch: 8 },
    "0.19.1",
    { method: "mtp", num_speculative_tokens: 4 },
  ],
])("vLLM is told of %s in its version's words", (_, given, version, said) => {
  expect(vllmSpeculation(given, version, "/d")).toEqual(said);
});

test.each<[string, Loose, string, Loose]>([
  ["nothing", base, "1.2.1", {}],
  [
    "EAGLE-3",
    { ...base, method: "EAGLE3", numTokens: 3 },
    "1.2.1",
    { speculative_config: { decoding_type: "Eagle3", max_draft_len: 3, speculative_model: "/d", eagle3_one_model: true } },
  ],
  [
    "EAGLE-3, before",
    { ...base, method: "EAGLE3", numTokens: 3 },
    "1.1.0",
    { speculative_config: { decoding_type: "Eagle", max_draft_len: 3, speculative_model_dir: "/d", eagle3_one_model: true } },
  ],
  [
    "a draft model",
    { ...base, method: "DraftModel" },
    "1.2.1",
    {
      speculative_config: { decoding_type: "Draft_Target", max_draft_len: 4, speculative_model: "/d" },
      disable_overlap_scheduler: true,
    },
  ],
  [
    "lookups",
    { ...base, method: "NGram", disableAboveBatch: 8 },
    "1.2.1",
    {
      speculative_config: { decoding_type: "NGram", max_draft_len: 4, max_matching_ngram_size: 4, max_concurrency: 8 },
      disable_overlap_scheduler: true,
    },
  ],
])("TensorRT-LLM is told of %s in its version's words", (_, given, version, said) => {
  expect(tensorrtSpeculation(given, version, "/d")).toEqual(said);
});

test("TensorRT-LLM's settings are a file, and a change of it is a revision", () => {
  const chat = (change: (p: Loose) => void = () => undefined) =>
    poolTemplate(
      seen(
        pool((p) => {
          Object.assign(p.spec, {
            tier: "Chat",
            engine: { type: "TensorRTLLM", config: { kv_cache_config: { enable_block_reuse: true } } },
          });
          p.spec.speculative = { method: "EAGLE3", draft: p.spec.speculative.draft, numTokens: 3 };
          change(p);
        }),
      ),
    );
  const template = chat();
  expect(JSON.parse(template.config["engine.yaml"])).toMatchObject({
    kv_cache_config: { enable_block_reuse: true },
    speculative_config: { decoding_type: "Eagle3", speculative_model: "/models/draft" },
  });
  expect(containerOf(template, "engine").volumeMounts).toContainEqual(expect.objectContaining({ name: "engine-config" }));
  expect(chat((p) => (p.spec.speculative.numTokens = 4)).revision).not.toBe(template.revision);
});

const cacheSeen = (change: (c: Loose) => void, more: Partial<CacheSeen> = {}): CacheSeen => {
  const object = live(cache(change));
  return {
    cache: object,
    spec: readSpec(modelCacheSpec, object.spec).spec as never,
    children: new Map(),
    pods: [],
    gpuClass: undefined,
    nodes: [],
    setting,
    wallMs: 0,
    ...more,
  };
};

test("a model on a volume is fetched by one Job, with its source's token, mirror, proxy and authorities", () => {
  const { apply } = cachePlan(
    cacheSeen((c) => {
      Object.assign(c.spec.source, {
        secretRef: "token",
        mirror: "https://mirror",
        proxy: "http://proxy:3128",
        caConfigMapRef: "ca",
      });
      c.spec.checksum = `sha256:${"d".repeat(64)}`;
    }),
  );
  expect(apply.map(({ kind }) => kind)).toEqual(["PersistentVolumeClaim", "Job"]);
  expect(apply[1]?.spec.template.spec.containers[0].args).toEqual([
    ...[
      "fetch",
      "hf://acme/coder-7b",
      "--to",
      "/models/files",
      "--revision",
      `sha256:${"a".repeat(64)}`,
      "--checksum",
      `sha256:${"d".repeat(64)}`,
    ],
    ...[
      "--mirror",
      "https://mirror",
      "--proxy",
      "http://proxy:3128",
      "--ca",
      "/etc/slipstream/source-ca/ca.crt",
      "--token-file",
      "/etc/slipstream/source-token/token",
    ],
  ]);
});

test("a Job of another source leaves before it is made anew, because its template cannot change", () => {
  const [, before] = cachePlan(cacheSeen(() => undefined)).apply;
  const children = new Map([["Job/coder-7b-fetch", before as Loose]]);
  const plan = cachePlan(cacheSeen((c) => (c.spec.source.proxy = "http://proxy:3128"), { children }));
  expect([plan.apply.map(({ kind }) => kind), plan.remove.map(({ kind }) => kind)]).toEqual([["PersistentVolumeClaim"], ["Job"]]);
  expect(cachePlan(cacheSeen(() => undefined, { children })).remove).toEqual([]);
});

test("an image is pulled ahead on every node of its class, by digest", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const { apply } = cachePlan(
    cacheSeen(
      (c) =>
        Object.assign(c.spec, {
          source: { image: `r/coder@${digest}` },
          storage: { mode: "Image" },
          prefetch: { perNode: true, gpuClassRef: "l40s" },
        }),
      { nodes: ["gpu-1", "gpu-2.example"] },
    ),
  );
  expect(apply.map(({ metadata }) => metadata.name)).toEqual(["coder-7b-gpu-1", "coder-7b-gpu-2-example"]);
  expect(apply[0]?.spec.template.spec).toMatchObject({
    nodeSelector: { "kubernetes.io/hostname": "gpu-1" },
    volumes: [{ image: { reference: `r/coder@${digest}` } }, {}],
  });
});
