import { expect, test } from "vitest";
import { Blocks } from "./blocks.ts";
import type { Block } from "./tokens.ts";

const none = new Uint8Array();
/** A prompt of blocks with these keys, 64 bytes each. */
const prompt = (...keys: number[]): Block[] => keys.map((key, index) => ({ key, byteEnd: 64 * (index + 1) }));
const digests = (...names: number[]) => Buffer.concat(names.map((name) => Buffer.from(name.toString(16).padStart(16, "0"), "hex")));
const name = (of: number) => of.toString(16).padStart(16, "0");

function fill(blocks: Blocks, of: Block[], bytes = none) {
  const lease = blocks.lease(of, of.length, of.length, bytes);
  for (const block of of.slice(lease?.hits ?? 0)) lease?.commit(block);
  return lease;
}

test("a second prompt shares the longest prefix that is resident", () => {
  const blocks = new Blocks({ capacity: 10 });
  fill(blocks, prompt(1, 2, 3))?.release();
  expect(blocks.lookup(prompt(1, 2, 9))).toBe(2);
  const lease = blocks.lease(prompt(1, 2, 9), 3, 4, none);
  expect(lease?.hits).toBe(2);
  expect(blocks.held).toBe(4);
  lease?.release();
  expect(blocks.held).toBe(0);
});

test("what nobody holds leaves least recently used first, the far end of a prompt before its start", () => {
  const blocks = new Blocks({ capacity: 6 });
  fill(blocks, prompt(1, 2, 3))?.release();
  fill(blocks, prompt(11, 12, 13))?.release();
  fill(blocks, prompt(1))?.release();
  fill(blocks, prompt(21, 22))?.release();
  expect(blocks.lookup(prompt(1, 2, 3))).toBe(1);
  expect(blocks.lookup(prompt(11, 12, 13))).toBe(3);
  expect(blocks.resident).toBe(6);
});

test("memory that others hold is not taken, and comes back when they let go", () => {
  const blocks = new Blocks({ capacity: 4 });
  const first = fill(blocks, prompt(1, 2, 3));
  expect(blocks.lease(prompt(7, 8), 2, 2, none)).toBeUndefined();
  // One of two blocks is shared, so one is enough.
  const second = blocks.lease(prompt(1, 8), 2, 2, none);
  expect(second?.hits).toBe(1);
  expect(blocks.held).toBe(4);
  first?.release();
  second?.release();
  expect(blocks.held).toBe(0);
  expect(blocks.lease(prompt(7, 8, 9, 10), 4, 4, none)?.hits).toBe(0);
});

test("two sequences that compute the same block at once keep one of the two", () => {
  const blocks = new Blocks({ capacity: 8 });
  const [a, b] = [blocks.lease(prompt(1, 2), 2, 2, none), blocks.lease(prompt(1, 2), 2, 2, none)];
  expect(blocks.held).toBe(4);
  for (const lease of [a, b]) for (const block of prompt(1, 2)) lease?.commit(block);
  expect(blocks.held).toBe(2);
  a?.release();
  expect(blocks.held).toBe(2);
  b?.release();
  expect([blocks.held, blocks.resident]).toEqual([0, 2]);
});

test("64-byte digests come with the engine block that holds their last byte, and go with it", () => {
  const blocks = new Blocks({ capacity: 2 });
  // Blocks of 100 and 60 bytes hold the ends of digests 0 and (64..128, 128..160) 1.
  const of = [
    { key: 1, byteEnd: 100 },
    { key: 2, byteEnd: 160 },
  ];
  const lease = blocks.lease(of, 2, 2, digests(0xa, 0xb, 0xc));
  lease?.commit(of[0] as Block);
  expect(blocks.changes()).toEqual({ stored: [name(0xa)], removed: [] });
  lease?.commit(of[1] as Block);
  expect(blocks.changes()).toEqual({ stored: [name(0xb)], removed: [] });
  lease?.release();
  fill(blocks, prompt(5))?.release();
  expect(blocks.changes()).toEqual({ stored: [], removed: [name(0xb)] });
});

test("a digest held by two engine blocks goes with the last of them", () => {
  const blocks = new Blocks({ capacity: 3 });
  fill(blocks, prompt(1), digests(0xa))?.release();
  fill(blocks, prompt(2), digests(0xa))?.release();
  expect(blocks.changes()).toEqual({ stored: [name(0xa)], removed: [] });
  fill(blocks, prompt(5, 6))?.release();
  expect(blocks.changes()).toEqual({ stored: [], removed: [] });
  fill(blocks, prompt(7))?.release();
  expect(blocks.changes()).toEqual({ stored: [], removed: [name(0xa)] });
});

test("text that the model wrote gets its digest when a prompt brings it back", () => {
  const blocks = new Blocks({ capacity: 4 });
  fill(blocks, prompt(1, 2), digests(0xa))?.release();
  expect(blocks.changes().stored).toEqual([name(0xa)]);
  blocks.lease(prompt(1, 2), 2, 2, digests(0xa, 0xb))?.release();
  expect(blocks.changes().stored).toEqual([name(0xb)]);
});

test("clearing while a sequence holds memory is a mistake of ours", () => {
  const blocks = new Blocks({ capacity: 4 });
  const lease = fill(blocks, prompt(1));
  expect(() => blocks.clear()).toThrow();
  lease?.release();
  blocks.clear();
  expect(blocks.lookup(prompt(1))).toBe(0);
});
