import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { chartSchema } from "./chart-schema.ts";
import { root } from "./child.ts";

const of = (text: string) => JSON.parse(chartSchema(text)).properties;

test.each([
  ["a flag", "a: true", { type: "boolean" }],
  ["a text", 'a: ""', { type: "string" }],
  ["a number", "a: 2", { type: "integer", minimum: 0 }],
  ["a number within bounds", "a: 2 # @1..5", { type: "integer", minimum: 1, maximum: 5 }],
  ["one of some words", "a: x # @x|y", { type: "string", enum: ["x", "y"] }],
  ["a list of names", "a: [] # @string[]", { type: "array", items: { type: "string", minLength: 1 }, uniqueItems: true }],
  ["a map", "a: {} # @map", { type: "object", additionalProperties: { type: "string" } }],
  ["a map that has entries", "a: # @any\n  b: 1", {}],
  ["a sentence before it", "# Is\n# so.\na: true", { type: "boolean", description: "Is so." }],
  [
    "a block, and a sentence before its first entry",
    "a:\n  # First.\n  b: true",
    { type: "object", additionalProperties: false, properties: { b: { type: "boolean", description: "First." } } },
  ],
])("%s is told from its default and the words behind it", (_, text, schema) => {
  expect(of(text).a).toEqual(schema);
});

test.each([
  ["a list that says not what it holds", "a: []", /a: a list says behind it/],
  ["a word that is no kind", "a: 1 # @often", /a: "@often" is none of/],
  ["no default", "a:\n  b: null", /a\.b: has no default/],
])("%s is refused by name", (_, text, problem) => {
  expect(() => chartSchema(text)).toThrow(problem);
});

test("of the chart's own values nothing is open but what a Kubernetes object fills", () => {
  const open: string[] = [];
  const walk = (schema: { properties?: Record<string, never>; type?: string; additionalProperties?: unknown }, path: string) => {
    if (schema.properties && schema.additionalProperties !== false) open.push(path);
    for (const [name, each] of Object.entries(schema.properties ?? {})) walk(each, `${path}.${name}`);
  };
  walk(JSON.parse(chartSchema(readFileSync(join(root, "charts/slipstream/values.yaml"), "utf8"))), "values");
  expect(open).toEqual([]);
});
