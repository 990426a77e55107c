import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { packageRoot } from "../../lib/package-root.ts";
import { readSpec } from "./read.ts";
import { type ResourceKind, resource, resources } from "./resources.ts";

interface Read {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: unknown;
}

const folder = join(packageRoot(), "docs/examples");
const examples = readdirSync(folder)
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => ({
    name,
    objects: parseAllDocuments(readFileSync(join(folder, name), "utf8")).map((document) => document.toJS() as Read),
  }));

test.each(examples)("$name is whole: every object is valid, and every name leads somewhere", ({ objects }) => {
  const own = objects.filter(({ kind }) => resources.some((each) => each.kind === kind));
  const problems = own.flatMap(({ kind, spec, metadata }) => {
    const read = readSpec(resource(kind as ResourceKind).spec, spec);
    return read.problems.map((problem) => `${metadata.name}: ${problem}`);
  });
  expect(problems).toEqual([]);
  const there = new Set(own.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const named = [...JSON.stringify(own).matchAll(/"(cacheRef|classRef|gpuClassRef)":"([^"]+)"/g)].map(
    ([, field, name]) => `${field === "cacheRef" ? "ModelCache" : "GPUClass"}/${name}`,
  );
  const pools = own.flatMap(({ kind, spec }) =>
    kind === "CompletionService" ? (spec as { tiers: { pools: string[] }[] }).tiers.flatMap((tier) => tier.pools) : [],
  );
  expect([...named, ...pools.map((name) => `WorkerPool/${name}`)].filter((name) => !there.has(name))).toEqual([]);
});

test("there are the six that the documentation speaks of", () => {
  expect(examples.map(({ name }) => name)).toEqual([
    ...["burst-pool.yaml", "cpu-dev-pool.yaml", "onprem-l40s-h100.yaml", "tensorrt-built.yaml", "tensorrt-eagle3.yaml"],
    "vllm-draft-model.yaml",
  ]);
});
