import { expect, test } from "vitest";
import { matches } from "./bus.ts";
import { everySpace, inSpace, outOfSpace, spaceOf, subjects } from "./subjects.ts";

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

test("a subject of a space is heard by the pattern of all spaces, and by no pattern without one", () => {
  const plain = [subjects.poolLoad("load"), subjects.worker("w"), subjects.outcomes("r")];
  const patterns = [subjects.allLoads, subjects.allWorkers, subjects.allOutcomes];
  for (const [i, subject] of plain.entries())
    for (const space of ["code", "load", "worker", "v1"]) {
      const own = inSpace(space, subject);
      expect([outOfSpace(own), spaceOf(own), spaceOf(subject)]).toEqual([subject, space, ""]);
      for (const [j, pattern] of patterns.entries()) {
        const [bare, spaces] = everySpace(pattern);
        expect([matches(bare, own), matches(spaces, own), matches(spaces, subject)]).toEqual([false, i === j, false]);
      }
    }
});
