import { expect, test } from "vitest";
import { readRouterConfig } from "../../router/config.ts";
import { cache, cpuPool, type Loose, pool, service } from "../../test/support/cluster-objects.ts";
import { live, poolSeen as seen, serviceSeen, setting } from "../../test/support/pool-seen.ts";
import { readWorkerConfig } from "../../workers/config.ts";
import { completionServiceSpec } from "../api/completion-service.ts";
import { readDefaults } from "../api/defaults.ts";
import { gpuClassSpec } from "../api/gpu-class.ts";
import { modelCacheSpec } from "../api/model-cache.ts";
import { readSpec } from "../api/read.ts";
import { decideCache, decideGuessing, decidePool } from "../decide/decide.ts";
import type { KubeObject } from "../objects.ts";
import { type CacheSeen, childKey, type Plan, type PoolSeen, type ServiceSeen } from "../pool.ts";
import { cachePlan, poolPlan, poolTemplate, servicePlan } from "./desired.ts";
import { vllmSpeculation } from "./speculation.ts";

function poolObjects(of: PoolSeen) {
  const template = poolTemplate(of);
  return poolPlan(of, decidePool(of, template.revision, decideGuessing(of)), template);
}

const env = (container: Loose) =>
  Object.fromEntries(container.env.map(({ name, value, valueFrom }: Loose) => [name, value ?? (valueFrom ? "pod" : "")]));
/** As the kubelet would fill it in. */
/** As a process of this release reads it, which is to know every name. */
const filled = (given: Record<string, string>) => ({
  ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value.replace("$(POD_IP)", "10.0.0.1")])),
  SLIPSTREAM_UNKNOWN_SETTINGS: "refuse",
});
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
    workersDns: ["chat-32b-workers.code.svc:7421", "inline-7b-workers.code.svc:7421"],
    linkServerName: "workers.slipstream.internal",
    insecure: false,
  });
});

test("a service and a pool of one name have no object in common", () => {
  const ofPool = poolObjects(seen(cpuPool((p) => (p.metadata.name = "dev"))));
  const ofService = servicePlan(serviceSeen(service((s) => (s.metadata.name = "dev"))));
  const named = (plan: Pick<Plan, "apply" | "certificates">) => [
    ...plan.apply.map(childKey),
    ...plan.certificates.flatMap(({ secret, keys }) => [`Secret/${secret}`, ...(keys ? [`Secret/${keys.secret}`] : [])]),
  ];
  expect(named(ofPool).length).toBeGreaterThan(4);
  expect(named(ofPool).filter((name) => named(ofService).includes(name))).toEqual([]);
});

test("what the installer says is for pods whose objects say nothing, and an object's own word comes first", () => {
  const defaults = readDefaults(
    JSON.stringify({
      imageRegistry: "registry.example/mirror/",
      router: { labels: { team: "a" }, imagePullSecrets: ["mirror"], resources: { cpu: "250m" }, networkPolicy: false },
      workers: {
        ...{ tolerations: [{ key: "gpu", operator: "Exists" }], nodeSelector: { zone: "a" }, imagePullSecrets: ["mirror"] },
        ...{
          env: [
            { name: "HTTPS_PROXY", value: "proxy:3128" },
            { name: "MINE", value: "no" },
          ],
          priorityClassName: "house",
        },
        ...{ disruptionBudget: false },
      },
    }),
    "defaults.json",
  );
  const given = { setting: { ...setting, defaults } };
  const template = poolTemplate(
    seen(
      pool(
        (p) =>
          (p.spec.podTemplate = { env: [{ name: "MINE", value: "yes" }], nodeSelector: { zone: "b" }, imagePullSecrets: ["own"] }),
      ),
      given,
    ),
  );
  const engine = containerOf(template, "engine");
  expect(engine.image).toMatch(/^registry\.example\/mirror\/vllm\/vllm-openai:v/);
  expect(env(engine)).toMatchObject({ HTTPS_PROXY: "proxy:3128", MINE: "yes" });
  expect(template.spec).toMatchObject({
    tolerations: [{ key: "gpu", operator: "Exists" }],
    nodeSelector: { zone: "b" },
    imagePullSecrets: [{ name: "mirror" }, { name: "own" }],
    priorityClassName: "house",
  });
  const plan = servicePlan(serviceSeen(service(), given));
  const router = plan.apply.find(({ kind }) => kind === "Deployment")?.spec.template;
  expect(router.metadata.labels.team).toBe("a");
  expect(router.spec.containers[0].resources).toEqual({ requests: { cpu: "250m", memory: "1Gi" }, limits: { memory: "1Gi" } });
  expect(plan.apply.map(({ kind }) => kind)).not.toContain("NetworkPolicy");
  expect(poolObjects(seen(pool(), given)).apply.map(({ kind }) => kind)).not.toContain("PodDisruptionBudget");
});

