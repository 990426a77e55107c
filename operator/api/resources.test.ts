import { expect, test } from "vitest";
import { readSpec } from "./read.ts";
import { definition, resource, resources } from "./resources.ts";
import type { Schema } from "./structural.ts";

interface Definition {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] };
}
const schemaOf = (kind: string) => {
  const made = definition(resources.find((each) => each.kind === kind) as (typeof resources)[number]) as unknown as Definition;
  return made.spec.versions[0]?.schema.openAPIV3Schema as Schema;
};

function walk(schema: Schema, path: string, see: (path: string, schema: Schema) => void): void {
  see(path, schema);
  for (const [name, field] of Object.entries(schema.properties ?? {})) walk(field, `${path}.${name}`, see);
  if (schema.items) walk(schema.items, `${path}[]`, see);
  if (schema.additionalProperties) walk(schema.additionalProperties, `${path}{}`, see);
}

test.each(resources.map(({ kind }) => kind))("every field of %s is explained, for kubectl explain", (kind) => {
  const silent: string[] = [];
  walk(schemaOf(kind), kind, (path, { description }) => {
    if (!description && !/(\[\]|\{\}|^\w+\.metadata)$/.test(path)) silent.push(path);
  });
  expect(silent).toEqual([]);
});

test.each(resources.map(({ kind }) => kind))("the schema of %s is structural, and everything in it is bounded", (kind) => {
  const wrong: string[] = [];
  walk(schemaOf(kind), kind, (path, schema) => {
    if ("oneOf" in schema || "allOf" in schema || "$ref" in schema || "propertyNames" in schema)
      wrong.push(`${path} is not structural`);
    if (schema.type === undefined && !schema["x-kubernetes-int-or-string"]) wrong.push(`${path} has no type`);
    if (schema.properties && schema.additionalProperties) wrong.push(`${path} has fields and entries`);
    if (path.startsWith(`${kind}.metadata`) || !path.includes(".spec")) return;
    if (schema.type === "array" && schema["maxItems"] === undefined) wrong.push(`${path} is a list without an end`);
    if (schema.type === "string" && schema["maxLength"] === undefined && schema["enum"] === undefined)
      wrong.push(`${path} is a text without an end`);
    if (schema.additionalProperties && schema["maxProperties"] === undefined) wrong.push(`${path} has entries without an end`);
  });
  expect(wrong).toEqual([]);
});

test("columns are those that people look for, and the pool can be scaled", () => {
  const made = definition(resource("WorkerPool")) as unknown as {
    spec: { versions: { additionalPrinterColumns: { name: string }[]; subresources: object }[] };
  };
  expect(made.spec.versions[0]?.additionalPrinterColumns.map(({ name }) => name.toUpperCase()).slice(0, 8)).toEqual([
    ...["READY", "REASON", "TIER", "REPLICAS", "P95", "GPU", "MODEL", "AGE"],
  ]);
  expect(made.spec.versions[0]?.subresources).toHaveProperty("scale.specReplicasPath", ".spec.replicas");
});

test("what is left out has the defaults that the apiserver would give it", () => {
  const read = readSpec(resource("WorkerPool").spec, { tier: "Inline", engine: { type: "Embedded" } });
  expect(read.spec).toMatchObject({
    scaling: { mode: "Slipstream", minReplicas: 1, slo: { p95: "100ms", networkBudget: "12ms" } },
    rollout: { maxSurge: 1, maxUnavailable: 0 },
    startup: { deadline: "10m", warmup: { requests: 16 } },
  });
});
