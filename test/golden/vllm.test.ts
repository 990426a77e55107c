// The pretend vLLM of the fast tests answers as the real one did (recorded by test/system/vllm.test.ts): same statuses, and every
// field that it has is one of the real one's.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../lib/package-root.ts";
import { readKvBatch } from "../../workers/engine/vllm/events/kv-batch.ts";
import { type BlockEvent, FakeBlocks } from "../support/vllm/blocks.ts";
import { pack } from "../support/vllm/message-pack.ts";
import { type Exchanged, exchange } from "../support/vllm/exchange.ts";
import { exchangeGrpc, type GrpcExchanged } from "../support/vllm/exchange-grpc.ts";
import { FakeVllmGrpc } from "../support/vllm/fake-grpc.ts";
import { FakeVllm } from "../support/vllm/fake-vllm.ts";
import { differences, shapeOf } from "../support/vllm/shapes.ts";

const golden = JSON.parse(readFileSync(join(packageRoot(), "test/golden/vllm/0.32.0.json"), "utf8")) as Exchanged & { readonly kvBatches: readonly string[] };

test("what the pretend engine answers is what the real one was recorded with", async () => {
  const fake = await FakeVllm.start({
    ...{ perStep: 4, blockTokens: 32, kvEndpoints: { endpoint: "tcp://*:1", replay: "tcp://127.0.0.1:2" } },
    text: () => "a + b;",
  });
  try {
    const ours = await exchange(fake.url);
    for (const [name, { status, body }] of Object.entries(golden.answers)) {
      expect([name, ours.answers[name]?.status]).toEqual([name, status]);
      expect([name, differences(shapeOf(ours.answers[name]?.body), shapeOf(body))]).toEqual([name, []]);
    }
    expect(ours.stream.at(-1)).toBe(golden.stream.at(-1));
    for (const place of [0, -2]) expect(differences(shapeOf(ours.stream.at(place)), shapeOf(golden.stream.at(place)))).toEqual([]);
    expect(ours.metrics.filter((name) => !golden.metrics.includes(name))).toEqual([]);
  } finally {
    await fake.kill();
  }
});

test("KV events of the real engine are read, and the pretend one's are like them", () => {
  const [stored] = golden.kvBatches.flatMap((batch) => readKvBatch(Buffer.from(batch, "hex")));
  expect(stored).toMatchObject({ kind: "stored", blockTokens: 32, parent: undefined });
  const ours: BlockEvent[] = [];
  const blocks = new FakeBlocks({ blockTokens: 32, blocks: 9 }, { tell: (events) => ours.push(...events) });
  blocks.use(stored?.kind === "stored" ? stored.tokens : [], stored?.kind === "stored" ? stored.salt : "", "");
  const [own] = readKvBatch(pack([1, ours.map((event) => ({ ...event, medium: "GPU" })), 0]));
  expect({ ...own, hashes: [] }).toEqual({ ...stored, hashes: [] });
});

test("what the pretend engine says over gRPC is what the real one was recorded with", async () => {
  const recorded = JSON.parse(readFileSync(join(packageRoot(), "test/golden/vllm/grpc-0.32.0.json"), "utf8")) as GrpcExchanged;
  const fake = await FakeVllmGrpc.start({ perStep: 2 });
  try {
    const ours = await exchangeGrpc(fake.url);
    expect(Object.keys(ours).sort()).toEqual(Object.keys(recorded).sort());
    for (const [name, message] of Object.entries(ours))
      expect([name, differences(shapeOf(message), shapeOf(recorded[name]))]).toEqual([name, []]);
    for (const name of ["health", "too long"]) expect(ours[name]).toEqual(recorded[name]);
  } finally {
    await fake.kill();
  }
});

test("a difference is found where it is", () => {
  const theirs = shapeOf({ a: [{ b: 1 }], c: null });
  expect(differences(shapeOf({ a: [{ b: 2 }], c: "x" }), theirs)).toEqual([]);
  expect(differences(shapeOf({ a: [{ b: "2", d: 1 }] }), theirs)).toEqual([
    '.a[].b: "string", theirs "number"',
    ".a[].d: they have none",
  ]);
});
