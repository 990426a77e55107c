// doctor-cluster: a cluster as it stands in, what is wrong with it and what to do out, the gravest first. An ordered list of questions
// over one snapshot; each looks at one thing and says a sentence. What the operator judged already is taken from its conditions.
import { wallOf } from "../lib/clock.ts";
import { type ReasonWord, reasonTable } from "../operator/api/conditions.ts";
import type { Json, KubeObject } from "../operator/objects.ts";

export interface Finding {
  /** What it is about: "WorkerPool code/inline-7b". */
  readonly about: string;
  readonly says: string;
  readonly todo: string;
  /** broken: people notice. poor: it works, less well than it should. */
  readonly grade: "broken" | "poor";
}

export interface Snapshot {
  /** Kinds that could not be listed, with why. */
  readonly unread: ReadonlyMap<string, string>;
  readonly pools: readonly KubeObject[];
  readonly services: readonly KubeObject[];
  readonly caches: readonly KubeObject[];
  readonly gpuClasses: readonly KubeObject[];
  readonly nodes: readonly KubeObject[];
  readonly pods: readonly KubeObject[];
  readonly priorityClasses: readonly KubeObject[];
  readonly lease: KubeObject | undefined;
  readonly wallMs: number;
}

type Question = (snapshot: Snapshot) => Finding[];

