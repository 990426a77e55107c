// rbac: what the operator may do, and no more: no "*", no list of Secrets. With namespaces to watch it is bound there alone; else
// in the whole cluster. Tests run the operator under this role on a real apiserver.
import { group } from "./resources.ts";

const read = ["get", "list", "watch"];
const own = [...read, "create", "patch", "delete"];

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** Of namespaces: bound by a Role in each that is watched, or by the ClusterRole. */
const inNamespaces: readonly Rule[] = [
  { apiGroups: [group], resources: ["completionservices", "workerpools", "modelcaches"], verbs: read },
  {
    apiGroups: [group],
    resources: ["completionservices/status", "workerpools/status", "modelcaches/status"],
    verbs: ["get", "patch"],
  },
  // Owner references with blockOwnerDeletion are refused to whoever may not update the owner's finalizers.
  {
    apiGroups: [group],
    resources: ["completionservices/finalizers", "workerpools/finalizers", "modelcaches/finalizers"],
    verbs: ["update"],
  },
  { apiGroups: ["apps"], resources: ["deployments"], verbs: own },
  { apiGroups: ["leaderworkerset.x-k8s.io"], resources: ["leaderworkersets"], verbs: own },
  { apiGroups: [""], resources: ["services", "configmaps", "persistentvolumeclaims"], verbs: own },
  // Certificates are written and their age is read; nobody's Secrets are listed.
  { apiGroups: [""], resources: ["secrets"], verbs: ["get", "create", "patch", "delete"] },
  // Who leaves is told so on the pod itself, where another operator finds it.
  { apiGroups: [""], resources: ["pods"], verbs: [...read, "patch"] },
  { apiGroups: [""], resources: ["pods/status"], verbs: ["patch"] },
  { apiGroups: ["batch"], resources: ["jobs"], verbs: own },
  { apiGroups: ["policy"], resources: ["poddisruptionbudgets"], verbs: own },
  { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: own },
  { apiGroups: ["autoscaling"], resources: ["horizontalpodautoscalers"], verbs: own },
  { apiGroups: ["resource.k8s.io"], resources: ["resourceclaimtemplates"], verbs: own },
  { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
];

const clusterWide: readonly Rule[] = [
  { apiGroups: [group], resources: ["gpuclasses"], verbs: read },
  { apiGroups: [""], resources: ["nodes"], verbs: read },
  { apiGroups: ["scheduling.k8s.io"], resources: ["priorityclasses"], verbs: read },
];

/** In the operator's own namespace. */
const leader: readonly Rule[] = [
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "create", "update"] },
  // Authorities of links are kept beside the operator, apart from what they sign.
  { apiGroups: [""], resources: ["secrets"], verbs: ["get", "create", "patch"] },
];

/** For the chart, whose templates bind them. */
export const operatorRules = { clusterWide, inNamespaces, leader } as const;

const labels = { "app.kubernetes.io/part-of": "slipstream", "app.kubernetes.io/component": "operator" };

export interface Install {
  /** Where the operator runs. */
  readonly namespace: string;
  /** Namespaces it looks after; empty: all. */
  readonly watched: readonly string[];
}

export function rbac({ namespace, watched }: Install): Record<string, unknown>[] {
  const name = "slipstream-operator";
  const subjects = [{ kind: "ServiceAccount", name, namespace }];
  const api = "rbac.authorization.k8s.io/v1";
  const bound = (kind: "Role" | "ClusterRole", role: string, where: Record<string, string>) => ({
    apiVersion: api,
    kind: kind === "Role" ? "RoleBinding" : "ClusterRoleBinding",
    metadata: { name: role, labels, ...where },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: role },
    subjects,
  });
  const inEach = watched.flatMap((each) => [
    { apiVersion: api, kind: "Role", metadata: { name, namespace: each, labels }, rules: inNamespaces },
    bound("Role", name, { namespace: each }),
  ]);
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace, labels } },
    {
      apiVersion: api,
      kind: "ClusterRole",
      metadata: { name, labels },
      rules: watched.length > 0 ? clusterWide : [...clusterWide, ...inNamespaces],
    },
    bound("ClusterRole", name, {}),
    ...inEach,
    { apiVersion: api, kind: "Role", metadata: { name: `${name}-leader`, namespace, labels }, rules: leader },
    bound("Role", `${name}-leader`, { namespace }),
  ];
}

/** What runs the others first, then inline before chat before batch before what only keeps a place; none pushes out what is not ours and more urgent. */
export function priorityClasses(): Record<string, unknown>[] {
  const rows = [
    ["slipstream-control", 1_000_000, "The operator and the bus, which no worker may push out."],
    ["slipstream-inline", 900_000, "Completions at typing speed."],
    ["slipstream-chat", 800_000, "Chat, which may wait a little."],
    ["slipstream-batch", 100, "Work that gives way to all else."],
    ["slipstream-placeholder", -10, "Nothing: keeps a node warm until somebody wants it."],
  ] as const;
  return rows.map(([name, value, description]) => ({
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name, labels: { "app.kubernetes.io/part-of": "slipstream" } },
    value,
    globalDefault: false,
    description,
    ...(value <= 100 ? { preemptionPolicy: "Never" } : {}),
  }));
}
