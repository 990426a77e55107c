import { expect, test } from "vitest";
import { systemClock, writtenTime } from "../lib/clock.ts";
import type { Status } from "../router/status.ts";
import { cache, cpuPool, gpuClass, type Loose, pool, service } from "../test/support/cluster-objects.ts";
import type { Behaviour } from "../test/support/fake-controllers.ts";
import { kubeOf } from "../test/support/kube.ts";
import { Operated } from "../test/support/operated.ts";
import { until } from "../test/support/until.ts";
import { look } from "./doctor.ts";
import { diagnose } from "./doctor-cluster.ts";
import { diagnoseRouter } from "./doctor-router.ts";

const draft = cache((made) => {
  made.metadata.name = "coder-draft";
  made.spec.revision = `sha256:${"b".repeat(64)}`;
});
const whole = () => [gpuClass(), cache(), draft, pool(), service()];
const node = (more: object = {}, labels: Record<string, string> = { "nvidia.com/gpu.product": "NVIDIA-L40S" }) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "node-1", labels },
  status: { allocatable: { "nvidia.com/gpu": "8" }, conditions: [{ type: "Ready", status: "True" }] },
  ...more,
});

/** A pod whose container waits, or ended. */
const container =
  (state: object, more: object = {}) =>
  (made: Loose) => {
    made.status.conditions = made.status.conditions.filter(({ type }: Loose) => type === "PodScheduled");
    made.status.containerStatuses = [{ name: "engine", restartCount: 4, state, ...more }];
  };
const notReady = (made: Loose) => {
  made.status.conditions = made.status.conditions.filter(({ type }: Loose) => type === "PodScheduled");
};

interface Situation {
  readonly what: string;
  readonly objects?: readonly Loose[];
  readonly nodes?: readonly Loose[];
  readonly behaviour?: Behaviour;
  readonly next?: (world: Operated) => void;
  /** Kind and name whose Ready is read. */
  readonly of?: readonly [string, string];
  readonly ready?: readonly [reason: string, message: RegExp];
  readonly doctor: RegExp;
}

const pools = ["workerpools", "inline-7b"] as const;
const caches = ["modelcaches", "coder-7b"] as const;
const services = ["completionservices", "acme"] as const;

