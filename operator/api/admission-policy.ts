// admission-policy: rules between an object and its namespace, which a CRD cannot say: how many GPUs the pools of a namespace may
// ask for, and images by digest where it is labelled production. ValidatingAdmissionPolicies: no webhook, no outage of one.
import { group, version } from "./resources.ts";

const match = (resources: readonly string[]) => ({
  resourceRules: [{ apiGroups: [group], apiVersions: [version], operations: ["CREATE", "UPDATE"], resources: [...resources] }],
});

const labelled = { "app.kubernetes.io/part-of": "slipstream" };
const gpusMaxLabel = `${group}/gpus-per-pool-max`;
const productionLabel = `${group}/production`;

/** Installed with the CRDs; without the labels on a namespace they allow everything. */
export function admissionPolicies(): Record<string, unknown>[] {
  return [
    ...policy("gpus", {
      match: match(["workerpools"]),
      namespaces: { matchExpressions: [{ key: gpusMaxLabel, operator: "Exists" }] },
      validations: [
        {
          expression: `!has(object.spec.gpu) || object.spec.scaling.maxReplicas * object.spec.gpu.count * object.spec.parallelism.nodes <= int(namespaceObject.metadata.labels['${gpusMaxLabel}'])`,
          messageExpression: `'scaling.maxReplicas: up to ' + string(object.spec.scaling.maxReplicas * object.spec.gpu.count * object.spec.parallelism.nodes) + ' GPUs are asked for; a pool of this namespace may have ' + namespaceObject.metadata.labels['${gpusMaxLabel}']`,
        },
        {
          expression: `!has(object.spec.gpu) || !has(object.spec.replicas) || object.spec.replicas * object.spec.gpu.count * object.spec.parallelism.nodes <= int(namespaceObject.metadata.labels['${gpusMaxLabel}'])`,
          message: "replicas: more GPUs are asked for than a pool of this namespace may have",
        },
      ],
    }),
    ...policy("digests", {
      match: match(["workerpools", "completionservices"]),
      namespaces: { matchLabels: { [productionLabel]: "true" } },
      validations: [
        {
          expression:
            "object.kind != 'WorkerPool' || ((!has(object.spec.engine.image) || object.spec.engine.image.contains('@sha256:')) && (!has(object.spec.agentImage) || object.spec.agentImage.contains('@sha256:')))",
          message: "engine.image and agentImage: must be named by digest (@sha256:…) in a production namespace",
        },
        {
          expression:
            "object.kind != 'CompletionService' || !has(object.spec.router.image) || object.spec.router.image.contains('@sha256:')",
          message: "router.image: must be named by digest (@sha256:…) in a production namespace",
        },
      ],
    }),
  ];
}

interface Wanted {
  readonly match: ReturnType<typeof match>;
  readonly namespaces: object;
  readonly validations: readonly Record<string, unknown>[];
}

function policy(what: string, { match: constraints, namespaces, validations }: Wanted): Record<string, unknown>[] {
  const name = `slipstream-${what}.${group}`;
  const head = { apiVersion: "admissionregistration.k8s.io/v1", metadata: { name, labels: labelled } };
  return [
    {
      ...head,
      kind: "ValidatingAdmissionPolicy",
      spec: {
        failurePolicy: "Fail",
        matchConstraints: { ...constraints, namespaceSelector: namespaces },
        validations,
      },
    },
    {
      ...head,
      kind: "ValidatingAdmissionPolicyBinding",
      spec: { policyName: name, validationActions: ["Deny"] },
    },
  ];
}
