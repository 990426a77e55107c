import { expect, test } from "vitest";
import { PrefixMap } from "./prefix-map.ts";

const promptOf = (...names: number[]) => ({
  bytes: 64 * names.length,
  blocks: new Uint8Array(names.flatMap((name) => [name, 1, 2, 3, 4, 5, 6, 7])),
});

test("who was sent the beginning of a prompt has it, whoever's it was", () => {
  const map = new PrefixMap({ blocksMax: 100 });
  map.sent("w1", promptOf(1, 2, 3).blocks);
  map.sent("w2", promptOf(1, 2, 9).blocks);
  const known = map.with([{ worker: "w3", freshBytes: 100 }], promptOf(1, 2, 3, 4));
  expect(new Map(known.map(({ worker, freshBytes }) => [worker, freshBytes]))).toEqual(
    new Map([
      ["w1", 64],
      ["w2", 128],
      ["w3", 100],
    ]),
  );
});

test("the oldest blocks leave first", () => {
  const map = new PrefixMap({ blocksMax: 2 });
  map.sent("w1", promptOf(1, 2).blocks);
  map.sent("w2", promptOf(3).blocks);
  expect(map.with([], promptOf(1, 2))).toEqual([]);
  expect(map.with([], promptOf(3))).toEqual([{ worker: "w2", freshBytes: 0 }]);
});