const situations: readonly Situation[] = [
  {
    what: "no GPU is free",
    behaviour: { room: 0 },
    ready: ["Unschedulable", /0 of 2 workers serve: 2 pods, .* Insufficient nvidia.com\/gpu/],
    doctor: /inline-7b: 0 of 2 .*\n.*free or add GPUs/,
  },
  {
    what: "an image that cannot be pulled",
    behaviour: { pod: container({ waiting: { reason: "ImagePullBackOff", message: "not found" } }) },
    ready: ["ImagePullFailed", /container engine cannot pull its image: not found/],
    doctor: /cannot pull its image.*\n.*imagePullSecrets/,
  },
  {
    what: "an engine that ends again and again",
    behaviour: {
      pod: container(
        { waiting: { reason: "CrashLoopBackOff" } },
        { lastState: { terminated: { exitCode: 1, message: "x\nCUDA error: no kernel image" } } },
      ),
    },
    ready: ["CrashLoop", /ended 4 times, last with 1 status: CUDA error/],
    doctor: /CUDA error: no kernel image.*\n.*Read the log/,
  },
  {
    what: "an engine without enough memory",
    behaviour: {
      pod: container(
        { waiting: { reason: "CrashLoopBackOff" } },
        { lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } } },
      ),
    },
    ready: ["OutOfMemory", /killed for its memory, 4 restarts/],
    doctor: /killed for its memory.*\n.*Raise `podTemplate.resources.memory`/,
  },
  {
    what: "a Secret that a container needs",
    behaviour: { pod: container({ waiting: { reason: "CreateContainerConfigError", message: 'secret "x" not found' } }) },
    ready: ["ContainerConfigError", /secret "x" not found/],
    doctor: /Create the Secret or ConfigMap/,
  },
  {
    what: "a pod evicted for its node's disk",
    behaviour: {
      pod: (made) => {
        notReady(made);
        Object.assign(made.status, { phase: "Failed", reason: "Evicted", message: "low on ephemeral-storage" });
      },
    },
    ready: ["Evicted", /low on ephemeral-storage/],
    doctor: /disk and memory pressure/,
  },
  {
    what: "a device claim without a device",
    behaviour: {
      pod: (made) => {
        made.status.conditions = [
          {
            type: "PodScheduled",
            status: "False",
            reason: "Unschedulable",
            message: "0/4 nodes are available: 4 cannot allocate all claims.",
          },
        ];
      },
    },
    ready: ["ClaimPending", /cannot allocate all claims/],
    doctor: /DeviceClass, its driver/,
  },
  {
    what: "a start that takes too long",
    behaviour: { pod: notReady },
    next: (world) => {
      for (const made of world.of("pods"))
        world.server.storage.change(
          "pods",
          "code",
          made.metadata.name,
          (live) => (live.metadata.creationTimestamp = writtenTime(systemClock.wall() - 3_600_000)),
        );
    },
    ready: ["ColdStartSlow", /has been starting for longer than 10m/],
    doctor: /starting for longer than 10m.*\n.*ModelCache/,
  },
  {
    what: "a GPUClass that is not there",
    objects: [cache(), draft, pool()],
    ready: ["GPUClassMissing", /no GPUClass "l40s"/],
    doctor: /no GPUClass "l40s"/,
  },
  {
    what: "a GPUClass of another mode",
    objects: [gpuClass(), cache(), draft, pool((made) => (made.spec.gpu.mode = "DRA"))],
    ready: ["GPUClassMode", /has no dra/],
    doctor: /has no dra/,
  },
  {
    what: "a ModelCache that is not there",
    objects: [gpuClass(), draft, pool()],
    ready: ["ModelCacheMissing", /no ModelCache "coder-7b"/],
    doctor: /no ModelCache "coder-7b"/,
  },
  {
    what: "a ModelCache of another revision",
    objects: [gpuClass(), draft, cache((made) => (made.spec.revision = `sha256:${"c".repeat(64)}`)), pool()],
    ready: ["ModelRevisionDiffers", /model.revision is sha256:aaa/],
    doctor: /holds sha256:ccc/,
  },
  {
    what: "several nodes without LeaderWorkerSets",
    objects: [gpuClass(), cache(), draft, pool((made) => (made.spec.parallelism = { nodes: 2, tensor: 2 }))],
    ready: ["LeaderWorkerSetMissing", /does not know LeaderWorkerSets/],
    doctor: /Install LeaderWorkerSet/,
  },
  {
    what: "a download that failed",
    behaviour: { job: "Failed" },
    of: caches,
    ready: ["DownloadFailed", /BackoffLimitExceeded/],
    doctor: /ModelCache code\/coder-7b: BackoffLimitExceeded.*\n.*token, proxy/,
  },
  {
    what: "a download under way",
    behaviour: { job: "runs" },
    ready: ["Downloading", /ModelCache "coder-7b" is not ready: the model is being downloaded/],
    doctor: /being downloaded.*\n.*Wait/,
  },
  {
    what: "a tier whose pool is not there",
    objects: [service()],
    of: services,
    ready: ["PoolMissing", /no WorkerPool "inline-7b"/],
    doctor: /no WorkerPool "inline-7b"/,
  },
  {
    what: "routers that do not start",
    behaviour: {
      pod: (made) =>
        made.metadata.labels["slipstream.dev/service"] &&
        container({ waiting: { reason: "ImagePullBackOff", message: "denied" } })(made),
    },
    of: services,
    ready: ["ImagePullFailed", /denied/],
    doctor: /CompletionService code\/acme: pod.*denied|CompletionService code\/acme: .*denied/,
  },
  {
    what: "an object of another release",
    objects: [cpuPool((made) => (made.spec.engine.type = "SGLang"))],
    of: ["workerpools", "dev"],
    ready: ["InvalidSpec", /spec.engine.type/],
    doctor: /Install the CRDs of the operator's release/,
  },
  {
    what: "a namespace's quota",
    next: (world) => {
      const [made] = world.of("deployments").filter(({ metadata }) => metadata.name.startsWith("inline"));
      world.server.storage.change(
        "deployments",
        "code",
        made.metadata.name,
        (live) => (live.status = { conditions: [{ type: "ReplicaFailure", status: "True", message: "exceeded quota: gpus" }] }),
      );
    },
    behaviour: { room: 0 },
    ready: ["QuotaExceeded", /exceeded quota: gpus/],
    doctor: /Raise the quota/,
  },
  { what: "a class that no node has", nodes: [node({}, { other: "x" })], doctor: /GPUClass l40s: no node has its labels/ },
  {
    what: "nodes without their device plugin",
    nodes: [node({ status: { allocatable: {}, conditions: [] } })],
    doctor: /its 1 nodes offer no nvidia.com\/gpu\n.*device plugin/,
  },
  { what: "cordoned nodes", nodes: [node({ spec: { unschedulable: true } })], doctor: /all 1 nodes that have it are cordoned/ },
  {
    what: "more GPUs wanted than there are",
    nodes: [node({ status: { allocatable: { "nvidia.com/gpu": "1" }, conditions: [] } })],
    doctor: /2 are wanted by 1 pools, and its nodes offer 1/,
  },
  { what: "a pool that nobody names", objects: [cpuPool()], doctor: /dev: no CompletionService names it/ },
  {
    what: "missing priorities",
    objects: [cpuPool()],
    doctor: /PriorityClasses slipstream-inline, slipstream-chat, slipstream-batch are missing/,
  },
];

