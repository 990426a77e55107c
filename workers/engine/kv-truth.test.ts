// What the engine's events make known, against a pretend cache that evicts: of every prompt as much as it then has cached.
import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { digested } from "../../router/prompt/digest.ts";
import { FakeBlocks } from "../../test/support/vllm/blocks.ts";
import { pack } from "../../test/support/vllm/message-pack.ts";
import { blockKeys, seedOf } from "./block-chain.ts";
import type { KvEvent } from "./engine.ts";
import { KvTruth } from "./kv-truth.ts";
import { readKvBatch } from "./vllm/events/kv-batch.ts";

const blockTokens = 16;

/** A byte is a token. */
function world(options: { blocks: number; blocksMax?: number }) {
  const told: KvEvent[] = [];
  const truth = new KvTruth({ blockTokens, blocksMax: options.blocksMax ?? options.blocks }, { tell: (event) => told.push(event) });
  const blocks = new FakeBlocks(
    { blockTokens, blocks: options.blocks },
    { tell: (events) => truth.take(readKvBatch(pack([1, events, 0]))) },
  );
  /** What routers believe is there. */
  const resident = () => {
    const there = new Set<string>();
    for (const { stored, removed, cleared } of told) {
      if (cleared) there.clear();
      for (const digest of removed) there.delete(digest);
      for (const digest of stored) there.add(digest);
    }
    return there;
  };
  const ask = (text: string, salt: string) => {
    const bytes = Buffer.from(text);
    const { digests } = digested(bytes, salt);
    const tokens = [...bytes];
    const keys = blockKeys(tokens, blockTokens, seedOf(salt, ""));
    const names = Array.from({ length: digests.length / 8 }, (_, at) =>
      Buffer.from(digests.subarray(at * 8, at * 8 + 8)).toString("hex"),
    );
    truth.prompted({ keys, byteEnds: keys.map((_, index) => (index + 1) * blockTokens), digests });
    const expected = Math.min(truth.known(keys), Math.floor((tokens.length - 1) / blockTokens)) * blockTokens;
    return { expected, names, cached: blocks.use(tokens, salt, "") };
  };
  return { told, truth, blocks, resident, ask };
}

test("of a thousand prompts under eviction each is expected to find what it finds", () => {
  const { ask, truth, blocks } = world({ blocks: 60 });
  const random = seeded(4);
  const bodies = Array.from({ length: 12 }, (_, index) => `${index} `.repeat(200));
  let reused = 0;
  for (let round = 0; round < 1_000; round++) {
    const text = (bodies[below(random, bodies.length)] as string).slice(0, 40 + below(random, 360));
    const { expected, cached } = ask(text, ["one", "two"][below(random, 2)] as string);
    expect(expected).toBe(cached);
    reused += cached;
  }
  expect(reused).toBeGreaterThan(1_000);
  expect(truth.size).toBe(blocks.size);
  expect(truth.names).toBeLessThanOrEqual(60);
});

test("routers hear of their own blocks as they come and go", () => {
  const { ask, resident } = world({ blocks: 8, blocksMax: 100 });
  const one = ask("a".repeat(130), "acme");
  expect([...resident()].sort()).toEqual([...one.names].sort());
  ask("b".repeat(130), "acme");
  expect(one.names.filter((name) => resident().has(name))).toEqual([]);
});

test("a block whose digest is asked for later has its name then", () => {
  const { truth, blocks, resident, ask } = world({ blocks: 100 });
  // The engine's own text: nobody has named it yet.
  blocks.use([...Buffer.from("x".repeat(256))], "acme", "");
  expect(resident().size).toBe(0);
  const { names, cached } = ask("x".repeat(256), "acme");
  expect(cached).toBe(240);
  expect([...resident()].sort()).toEqual([...names].sort());
  blocks.clear();
  expect(resident().size).toBe(0);
  expect(truth.size).toBe(0);
});

test("what follows a block that is not known is not placed", () => {
  const { truth } = world({ blocks: 10 });
  const stored = { kind: "stored", hashes: ["9"], tokens: Array(16).fill(1), blockTokens: 16, adapter: "", salt: "" } as const;
  truth.take([{ ...stored, parent: "nobody" }]);
  expect([truth.size, truth.unplaced]).toEqual([0, 1]);
});

test("an engine that stores without ever removing holds no more than twice what it has", () => {
  const { truth } = world({ blocks: 50 });
  for (let i = 0; i < 1_000; i++)
    truth.take([
      { kind: "stored", hashes: [String(i)], parent: undefined, tokens: Array(16).fill(i), blockTokens: 16, adapter: "", salt: "" },
    ]);
  expect(truth.size).toBe(100);
});

test("a block that is moved elsewhere is no help to a step, and is again when it is back", () => {
  const { truth, resident } = world({ blocks: 100 });
  const { digests } = digested(Buffer.alloc(256, "x"), "acme");
  const tokens = Array<number>(256).fill(120);
  const keys = blockKeys(tokens, blockTokens, seedOf("acme", ""));
  truth.prompted({ keys, byteEnds: keys.map((_, index) => (index + 1) * blockTokens), digests });
  const hashes = keys.map((_, index) => `h${index}`);
  truth.take([{ kind: "stored", hashes, parent: undefined, tokens, blockTokens, adapter: "", salt: "acme" }]);
  const move = (hash: string, near: boolean) => truth.take([{ kind: "moved", hashes: [hash], near }]);
  expect([resident().size, truth.known(keys)]).toEqual([4, 16]);
  // The last of the four that the second name ends in.
  move("h7", false);
  move("h7", false);
  expect([resident().size, truth.known(keys)]).toEqual([3, 7]);
  move("h7", true);
  move("nobody", true);
  expect([resident().size, truth.known(keys)]).toEqual([4, 16]);
  // What is elsewhere can be given up, and what followed it is still placed.
  move("h15", false);
  truth.take([{ kind: "removed", hashes: ["h15"] }]);
  expect(truth.known(keys)).toBe(15);
});
