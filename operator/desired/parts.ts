// parts: what all objects of the operator have alike: names, labels, an owner; and what containers need under the restricted profile.
import { type Json, type KindName, type KubeObject, kinds, type Metadata } from "../objects.ts";
import { childKey, labels, managedBy, type Setting } from "../pool.ts";

/** Of what a pool owns: a service may bear the pool's own name. */
export const workersName = (pool: string) => `${pool}-workers`;

export function own(
  kind: KindName,
  owner: KubeObject,
  name: string,
  more: { labels?: Record<string, string>; annotations?: Record<string, string> } = {},
) {
  const { namespace } = owner.metadata;
  const metadata: Metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { "app.kubernetes.io/name": "slipstream", [labels.managed]: managedBy, ...more.labels },
    ...(more.annotations ? { annotations: more.annotations } : {}),
    ownerReferences: [reference(owner)],
  };
  return { apiVersion: kinds[kind].apiVersion, kind, metadata };
}

/** Without blockOwnerDeletion: a foreground delete of the owner must not wait for what it holds up. */
export function reference(owner: KubeObject) {
  const { name, uid = "" } = owner.metadata;
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true, blockOwnerDeletion: false };
}

/** A user that exists in no image, so that files are readable by group alone. */
const userId = 10_001;

export const podSecurity = {
  runAsNonRoot: true,
  runAsUser: userId,
  runAsGroup: userId,
  fsGroup: userId,
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: { type: "RuntimeDefault" },
};

export const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

/** An image of others', by way of the installer's registry where there is one. */
export const published = ({ defaults }: Pick<Setting, "defaults">, image: string): string =>
  [defaults?.imageRegistry?.replace(/\/$/, ""), image].filter(Boolean).join("/");

export const env = (name: string, value: string) => ({ name, value });
/** Of an engine's container, whose root is read-only: caches and temporary files where a volume is, and nothing from outside. */
export const engineEnv = [
  ...[env("HOME", "/cache"), env("XDG_CACHE_HOME", "/cache"), env("TMPDIR", "/tmp")],
  ...[env("TRITON_CACHE_DIR", "/cache/triton"), env("TORCHINDUCTOR_CACHE_DIR", "/cache/inductor"), env("HF_HUB_OFFLINE", "1")],
];
export const fromField = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });

export const tmp = (sizeLimit = "1Gi") => ({ name: "tmp", emptyDir: { sizeLimit } });
export const mount = (name: string, mountPath: string, readOnly = false) => ({
  name,
  mountPath,
  ...(readOnly ? { readOnly } : {}),
});

/** What is not given is left out, so that it is nobody's field. */
export function given<T extends Record<string, Json>>(fields: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  ) as Partial<T>;
}

/** Budget and network policy, where the operator's installer wants them; what is there unwanted goes. */
export function guarding<T extends { readonly children: ReadonlyMap<string, KubeObject> }>(
  seen: T,
  { networkPolicy, disruptionBudget }: { readonly networkPolicy: boolean; readonly disruptionBudget: boolean },
  made: { network(seen: T): KubeObject; budget(seen: T): KubeObject },
): { readonly wanted: readonly KubeObject[]; readonly unwanted: readonly KubeObject[] } {
  const each = [
    { object: made.network(seen), wanted: networkPolicy },
    { object: made.budget(seen), wanted: disruptionBudget },
  ];
  return {
    wanted: each.filter(({ wanted }) => wanted).map(({ object }) => object),
    unwanted: each.flatMap(({ object, wanted }) => (wanted ? [] : (seen.children.get(childKey(object)) ?? []))),
  };
}

/** References by name, each once. */
export const named = (...lists: readonly (readonly string[])[]) => [...new Set(lists.flat())].map((name) => ({ name }));

export const spread = (selector: Record<string, string>) => [
  {
    maxSkew: 1,
    topologyKey: "kubernetes.io/hostname",
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: selector },
  },
];

export const httpsProbe = (path: string, port: number, more: object) => ({ httpGet: { path, port, scheme: "HTTPS" }, ...more });
