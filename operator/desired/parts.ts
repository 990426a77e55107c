// parts: what all objects of the operator have alike: names, labels, an owner; and what containers need under the restricted profile.
import { type Json, type KindName, type KubeObject, kinds, type Metadata } from "../objects.ts";
import { labels, managedBy } from "../pool.ts";

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

export const env = (name: string, value: string) => ({ name, value });
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

export const spread = (selector: Record<string, string>) => [
  {
    maxSkew: 1,
    topologyKey: "kubernetes.io/hostname",
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: selector },
  },
];

export const httpsProbe = (path: string, port: number, more: object) => ({ httpGet: { path, port, scheme: "HTTPS" }, ...more });
