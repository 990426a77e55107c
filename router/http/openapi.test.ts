import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { packageRoot } from "../../lib/package-root.ts";
import { openApi } from "./openapi.ts";
import { routes } from "./routes.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<string, { readonly content: Record<string, { readonly schema: object }> }>;
}
// As a client gets it: nothing in it but JSON.
const document = JSON.parse(JSON.stringify(openApi())) as {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
};
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

test("every route is in it, and nothing else", () => {
  expect(document.openapi).toBe("3.1.0");
  const written = new Set(routes.map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`));
  expect(operations.map(({ path, method }) => `${method} ${path}`).sort()).toEqual([...written].sort());
});

test("operations have names of their own, and say their path's parameters", () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { path, operation } of operations)
    expect(operation.parameters?.map(({ name }) => `{${name}}`) ?? []).toEqual(path.match(/\{\w+\}/g) ?? []);
});

test("what it refers to is there", () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
  expect(references.length).toBeGreaterThan(0);
  for (const name of references) expect(document.components.schemas).toHaveProperty(name as string);
});

/** What editors send is what the document says. */
const folder = join(packageRoot(), "test/golden/http");
test.each(readdirSync(folder))("holds for the recorded body %s", (name) => {
  const { path, body } = JSON.parse(readFileSync(join(folder, name), "utf8")) as { path: string; body: object };
  const written = path.replace(/engines\/[^/]+/, "engines/{engine}");
  const schema = document.paths[written]?.["post"]?.requestBody?.content["application/json"]?.schema;
  expect(schema).toBeDefined();
  const read = z.fromJSONSchema(schema as never).safeParse(body);
  expect(read.error?.issues ?? []).toEqual([]);
});

test("a body that is none does not hold", () => {
  const schema = document.paths["/infill"]?.["post"]?.requestBody?.content["application/json"]?.schema;
  expect(z.fromJSONSchema(schema as never).safeParse({ input_prefix: 7 }).success).toBe(false);
});