const ports = (rules: readonly Loose[]) =>
  rules.map(({ to = ["anywhere"], ports }) => `${JSON.stringify(to)} ${ports.map((each: Loose) => each.port)}`);

test("out of routers and workers one reaches names, links, the bus by its own port, and what the installer allows", () => {
  const further = { to: [{ ipBlock: { cidr: "10.1.0.0/16" } }], ports: [{ port: 4318, protocol: "TCP" }] };
  const defaults = readDefaults(JSON.stringify({ router: { egress: [further] }, workers: { egress: [] } }), "defaults.json");
  const given = { setting: { ...setting, natsServers: ["a:4222", "b:4222", "c:5222"], defaults } };
  const policy = (apply: readonly Loose[]) => apply.find(({ kind }) => kind === "NetworkPolicy")?.spec as Loose;
  const router = policy(servicePlan(serviceSeen(service(), given)).apply);
  expect(router.policyTypes).toEqual(["Ingress", "Egress"]);
  expect(ports(router.egress)).toEqual([
    '["anywhere"] 53,53',
    '["anywhere"] 4222,5222',
    '[{"podSelector":{"matchLabels":{"app.kubernetes.io/component":"worker"}}}] 7421',
    '[{"ipBlock":{"cidr":"10.1.0.0/16"}}] 4318',
  ]);
  const elsewhere = cpuPool((p) => (p.spec.engine = { type: "OpenAI", endpoint: "http://models.example:8000" }));
  expect(ports(policy(poolObjects(seen(elsewhere, given)).apply).egress)).toEqual([
    '["anywhere"] 53,53',
    '["anywhere"] 4222,5222',
    '["anywhere"] 8000',
  ]);
  // Where the installer says nothing, out is no matter of the policy, and one that was goes with the next write.
  const open = policy(servicePlan(serviceSeen(service())).apply);
  expect(open.policyTypes).toEqual(["Ingress"]);
  expect(open.egress).toBeUndefined();
});

test("a budget that the installer does not want any more goes", () => {
  const [budget] = servicePlan(serviceSeen(service())).apply.filter(({ kind }) => kind === "PodDisruptionBudget");
  const defaults = readDefaults('{"router": {"disruptionBudget": false}}', "defaults.json");
  const children = new Map([[childKey(budget as KubeObject), budget as KubeObject]]);
  const { remove } = servicePlan(serviceSeen(service(), { setting: { ...setting, defaults }, children }));
  expect(remove).toEqual([budget]);
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
    num_speculative_tokens_per_batch_size: [
      [1, 12, 5],
      [13, 65_536, 0],
    ],
  });
});

test("an engine that listens on loopback alone is asked for its health from within", () => {
  const engine = containerOf(poolTemplate(seen(pool())), "engine");
  expect([...engine.command, ...engine.args].slice(0, 7)).toEqual([
    ...["vllm", "serve", "/models/model", "--host", "127.0.0.1", "--port", "8000"],
  ]);
  for (const probe of [engine.startupProbe, engine.livenessProbe])
    expect([probe.httpGet, probe.exec.command.join(" ")]).toEqual([
      undefined,
      expect.stringContaining("http://127.0.0.1:8000/health"),
    ]);
});

test("an embedded engine is told of its model, and of its draft or that there is none", () => {
  const of = (speculative: object) => {
    const model = { cacheRef: "coder-7b", revision: `sha256:${"a".repeat(64)}` };
    const given = env(containerOf(poolTemplate(seen(cpuPool((p) => Object.assign(p.spec, { model, speculative })))), "agent"));
    return [given["SLIPSTREAM_WORKER_MODEL"], given["SLIPSTREAM_WORKER_DRAFT_MODEL"]];
  };
  const draft = { cacheRef: "coder-draft", revision: `sha256:${"b".repeat(64)}` };
  expect(of({ method: "DraftModel", draft })).toEqual(["/models/model", "/models/draft"]);
  expect(of({ method: "NGram" })).toEqual(["/models/model", "none"]);
});

