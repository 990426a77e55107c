import { expect, test } from "vitest";
import { pack } from "../../../../test/support/vllm/message-pack.ts";
import { readKvBatch } from "./kv-batch.ts";
import { unpack } from "./message-pack.ts";

const values = [
  ...[null, true, false, 0, 127, 128, 65_535, 65_536, 2 ** 32 - 1, -1, -32, -33, -70_000, 1.5, "", "a", "漢".repeat(40)],
  ...["x".repeat(300), "x".repeat(70_000), [], [1, [2, ["three"]]], { a: { b: [1] } }, 2n ** 63n, 2n ** 64n - 1n],
  ...[Array.from({ length: 70_000 }, (_, index) => index)],
];

test("every value comes back as it went", () => {
  for (const value of values) expect(unpack(pack(value))).toEqual(value);
});

test.each<[name: string, hex: string]>([
  ["nothing", ""],
  ["a list that promises more than it holds", "dd7fffffff"],
  ["a text that ends too early", "a561"],
  ["what begins nothing", "c1"],
  ["lists in lists without end", "91".repeat(100)],
])("%s is refused", (_, hex) => {
  expect(() => unpack(Buffer.from(hex, "hex"))).toThrow(RangeError);
});

test.each([["no list"], [[1]], [[1, "events"]]])("a payload %j is no batch", (payload) => {
  expect(() => readKvBatch(pack(payload))).toThrow(RangeError);
});

test("events of other kinds, places and ranks are passed over", () => {
  const stored = { type: "BlockStored", block_hashes: [1], token_ids: [1], block_size: 1, parent_block_hash: null };
  const events = [
    { type: "SomethingNew" },
    ["SomethingNew", 1],
    7,
    { ...stored, medium: "CPU" },
    { ...stored, group_idx: 1 },
    { ...stored, locality: "REMOTE" },
    { ...stored, lora_name: "ad", extra_keys: [["ad", "acme"]] },
    { ...stored, block_hashes: [Buffer.from("ab", "hex")], extra_keys: [["acme"]] },
  ];
  expect(readKvBatch(pack([1, events, 0]))).toEqual([
    { kind: "stored", hashes: ["1"], parent: undefined, tokens: [1], blockTokens: 1, adapter: "ad", salt: "acme" },
    { kind: "stored", hashes: ["ab"], parent: undefined, tokens: [1], blockTokens: 1, adapter: "", salt: "acme" },
  ]);
});
