// defaults: what whoever installs the operator gives every router and worker that says nothing itself: where pods may run, who pulls
// their images from where, labels, environment. A file (SLIPSTREAM_OPERATOR_DEFAULTS) that the chart writes; read once, at the start.
import { z } from "zod";
import { image, name, passedOn, quantity, toleration } from "./fields.ts";

const words = z.record(z.string().max(317), z.string().max(256));

const pods = z.strictObject({
  image: image().optional().describe("Image of routers or agents."),
  imagePullSecrets: z.array(name()).max(8).default([]).describe("Secrets for pulling images, in the pods' namespace."),
  labels: words.default({}).describe("Further labels of the pods."),
  annotations: words.default({}).describe("Further annotations of the pods."),
  nodeSelector: words.default({}).describe("Labels that nodes must have."),
  tolerations: z.array(toleration).max(16).default([]).describe("Taints that the pods tolerate."),
  affinity: passedOn("Affinity, where the object gives none.").optional(),
  topologySpreadConstraints: z.array(passedOn("One constraint.")).max(8).default([]).describe("Instead of a spread by host."),
  priorityClassName: name().optional().describe("PriorityClass, where the object gives none."),
  env: z
    .array(z.looseObject({ name: z.string().min(1).max(128) }))
    .max(32)
    .default([])
    .describe("Further environment, as in a container."),
  args: z.array(z.string().max(1_024)).max(32).default([]).describe("Further arguments."),
  resources: z
    .strictObject({ cpu: quantity().optional(), memory: quantity().optional() })
    .prefault({})
    .describe("What a pod may use, where the object says nothing."),
  disruptionBudget: z.boolean().default(true).describe("false: no PodDisruptionBudgets."),
  networkPolicy: z.boolean().default(true).describe("false: no NetworkPolicies, where something else guards the pods."),
  egress: z
    .array(passedOn("One rule, as in a NetworkPolicy."))
    .max(32)
    .optional()
    .describe("Where pods may reach out to beside names, the bus and their links; absent: anywhere."),
});

const schema = z.strictObject({
  imageRegistry: z
    .string()
    .max(256)
    .regex(/^[a-z0-9][a-z0-9._:/-]*$/, 'is not a registry like "registry.example.com/mirror"')
    .optional()
    .describe("Before the engines' images of pools that name none."),
  router: pods.prefault({}),
  workers: pods.prefault({}),
});

export type Defaults = z.infer<typeof schema>;

export const noDefaults: Defaults = schema.parse({});

/** Throws one Error that names each field that is wrong. */
export function readDefaults(text: string, path: string): Defaults {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (thrown) {
    throw new Error(`${path}: is no JSON: ${(thrown as Error).message}`);
  }
  const { success, data, error } = schema.safeParse(document);
  if (success) return data;
  throw new Error(`${path}: ${error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ")}`);
}
