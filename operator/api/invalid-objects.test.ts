import { describe, expect, test } from "vitest";
import { cache, cpuPool, gpuClass, pool, service } from "../../test/support/cluster-objects.ts";
import { invalidObjects } from "../../test/support/invalid-objects.ts";
import { readSpec } from "./read.ts";
import { type ResourceKind, resource } from "./resources.ts";

const problemsOf = (object: { kind: ResourceKind; spec: unknown }) => {
  return readSpec(resource(object.kind).spec, object.spec).problems;
};

test.each([
  ["pool", pool()],
  ["CPU pool", cpuPool()],
  ["service", service()],
  ["model cache", cache()],
  ["GPU class", gpuClass()],
])("a whole %s is read", (_, object) => {
  expect(problemsOf(object)).toEqual([]);
});

// A list as a map is told by the apiserver alone.
const ours = invalidObjects.filter(({ says }) => says !== "");

describe("what is wrong is said, and names the field", () => {
  test.each(ours)("$what", ({ object, says }) => {
    expect(problemsOf(object).join("\n")).toContain(says);
  });
});

test("the table is long enough to be worth its name", () => {
  expect(invalidObjects.length).toBeGreaterThanOrEqual(40);
  expect(new Set(invalidObjects.map(({ what }) => what)).size).toBe(invalidObjects.length);
});
