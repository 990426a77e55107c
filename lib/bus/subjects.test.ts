import { expect, test } from "vitest";
import { matches } from "./bus.ts";
import { subjects } from "./subjects.ts";

test.each([
  ["inline", "inline"],
  ["pool.a", "pool_a"],
  ["*", "_"],
  [">", "_"],
  ["a b\r\nPUB x", "a_b__PUB_x"],
  ["größe", "gr__e"],
  ["", "_"],
])("the name %o is the one token %s", (name, token) => {
  expect(subjects.poolLoad(name)).toBe(`slipstream.v1.load.${token}`);
  expect(subjects.worker(name).split(".")).toHaveLength(4);
});

test("outcomes of every router are heard by one pattern, and nothing else is", () => {
  expect(matches(subjects.allOutcomes, subjects.outcomes("router-0.routers"))).toBe(true);
  for (const other of [subjects.poolLoad("a"), subjects.lease, subjects.supersede(3)])
    expect(matches(subjects.allOutcomes, other)).toBe(false);
});
