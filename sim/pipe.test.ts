import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { seeded } from "../lib/random.ts";
import { type CancelGeneration, CancelGenerationSchema, type Window, WindowSchema } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { pipe } from "./pipe.ts";

const cancel = (id: number) => create(CancelGenerationSchema, { id: BigInt(id) });
const window = (id: number) => create(WindowSchema, { id: BigInt(id) });

function world(options: { jitterMs?: number; unreadMax?: number; passUp?: (frame: CancelGeneration) => boolean } = {}) {
  const clock = new FakeClock();
  const made = pipe(
    { up: CancelGenerationSchema, down: WindowSchema, latencyMs: 5, jitterMs: 0, ...options },
    { clock, random: seeded(1), ...(options.passUp && { up: { pass: options.passUp } }) },
  );
  const seen: string[] = [];
  const read = async (name: string, frames: AsyncIterable<CancelGeneration | Window>) => {
    try {
      for await (const frame of frames) seen.push(`${name} ${frame.id} at ${clock.now() - 1_000}`);
      seen.push(`${name} end at ${clock.now() - 1_000}`);
    } catch (error) {
      seen.push(`${name} ${(error as SlipstreamError).code} at ${clock.now() - 1_000}`);
    }
  };
  return { clock, seen, read, ...made };
}

test("frames arrive in order after the latency, however they jitter", async () => {
  const { clock, client, server, seen, read } = world({ jitterMs: 20 });
  void read("server", server.frames);
  for (let id = 0; id < 20; id++) client.send(cancel(id));
  await clock.advance(4);
  expect(seen).toEqual([]);
  await clock.advance(100);
  expect(seen.map((line) => Number(line.split(" ")[1]))).toEqual(Array.from({ length: 20 }, (_, id) => id));
});

test("a client that ends cleanly still reads; the server's end ends both", async () => {
  const { clock, client, server, seen, read } = world();
  void read("client", client.frames);
  void read("server", server.frames);
  client.end();
  await clock.advance(5);
  expect(server.signal.aborted).toBe(false);
  server.send(window(7));
  server.end();
  await clock.advance(5);
  expect(seen).toEqual(["server end at 5", "client 7 at 10", "client end at 10"]);
  expect([client.signal.aborted, server.signal.aborted]).toEqual([true, true]);
});

test("an error of one end tears the stream down on the other after the latency", async () => {
  const { clock, client, server, seen, read } = world();
  void read("client", client.frames);
  void read("server", server.frames);
  client.end(new SlipstreamError("deadline_exceeded", "too long"));
  await clock.advance(10);
  expect(seen).toEqual(["client deadline_exceeded at 0", "server cancelled at 5"]);
  expect(server.send(window(1))).toBe(false);
});

test("a cut is seen at once by both and loses what is under way", async () => {
  const { clock, client, server, seen, read, cut } = world();
  void read("client", client.frames);
  void read("server", server.frames);
  client.send(cancel(1));
  await clock.advance(2);
  cut();
  await clock.advance(10);
  expect(seen).toEqual(["client unavailable at 2", "server cancelled at 2"]);
});

test("a stall holds everything back and loses nothing", async () => {
  const { clock, client, server, seen, read, stall } = world();
  void read("server", server.frames);
  client.send(cancel(1));
  stall(50);
  client.send(cancel(2));
  client.send(cancel(3));
  await clock.advance(100);
  expect(seen).toEqual(["server 1 at 5", "server 2 at 50", "server 3 at 50"]);
});

test("a peer that does not read slows the sender, then is cut off", async () => {
  const { clock, client, server } = world({ unreadMax: 8 });
  expect([1, 2, 3, 4].map((id) => server.send(window(id)))).toEqual([true, true, true, false]);
  let drained = false;
  void server.drained().then(() => {
    drained = true;
  });
  await clock.advance(10);
  expect(drained).toBe(false);
  const reader = client.frames[Symbol.asyncIterator]();
  for (let i = 0; i < 2; i++) await reader.next();
  await clock.advance(0);
  expect(drained).toBe(true);
  for (let id = 5; id < 30; id++) server.send(window(id));
  expect(server.signal.aborted).toBe(true);
});

test("a lossy hook loses what it names", async () => {
  const { clock, client, server, seen, read } = world({ passUp: (frame) => frame.id !== 2n });
  void read("server", server.frames);
  for (const id of [1, 2, 3]) client.send(cancel(id));
  await clock.advance(10);
  expect(seen.map((line) => line.slice(0, 8))).toEqual(["server 1", "server 3"]);
});
