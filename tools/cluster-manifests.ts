// cluster-manifests: the operator's tables in, what a cluster installs out: custom resources, admission policies, roles and
// priorities as YAML, and their reference pages. Pure.
import { stringify } from "yaml";
import { admissionPolicies } from "../operator/api/admission-policy.ts";
import { conditionTypes, reasonTable } from "../operator/api/conditions.ts";
import { operatorRules, priorityClasses, rbac } from "../operator/api/rbac.ts";
import { definition, resources } from "../operator/api/resources.ts";
import type { Schema } from "../operator/api/structural.ts";
import { table } from "./proto-reference.ts";

const generated = (from: string) => `Generated from \`${from}\` by \`npm run generate\`; do not edit.`;

const documents = (from: string, objects: readonly unknown[]) =>
  `# ${generated(from)}\n${objects.map((object) => stringify(object, { lineWidth: 120, aliasDuplicateObjects: false })).join("---\n")}`;

export function clusterFiles(): Readonly<Record<string, string>> {
  const definitions = resources.map((each) => [
    `charts/slipstream/install/crds/${each.plural}.yaml`,
    documents("operator/api", [definition(each)]),
  ]);
  return {
    ...Object.fromEntries(definitions),
    "charts/slipstream/install/admission-policies.yaml": documents("operator/api/admission-policy.ts", admissionPolicies()),
    "charts/slipstream/install/rbac.yaml": documents("operator/api/rbac.ts", rbac({ namespace: "slipstream-system", watched: [] })),
    "charts/slipstream/install/priority-classes.yaml": documents("operator/api/rbac.ts", priorityClasses()),
    "charts/slipstream/files/operator-rules.yaml": documents("operator/api/rbac.ts", [operatorRules]),
    "docs/reference/resources.md": resourcesPage(),
    "docs/reference/conditions.md": conditionsPage(),
  };
}

function resourcesPage(): string {
  const sections = resources.map((each) => {
    const { spec } = definition(each) as { spec: { versions: { schema: { openAPIV3Schema: Schema } }[] } };
    const schema = spec.versions[0]?.schema.openAPIV3Schema as Schema;
    const part = (name: string) => rows(name, schema.properties?.[name] ?? {});
    const checks = rules(schema.properties?.["spec"] ?? {});
    return [
      `## ${each.kind} (\`${each.short}\`${each.namespaced ? "" : ", cluster-wide"})`,
      each.description,
      table(["field", "type", "default", "meaning"], [...part("spec"), ...part("status")]),
      `Refused by the apiserver:\n\n${checks.map((message) => `- ${message}`).join("\n")}`,
    ].join("\n\n");
  });
  return [
    "# Custom resources",
    generated("operator/api"),
    "Group `slipstream.dev`, version `v1alpha1`; `kubectl explain workerpool.spec` says the same. Whole examples: [docs/examples](../examples/).",
    ...sections,
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

function rows(path: string, schema: Schema): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = `${path}.${name}`;
    const fallback =
      field.default !== undefined
        ? `\`${JSON.stringify(field.default)}\``
        : schema.required?.includes(name)
          ? "required"
          : "absent";
    return [[`\`${at}\``, typeOf(field), fallback, field.description ?? ""], ...rows(at, field.items ?? field)];
  });
}

function typeOf(field: Schema): string {
  if (field["x-kubernetes-int-or-string"]) return "whole number or share";
  if (field["enum"]) return (field["enum"] as string[]).map((word) => `\`${word}\``).join(", ");
  if (field.items) return `list, ${String(field["maxItems"] ?? "")} at most`;
  if (field.additionalProperties) return "entries by name";
  if (field.type === "object") return "fields";
  if (field.type === "integer")
    return `whole number${field["maximum"] === undefined ? "" : `, ${field["minimum"]}–${field["maximum"]}`}`;
  return String(field.type);
}

function rules(schema: Schema): string[] {
  const own = ((schema["x-kubernetes-validations"] ?? []) as { message: string }[]).map(({ message }) => message);
  return [...own, ...Object.values(schema.properties ?? {}).flatMap(rules), ...(schema.items ? rules(schema.items) : [])];
}

function conditionsPage(): string {
  return [
    "# Conditions and reasons",
    generated("operator/api/conditions.ts"),
    "What the operator writes into `status.conditions`. `Ready` sums up the others, and its message names the worst cause with the pod it was seen at.",
    table(
      ["condition", "holds when"],
      Object.entries(conditionTypes).map(([type, means]) => [`\`${type}\``, means]),
    ),
    table(
      ["reason", "meaning", "what to do"],
      Object.entries(reasonTable).map(([reason, { means, todo }]) => [`\`${reason}\``, means, todo]),
    ),
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}
