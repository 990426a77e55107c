// chart-schema: the chart's values.yaml in, its JSON schema out: a value's default says what it may be, or the words after `@` behind
// it; comments before it say what it is for. Nothing else is accepted, so that a misspelt value is an error and no surprise. Pure.
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from "yaml";

interface Schema {
  readonly type?: string;
  readonly [more: string]: unknown;
}

const kinds: Readonly<Record<string, Schema>> = {
  any: {},
  "any[]": { type: "array" },
  "string[]": { type: "array", items: { type: "string", minLength: 1 }, uniqueItems: true },
  "integer[]": { type: "array", items: { type: "integer", minimum: 1, maximum: 65_535 } },
  map: { type: "object", additionalProperties: { type: "string" } },
  digest: { type: "string", pattern: "^(sha256:[0-9a-f]{64})?$" },
};

export function chartSchema(text: string): string {
  const document = parseDocument(text);
  if (!isMap(document.contents)) throw new Error("values.yaml: is no map");
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Values of the chart slipstream",
    description: "Generated from values.yaml by `npm run generate`; do not edit.",
    ...object(document.contents, ""),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function object(map: YAMLMap, path: string): Schema {
  const properties = map.items.map((pair, i) => {
    const key = pair.key as { value: string; commentBefore?: string };
    // What stands before the first key, the parser gives to the map.
    const before = key.commentBefore ?? (i === 0 && path !== "" ? map.commentBefore : undefined);
    return [key.value, field(pair as Pair, before ?? "", [path, key.value].filter(Boolean).join("."))] as const;
  });
  return { type: "object", additionalProperties: false, properties: Object.fromEntries(properties) };
}

function field({ value }: Pair, before: string, path: string): Schema {
  const description = before.replace(/\s*\n\s*/g, " ").trim();
  const said = description ? { description } : {};
  const mark = (value as { comment?: string } | null)?.comment?.trim();
  if (mark?.startsWith("@")) return { ...marked(mark.slice(1), path), ...said };
  if (isMap(value)) {
    // A mark behind the name of a map that has entries.
    const own = /^\s*@(\S+)/.exec(value.commentBefore ?? "")?.[1];
    return { ...(own === undefined ? object(value, path) : marked(own, path)), ...said };
  }
  if (!isScalar(value)) throw new Error(`values.yaml: ${path}: a list says behind it what it holds, like "# @string[]"`);
  return { ...scalar(value.value, path), ...said };
}

function scalar(value: unknown, path: string): Schema {
  if (typeof value === "boolean") return { type: "boolean" };
  if (typeof value === "number") return { type: "integer", minimum: 0 };
  if (typeof value === "string") return { type: "string" };
  throw new Error(`values.yaml: ${path}: has no default that says what it is`);
}

function marked(mark: string, path: string): Schema {
  const known = kinds[mark];
  if (known) return known;
  const range = /^(\d+)\.\.(\d+)$/.exec(mark);
  if (range) return { type: "integer", minimum: Number(range[1]), maximum: Number(range[2]) };
  if (mark.includes("|")) return { type: "string", enum: mark.split("|") };
  throw new Error(`values.yaml: ${path}: "@${mark}" is none of ${Object.keys(kinds).join(", ")}, 1..5, a|b`);
}