const about = ({ kind, metadata }: KubeObject) =>
  `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
const broken = (what: string, says: string, todo: string): Finding => ({ about: what, says, todo, grade: "broken" });
const poor = (what: string, says: string, todo: string): Finding => ({ about: what, says, todo, grade: "poor" });

const isInstalled: Question = ({ unread }) =>
  unread.get("WorkerPool")?.includes("not found") || unread.get("WorkerPool")?.includes("not there")
    ? [broken("cluster", "the custom resources of Slipstream are not installed", "kubectl apply -f charts/slipstream/install/crds")]
    : [];

const isReadable: Question = ({ unread }) =>
  [...unread]
    .filter(([, why]) => !why.includes("not found") && !why.includes("not there"))
    .map(([kind, why]) =>
      poor("cluster", `${kind} objects cannot be read: ${why}`, `ask for the right to list them; what follows is without them`),
    );

const somebodyLeads: Question = ({ lease, wallMs, unread }) => {
  if (unread.has("Lease")) return [];
  const holder = lease?.spec?.holderIdentity;
  if (!lease || !holder)
    return [
      broken(
        "operator",
        "no operator leads: nothing is put right, and no status is current",
        "start the operator, or read its log (kubectl logs -l app.kubernetes.io/component=operator)",
      ),
    ];
  const ageS = Math.round((wallMs - wallOf(lease.spec.renewTime)) / 1_000);
  const lastsS = Number(lease.spec.leaseDurationSeconds ?? 15);
  return ageS > lastsS * 2
    ? [
        broken(
          "operator",
          `the operator ${holder} has not renewed its lease for ${ageS} s`,
          "see whether its pod runs, and whether it reaches the API",
        ),
      ]
    : [];
};

const isLookedAt: Question = ({ pools, services, caches, lease }) =>
  lease?.spec?.holderIdentity
    ? [...pools, ...services, ...caches]
        .filter(({ status, metadata }) => status?.observedGeneration !== metadata.generation)
        .map((object) =>
          broken(
            about(object),
            object.status?.observedGeneration === undefined
              ? "the operator has never looked at it"
              : `the operator has not looked at its last change (generation ${object.metadata.generation})`,
            "see whether the operator watches this namespace (SLIPSTREAM_OPERATOR_WATCH_NAMESPACES), and its log",
          ),
        )
    : [];

/** What is told already, with the table's advice. Summaries of others' troubles follow from those. */
const isReady: Question = ({ pools, services, caches }) =>
  [...caches, ...pools, ...services].flatMap((object) => {
    const ready = condition(object, "Ready");
    if (!ready || ["Suspended", "NoReplicasWanted", "PoolsNotReady"].includes(ready.reason)) return [];
    const todo = reasonTable[ready.reason as ReasonWord]?.todo ?? "read its message";
    if (ready.status === "False") return [broken(about(object), ready.message, todo)];
    return ready.reason === "RolloutStalled" ? [poor(about(object), ready.message, todo)] : [];
  });

const isAsGoodAsItShould: Question = ({ pools }) =>
  pools.flatMap((pool) => {
    const degraded = condition(pool, "Degraded");
    const slo = condition(pool, "SLOMet");
    return [
      // A rollout that is stalled is in Ready already.
      ...(degraded?.status === "True" && degraded.reason !== "RolloutStalled" ? [told(pool, degraded)] : []),
      ...(slo?.status === "False" ? [poor(about(pool), slo.message, reasonTable.SLOMissed.todo)] : []),
      ...(slo?.status === "Unknown" && condition(pool, "Ready")?.status === "True"
        ? [poor(about(pool), slo.message, reasonTable[slo.reason as ReasonWord]?.todo ?? "")]
        : []),
    ];
  });

/** Workers that do not come or go as they should: whose number is disputed, who waits for GPUs that others have, whose rollout waits. */
const sizesAreFollowed: Question = ({ pools }) =>
  pools.flatMap((pool) => {
    const [scaling, room, progress] = ["ScalingActive", "CapacityAvailable", "Progressing"].map((type) => condition(pool, type));
    return [
      ...(scaling?.status === "False" && scaling.reason === "ReplicasConflict" ? [told(pool, scaling)] : []),
      ...(scaling?.reason === "GPUsScarce" ? [told(pool, scaling)] : []),
      ...(room?.status === "False" && room.reason === "CapacityStalled" ? [told(pool, room)] : []),
      ...(progress?.status === "False" && ["NoFreeGPU", "LoadTooHigh"].includes(progress.reason) ? [told(pool, progress)] : []),
    ];
  });

/** With the table's advice. */
const told = (pool: KubeObject, { reason, message }: Json): Finding =>
  poor(about(pool), message, reasonTable[reason as ReasonWord]?.todo ?? "read its message");

const poolsAreUsed: Question = ({ pools, services, unread }) =>
  unread.has("CompletionService")
    ? []
    : pools
        .filter(
          ({ metadata }) =>
            !services.some(
              (service) =>
                service.metadata.namespace === metadata.namespace &&
                (service.spec?.tiers ?? []).some((tier: Json) => tier.pools?.includes(metadata.name)),
            ),
        )
        .map((pool) =>
          poor(about(pool), "no CompletionService names it: its workers serve nobody", "name it in a tier, or suspend it"),
        );

const gpusAreThere: Question = ({ gpuClasses, nodes, pools, unread }) => {
  if (unread.has("Node")) return [];
  return gpuClasses.flatMap((made) => {
    const mine = nodes.filter((node) =>
      Object.entries(made.spec?.nodeSelector ?? {}).every(([name, value]) => node.metadata.labels?.[name] === value),
    );
    const users = pools.filter((pool) => pool.spec?.gpu?.classRef === made.metadata.name && !pool.spec?.suspend);
    if (users.length === 0) return [];
    if (mine.length === 0)
      return [
        broken(
          about(made),
          `no node has its labels (${JSON.stringify(made.spec?.nodeSelector ?? {})})`,
          "label the nodes, or correct nodeSelector",
        ),
      ];
    const resource = made.spec?.devicePlugin as string | undefined;
    const usable = mine.filter((node) => !node.spec?.unschedulable && condition(node, "Ready")?.status !== "False");
    if (usable.length === 0)
      return [broken(about(made), `all ${mine.length} nodes that have it are cordoned or not ready`, "uncordon or repair a node")];
    if (resource === undefined || users.every((pool) => pool.spec?.gpu?.mode === "DRA")) return [];
    const there = usable.reduce((sum, node) => sum + Number(node.status?.allocatable?.[resource] ?? 0), 0);
    if (there === 0)
      return [
        broken(about(made), `its ${usable.length} nodes offer no ${resource}`, "install or repair the device plugin of the nodes"),
      ];
    const wanted = users.reduce(
      (sum, pool) =>
        sum +
        Number(pool.status?.scaling?.desired ?? 0) * Number(pool.spec.gpu.count ?? 1) * Number(pool.spec.parallelism?.nodes ?? 1),
      0,
    );
    return wanted > there
      ? [
          broken(
            about(made),
            `${wanted} are wanted by ${users.length} pools, and its nodes offer ${there}`,
            "want fewer workers, or add nodes",
          ),
        ]
      : [];
  });
};

const prioritiesAreThere: Question = ({ priorityClasses, pools, unread }) => {
  const names = new Set(priorityClasses.map(({ metadata }) => metadata.name));
  const missing = ["slipstream-inline", "slipstream-chat", "slipstream-batch"].filter((name) => !names.has(name));
  return missing.length > 0 && pools.length > 0 && !unread.has("PriorityClass")
    ? [
        poor(
          "cluster",
          `the PriorityClasses ${missing.join(", ")} are missing: chat may take GPUs that typing needs`,
          "kubectl apply -f charts/slipstream/install/priority-classes.yaml",
        ),
      ]
    : [];
};

const podsEnd: Question = ({ pods, wallMs }) =>
  pods
    .filter(({ metadata }) => metadata.deletionTimestamp !== undefined && wallMs - wallOf(metadata.deletionTimestamp) > 5 * 60_000)
    .map((pod) =>
      poor(
        about(pod),
        "has been ending for more than five minutes",
        "its node is most likely lost: repair it, or delete the pod with --force",
      ),
    );

const questions: readonly Question[] = [
  ...[isInstalled, isReadable, somebodyLeads, isLookedAt, gpusAreThere, isReady],
  ...[isAsGoodAsItShould, sizesAreFollowed, poolsAreUsed, prioritiesAreThere, podsEnd],
];

export function diagnose(snapshot: Snapshot): Finding[] {
  const found = questions.flatMap((ask) => ask(snapshot));
  return [...found.filter(({ grade }) => grade === "broken"), ...found.filter(({ grade }) => grade === "poor")];
}

function condition({ status }: KubeObject, type: string): Json {
  return (status?.conditions ?? []).find((each: Json) => each.type === type);
}
