import { expect, test } from "vitest";
import { SharedBeginnings } from "./shared.ts";

const options = { max: 20, ttlMs: 1_000, stepBlocks: 2, stepsMax: 3, workersMax: 2 };
/** Blocks with these names; digests are chained, so a name stands for all before it. */
const promptOf = (...names: number[]) => ({ blocks: new Uint8Array(names.flatMap((name) => [name, 1, 2, 3, 4, 5, 6, 7])) });
const common = [1, 2, 3, 4];

test("what two sessions begin with is shared, in whole steps, and who was sent it holds it", () => {
  const shared = new SharedBeginnings(options);
  shared.sent("s1", "w1", promptOf(...common, 5, 6), 0);
  expect(shared.of(promptOf(...common, 9), 0)).toBeUndefined();
  shared.sent("s2", "w2", promptOf(...common, 7), 0);
  const found = shared.of(promptOf(...common, 9, 9, 9), 0);
  expect(found).toMatchObject({ bytes: 4 * 64, holders: ["w1", "w2"] });
  expect(shared.of(promptOf(1, 2, 8, 8), 0)).toMatchObject({ bytes: 2 * 64 });
  expect(shared.of(promptOf(8, 8, 3, 4), 0)).toBeUndefined();
  expect(shared.of(promptOf(1), 0)).toBeUndefined();
  // Its name is the same for all who have it.
  expect(shared.of(promptOf(...common), 0)?.name).toBe(found?.name);
});

test("one session's own documents are not shared", () => {
  const shared = new SharedBeginnings(options);
  for (const worker of ["w1", "w2"]) shared.sent("s1", worker, promptOf(...common), 0);
  expect(shared.of(promptOf(...common), 0)).toBeUndefined();
});

test("a worker that was sent it no more for a while holds it no more", () => {
  const shared = new SharedBeginnings(options);
  shared.sent("s1", "w1", promptOf(...common), 0);
  shared.sent("s2", "w2", promptOf(...common), 600);
  expect(shared.of(promptOf(...common), 1_001)?.holders).toEqual(["w2"]);
  expect(shared.of(promptOf(...common), 1_601)?.holders).toEqual([]);
});

test("it keeps the last workers of each, and the beginnings used last", () => {
  const shared = new SharedBeginnings(options);
  for (const [i, worker] of ["w1", "w2", "w3", "w1"].entries()) shared.sent(`s${i}`, worker, promptOf(...common), i);
  expect(shared.of(promptOf(...common), 9)?.holders).toEqual(["w3", "w1"]);
  for (let i = 0; i < 30; i++) shared.sent("s1", "w1", promptOf(200, 100 + i), 0);
  expect(shared.of(promptOf(...common), 9)).toBeUndefined();
});
