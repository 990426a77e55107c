import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { AskedBlocks } from "./asked-blocks.ts";
import { blockKeys, seedOf } from "./block-chain.ts";

const tokens = (count: number, from = 0) => Array.from({ length: count }, (_, index) => (from + index * 7) % 2_000);

test("a chain goes on from a block as if it had been read in one go", () => {
  const whole = blockKeys(tokens(160), 16, seedOf("acme", "m"));
  const rest = blockKeys(tokens(160).slice(64), 16, 0, whole[3]);
  expect(rest).toEqual(whole.slice(4));
});

test.each<[name: string, other: number[]]>([
  ["tenant", blockKeys(tokens(64), 16, seedOf("other", "m"))],
  ["adapter", blockKeys(tokens(64), 16, seedOf("acme", "n"))],
  ["token", blockKeys([9, ...tokens(64).slice(1)], 16, seedOf("acme", "m"))],
])("another %s is another chain", (_, other) => {
  const one = blockKeys(tokens(64), 16, seedOf("acme", "m"));
  expect(one.filter((key) => other.includes(key))).toEqual([]);
});

test("half a million blocks have half a million keys", () => {
  const random = seeded(3);
  const keys = new Set<number>();
  for (let prompt = 0; prompt < 500; prompt++)
    for (const key of blockKeys(
      Array.from({ length: 16_000 }, () => below(random, 50_000)),
      16,
      prompt,
    ))
      keys.add(key);
  expect(keys.size).toBe(500_000);
});

test("what was asked for is expected again, until as many blocks as the engine has were asked since", () => {
  const asked = new AskedBlocks({ blocksMax: 4 });
  const keys = blockKeys(tokens(64), 16, 1);
  asked.computed(keys);
  expect(asked.known([...keys, 5])).toBe(4);
  asked.computed(blockKeys(tokens(16, 3), 16, 2));
  expect(asked.known(keys)).toBe(0);
});
