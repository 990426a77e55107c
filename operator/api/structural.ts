// structural: a zod schema in, the structural OpenAPI schema that a CustomResourceDefinition takes out. Closed objects become open
// (the apiserver prunes what it does not know, and `kubectl apply` refuses it), unions are told by Kubernetes' own word for them.
import { z } from "zod";

export interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema;
  [key: string]: unknown;
}

/** Bounds that zod gives to every whole number, and Kubernetes would print. */
const noBound = new Set([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);

export function structural(schema: z.ZodType): Schema {
  return walk(z.toJSONSchema(schema, { io: "input", target: "openapi-3.0", unrepresentable: "any" }) as Schema);
}

function walk(given: Schema): Schema {
  const { properties, items, additionalProperties, anyOf, $schema: _, ...rest } = given;
  const made: Schema = {};
  for (const [key, value] of Object.entries(rest)) {
    if ((key === "minimum" || key === "maximum") && noBound.has(value as number)) continue;
    made[key] = value;
  }
  if (made["x-kubernetes-int-or-string"]) return withoutType(made);
  if (made.type === "integer") made["format"] ??= "int64";
  if (properties && Object.keys(properties).length > 0)
    made.properties = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, walk(field)]));
  // The rules of an object are tried on its default as it is written, before the defaults within are filled in.
  if (isObject(made.default)) made.default = { ...made.default, ...defaultsOf(made) };
  if (made["x-kubernetes-preserve-unknown-fields"]) return made;
  if (items) made.items = walk(items);
  if (typeof additionalProperties === "object" && !properties) made.additionalProperties = walk(additionalProperties);
  // The pattern of a key cannot be said in a structural schema; its bound can.
  delete made["propertyNames"];
  return made;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function defaultsOf({ properties = {} }: Schema): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, field]) => (field.default === undefined ? [] : [[name, field.default]])),
  );
}

function withoutType({ type: _, ...rest }: Schema): Schema {
  return rest;
}