test("processes may be older than what renders them: what is not asked for is not said, and a name that they do not know is none's mistake", () => {
  const of = (requests: number, prefixReplay: number) => {
    const made = cpuPool((p) => (p.spec.startup = { warmup: { requests, prefixReplay } }));
    return env(containerOf(poolTemplate(seen(made)), "agent"));
  };
  const names = (given: Record<string, string>) => Object.keys(given).filter((name) => name.includes("WARM"));
  expect(names(of(0, 0))).toEqual([]);
  expect(names(of(16, 8))).toEqual(["SLIPSTREAM_WORKER_WARM_UP", "SLIPSTREAM_WORKER_WARM_PREFIXES"]);
  expect(of(0, 0)["SLIPSTREAM_UNKNOWN_SETTINGS"]).toBe("ignore");
  // An engine behind HTTP is warmed as long as it takes where nobody says how much.
  const behind = pool((p) => (p.spec.startup = { warmup: { requests: 0 } }));
  expect(env(containerOf(poolTemplate(seen(behind)), "agent"))["SLIPSTREAM_WORKER_WARM_UP"]).toBe("0");
});

test("times of the cluster's form are told to processes in theirs", () => {
  const made = cpuPool((p) => Object.assign(p.spec, { drain: { timeout: "1m30s" }, startup: { deadline: "1h30m" } }));
  expect(readWorkerConfig(filled(env(containerOf(poolTemplate(seen(made)), "agent")))).graceMs).toBe(90_000);
  const engine = pool((p) => (p.spec.startup = { deadline: "1h30m" }));
  expect(readWorkerConfig(filled(env(containerOf(poolTemplate(seen(engine)), "agent")))).engineStartMs).toBe(3_600_000);
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
    {
      method: "mtp",
      num_speculative_tokens: 4,
      num_speculative_tokens_per_batch_size: [
        [1, 8, 4],
        [9, 65_536, 0],
      ],
    },
  ],
  [
    "lengths by batch",
    {
      ...base,
      method: "MTP",
      byBatch: [
        { upTo: 16, numTokens: 1 },
        { upTo: 4, numTokens: 4 },
      ],
    },
    "0.32.0",
    {
      method: "mtp",
      num_speculative_tokens: 4,
      num_speculative_tokens_per_batch_size: [
        [1, 4, 4],
        [5, 16, 1],
        [17, 65_536, 0],
      ],
    },
  ],
  [
    "a bound by batch, of the first scheduler",
    { ...base, method: "MTP", disableAboveBatch: 8 },
    "0.9.2",
    { method: "mtp", num_speculative_tokens: 4, disable_by_batch_size: 8 },
  ],
])("vLLM is told of %s in its version's words", (_, given, version, said) => {
  expect(vllmSpeculation(given, version, "/d")).toEqual(said);
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
    engineClasses: new Map(),
    mountedEngines: new Set(),
    setting,
    wallMs: 0,
    ...more,
  };
};

const planned = (of: CacheSeen) => cachePlan(of, decideCache(of));

test("a model on a volume is fetched by one Job, with its source's token, mirror, proxy and authorities", () => {
  const { apply } = planned(
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
  const [, before] = planned(cacheSeen(() => undefined)).apply;
  const children = new Map([["Job/coder-7b-fetch", before as Loose]]);
  const plan = planned(cacheSeen((c) => (c.spec.source.proxy = "http://proxy:3128"), { children }));
  expect([plan.apply.map(({ kind }) => kind), plan.remove.map(({ kind }) => kind)]).toEqual([["PersistentVolumeClaim"], ["Job"]]);
  expect(planned(cacheSeen(() => undefined, { children })).remove).toEqual([]);
});

test("an image is pulled ahead on every node of its class, by digest", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const { apply } = planned(
    cacheSeen(
      (c) =>
        Object.assign(c.spec, {
          source: { image: `r/coder@${digest}` },
          storage: { mode: "Image" },
          prefetch: { perNode: true, gpuClassRef: "l40s" },
        }),
      { nodes: ["gpu-1", "gpu-2.example", ...["a", "b"].map((last) => `gke-${"pool-of-accelerators-".repeat(3)}${last}`)] },
    ),
  );
  const names = apply.map(({ metadata }) => metadata.name);
  expect(new Set(names).size).toBe(4);
  expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(63);
  expect(names.slice(0, 2)).toEqual(["coder-7b-gpu-1", "coder-7b-gpu-2-example"]);
  expect(apply[0]?.spec.template.spec).toMatchObject({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["gpu-1"] }] }],
        },
      },
    },
    volumes: [{ image: { reference: `r/coder@${digest}` } }, {}],
  });
});
