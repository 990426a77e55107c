// policy-reference: the schema of the policy document in, its reference page in Markdown out. Pure; what it writes are the
// descriptions of the schema.
import { z } from "zod";
import { policySchema } from "../lib/policy/schema.ts";
import { table } from "./proto-reference.ts";

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly maxItems?: number;
}

export const policyExample = `version: 3
tiers:
  inline: { pools: [inline-7b, inline-3b], fallback: quick, deadlines: { auto: 100ms }, prompt: 6KiB }
  quick: { pools: [inline-3b] }
  chat: { pools: [chat-32b] }
pools:
  inline-7b: { model: qwen2.5-coder-7b }
  inline-3b: { model: qwen2.5-coder-3b }
  chat-32b: { deadlines: { chat: 30s } }
tenants:
  acme:
    models: [inline, chat]
    quotas: { sessions: 500, triggersPerSecond: 200, generations: 64 }
    policies: { excludedPaths: [vault/], keepText: false }
  "*": { models: [quick] }
policies:
  excludedPaths: [".env", "*.pem"]
`;

export function policyPage(): string {
  const schema = z.toJSONSchema(policySchema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  return [
    "# Policy document",
    "Generated from `lib/policy/schema.ts` by `npm run generate`; do not edit.",
    'What a fleet serves to whom: one document, YAML or JSON, in the file that `SLIPSTREAM_ROUTER_POLICY` names. A router looks at the file each second; it may be written in place, renamed over or swapped as Kubernetes does with a ConfigMap. A changed document takes effect whole, for the next trigger, or not at all: one with a problem is kept out, the last good one stays, and the log, `slipstream_router_policy_loads_total{result="refused"}` and `slipstream status` say why, every problem at once with its field. At the start a document with a problem ends the router with exit status 64.',
    "Names of tiers, pools and tenants are letters, digits, `.`, `_` and `-`, 63 at most; a name is a tier or a pool, never both. `model` of a call names a tier, a pool, or the model of an allowed pool; what a tenant may not name is refused as `permission_denied`.",
    `\`\`\`yaml\n${policyExample}\`\`\``,
    table(["field", "type", "default", "meaning"], rows("", schema)),
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

function rows(path: string, schema: JsonSchema): string[][] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = path === "" ? name : `${path}.${name}`;
    const fallback =
      field.default !== undefined
        ? `\`${JSON.stringify(field.default)}\``
        : schema.required?.includes(name)
          ? "required"
          : "absent";
    return [[`\`${at}\``, typeOf(field), fallback, field.description ?? ""], ...rows(at, field)];
  });
  const inside = typeof schema.additionalProperties === "object" ? rows(`${path}.NAME`, schema.additionalProperties) : [];
  return [...own, ...inside];
}

function typeOf(field: JsonSchema): string {
  if (field.items) return `list of ${typeOf(field.items)}${field.maxItems === undefined ? "" : `, ${field.maxItems} at most`}`;
  if (typeof field.additionalProperties === "object") return "entries by name";
  if (field.properties) return "fields";
  if (field.type !== "integer" && field.type !== "number") return String(field.type ?? "string");
  const low = field.minimum ?? field.exclusiveMinimum;
  return `${field.type === "integer" ? "whole number" : "number"}, ${field.exclusiveMinimum === undefined ? "" : "above "}${low}–${field.maximum}`;
}