test.each(situations)(
  "$what is told by Ready and by the doctor, with what to do",
  async ({ objects, nodes = [node()], behaviour = {}, next, of = pools, ready, doctor }) => {
    await using world = await Operated.start(behaviour);
    for (const each of nodes) world.server.storage.create("nodes", each);
    world.put(...structuredClone(objects ?? whole()));
    world.operator();
    if (next) {
      await until("pods", () => world.of("pods").length >= 4);
      next(world);
    }
    const [plural, name] = of;
    if (ready) {
      const said = () => world.condition(plural, name);
      // A first judgement may be of less than is there.
      await until(`Ready is ${ready[0]}`, () => said()?.reason === ready[0] && ready[1].test(said().message)).catch(
        () => undefined,
      );
      expect(said()).toMatchObject({ reason: ready[0], message: expect.stringMatching(ready[1]) });
    } else
      await world.settled("it is judged", () => world.of("workerpools").every((made) => made.status?.conditions !== undefined));
    const kube = kubeOf(world.server);
    const findings = diagnose(await look(kube.cluster, { namespace: undefined, operator: "slipstream-system" }));
    await kube.close();
    expect(findings.map(({ about, says, todo }) => `${about}: ${says}\n → ${todo}`).join("\n")).toMatch(doctor);
  },
);

const snapshot = {
  unread: new Map<string, string>(),
  pools: [],
  services: [],
  caches: [],
  gpuClasses: [],
  nodes: [],
  pods: [],
  priorityClasses: [],
  lease: undefined,
  wallMs: 1_700_000_000_000,
};
const lease = (renewTime: string) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "l" },
  spec: { holderIdentity: "one", leaseDurationSeconds: 15, renewTime },
});

test.each([
  ["no custom resources", { unread: new Map([["WorkerPool", "not found"]]) }, /not installed/],
  ["no right to look", { unread: new Map([["Node", "nodes is forbidden"]]) }, /Node objects cannot be read: nodes is forbidden/],
  ["no operator", {}, /no operator leads/],
  ["an operator that hangs", { lease: lease("2023-11-14T22:00:00Z") }, /has not renewed its lease for \d+ s/],
  [
    "an object never looked at",
    { lease: lease("2023-11-14T22:13:19Z"), pools: [cpuPool((made) => (made.metadata.generation = 1))] },
    /never looked at it/,
  ],
  [
    "a change not looked at",
    {
      lease: lease("2023-11-14T22:13:19Z"),
      pools: [
        cpuPool((made) =>
          Object.assign(made, { metadata: { ...made.metadata, generation: 3 }, status: { observedGeneration: 2 } }),
        ),
      ],
    },
    /not looked at its last change \(generation 3\)/,
  ],
  ...(
    [
      ["two who write one number", "ScalingActive", "False", "ReplicasConflict", /Leave one/],
      ["GPUs that others have", "ScalingActive", "True", "GPUsScarce", /Add GPUs/],
      ["workers that do not come", "CapacityAvailable", "False", "CapacityStalled", /tried again by itself/],
      ["a rollout that waits for a GPU", "Progressing", "False", "NoFreeGPU", /strategy. Auto/],
      ["a canary that was taken back", "Degraded", "True", "CanaryAborted", /correct the spec/],
    ] as const
  ).map(([what, type, status, reason, todo]): [string, object, RegExp] => [
    what,
    {
      lease: lease("2023-11-14T22:13:19Z"),
      pools: [
        cpuPool((made) =>
          Object.assign(made, {
            metadata: { ...made.metadata, generation: 1 },
            status: { observedGeneration: 1, conditions: [{ type, status, reason, message: "as it is told" }] },
          }),
        ),
      ],
    },
    new RegExp(`as it is told .*${todo.source}`),
  ]),
  [
    "a pod that does not end",
    {
      lease: lease("2023-11-14T22:13:19Z"),
      pods: [
        { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "code", deletionTimestamp: "2023-11-14T20:00:00Z" } },
      ],
    },
    /ending for more than five minutes/,
  ],
])("%s is told", (_, more, says) => {
  expect(
    diagnose({ ...snapshot, ...more })
      .map((each) => `${each.says} → ${each.todo}`)
      .join("\n"),
  ).toMatch(says);
});

const healthy = {
  ...{
    version: "1",
    router: "r",
    ready: true,
    missing: [],
    uptimeS: 1,
    links: { ready: 1, all: 1 },
    workers: [],
    queued: 0,
    idleShare: 0,
  },
  ...{
    policy: { path: "", version: 0 },
    bus: { connected: true, routers: [], outcomesWaiting: 0 },
    outcomes: {},
    firstTextMs: { p50: 1, p95: 2 },
  },
  ...{ promptTokens: { cached: 0, recomputed: 0 }, value: [], files: [] },
} as unknown as Status;

test.each<[string, object, RegExp | undefined]>([
  ["a healthy router", {}, undefined],
  ["no worker", { links: { ready: 0, all: 0 } }, /knows no worker/],
  ["workers that do not answer", { links: { ready: 0, all: 3 } }, /none of its 3 workers answers/],
  ["a policy with a problem", { policy: { path: "p", version: 1, problem: "tiers: …" } }, /the last good one holds/],
  ["a bus that is away", { bus: { connected: false, routers: [], outcomesWaiting: 5 } }, /the bus is away/],
  ["a crowd that waits", { queued: 500 }, /500 triggers wait/],
])("of a running router, %s", (_, more, says) => {
  const found = diagnoseRouter({ ...healthy, ...more } as Status);
  if (says) expect(found.map((each) => each.says).join("\n")).toMatch(says);
  else expect(found).toEqual([]);
});
