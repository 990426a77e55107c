// Real gRPC on loopback: what lib/grpc promises to every server and client of the platform.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { invalid, SlipstreamError } from "../../lib/errors.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { startGrpcServer } from "../../lib/grpc/server.ts";
import {
  ClientMessageSchema,
  CompleteRequestSchema,
  CompletionService,
  ReportRequestSchema,
  ReportResponseSchema,
  type ServerMessage,
  ServerMessageSchema,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import {
  type RouterFrame,
  RouterFrameSchema,
  type WorkerFrame,
  WorkerFrameSchema,
  WorkerService,
} from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { readAll, startPair } from "../support/grpc.ts";
import { pause, until } from "../support/until.ts";

const { complete, report } = CompletionService.method;
const { link } = WorkerService.method;
const request = (prefix = "") => create(CompleteRequestSchema, { prefix });
const partial = (text: string): ServerMessage => create(ServerMessageSchema, { message: { case: "partial", value: { text } } });
const textOf = (message: ServerMessage) => (message.message.case === "partial" ? message.message.value.text : "");
const cancel = (id: number): RouterFrame => create(RouterFrameSchema, { frame: { case: "cancel", value: { id: BigInt(id) } } });
const delta = (id: number, text = ""): WorkerFrame =>
  create(WorkerFrameSchema, { frame: { case: "delta", value: { id: BigInt(id), text } } });
const idOf = (frame: RouterFrame | WorkerFrame) => Number((frame.frame.value as { id: bigint }).id);

test("a unary call answers", async () => {
  const { client } = await startPair({
    report: async ({ feedback }) => create(ReportResponseSchema, { unmatched: feedback.length }),
  });
  const answer = await client.unary(report, create(ReportRequestSchema, { feedback: [{}, {}] }));
  expect(answer.unmatched).toBe(2);
});

test("a server stream gives every message in order", async () => {
  const { client } = await startPair({
    complete: async function* ({ prefix }) {
      for (let i = 0; i < 500; i++) yield partial(`${prefix}${i}`);
    },
  });
  const { messages, error } = await readAll(client.serverStream(complete, request("n")));
  expect(error).toBeUndefined();
  expect(messages.map(textOf)).toEqual(Array.from({ length: 500 }, (_, i) => `n${i}`));
});

test("a duplex carries frames both ways until the client has no more", async () => {
  const { client } = await startPair({
    link: async (stream) => {
      for await (const frame of stream.frames) stream.send(delta(idOf(frame)));
    },
  });
  const duplex = client.duplex(link);
  for (let i = 0; i < 1_000; i++) duplex.send(cancel(i));
  duplex.end();
  const { messages, error } = await readAll(duplex.frames);
  expect(error).toBeUndefined();
  expect(messages.map(idOf)).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
  expect(duplex.signal.aborted).toBe(true);
  await duplex.drained();
});

test("metadata reaches the handler by lower-case name, the peer by address", async () => {
  const seen: (string | undefined)[] = [];
  const { client } = await startPair({
    report: async (_request, call) => {
      seen.push(call.metadata("x-tenant"), call.metadata("absent"), call.peer.replace(/\d+$/, ""));
      return create(ReportResponseSchema);
    },
  });
  await client.unary(report, create(ReportRequestSchema), { metadata: { "X-Tenant": "blue" } });
  expect(seen).toEqual(["blue", undefined, "127.0.0.1:"]);
});

async function* map<A, B>(source: AsyncIterable<A>, change: (value: A) => B): AsyncGenerator<B> {
  for await (const value of source) yield change(value);
}

const failing = () =>
  Promise.reject(
    new SlipstreamError("overloaded", "the queue of pool “ä” is full", { field: "labels.größe%", retryAfterMs: 1_250 }),
  );

test("a thrown error arrives whole, whatever the kind of call", async () => {
  const { client, failures } = await startPair({
    report: failing,
    // biome-ignore lint/correctness/useYield: it fails before the first message.
    complete: async function* () {
      await failing();
    },
    link: failing,
  });
  const duplex = client.duplex(link);
  const errors = [
    await client.unary(report, create(ReportRequestSchema)).catch((error: SlipstreamError) => error),
    (await readAll(client.serverStream(complete, request()))).error,
    (await readAll(duplex.frames)).error,
  ];
  for (const error of errors) {
    expect(error).toBeInstanceOf(SlipstreamError);
    expect(error).toMatchObject({
      code: "overloaded",
      message: "the queue of pool “ä” is full",
      field: "labels.größe%",
      retryAfterMs: 1_250,
    });
  }
  expect(duplex.signal.reason).toMatchObject({ code: "overloaded" });
  expect(failures).toEqual([]);
});

test("what is read before an error is in order, from the first message on", async () => {
  const { client } = await startPair({
    complete: async function* () {
      for (let i = 0; i < 300; i++) yield partial(String(i));
      throw new SlipstreamError("worker_lost", "gone");
    },
    link: async (stream) => {
      for (let i = 0; i < 300; i++) stream.send(delta(i));
      throw new SlipstreamError("worker_lost", "gone");
    },
  });
  const streams = [
    readAll(map(client.serverStream(complete, request()), (message) => Number(textOf(message)))),
    readAll(map(client.duplex(link).frames, idOf)),
  ];
  for (const { messages, error } of await Promise.all(streams)) {
    expect(error).toMatchObject({ code: "worker_lost" });
    expect(messages.length).toBeGreaterThan(0);
    expect(messages).toEqual(Array.from({ length: messages.length }, (_, i) => i));
  }
});

test("a slow reader loses nothing when the server ends first", async () => {
  const { client } = await startPair({
    link: async (stream) => {
      for (let i = 0; i < 1_000; i++) stream.send(delta(i));
    },
  });
  const duplex = client.duplex(link);
  const seen: number[] = [];
  for await (const frame of duplex.frames) {
    if (seen.push(idOf(frame)) % 200 === 1) await pause(20);
  }
  expect(seen).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
});

test("the message of a mistake of ours stays on the server", async () => {
  const secret = "const password = 'hunter2'";
  const boom = () => {
    throw new TypeError(secret);
  };
  const { client, failures } = await startPair({
    report: async () => boom(),
    // A handler that fails before it returns its promise or generator.
    complete: boom,
    link: boom,
  });
  const errors = [
    await client.unary(report, create(ReportRequestSchema)).catch((error: SlipstreamError) => error),
    (await readAll(client.serverStream(complete, request()))).error,
    (await readAll(client.duplex(link).frames)).error,
  ];
  for (const error of errors) {
    expect(error).toMatchObject({ code: "internal" });
    const cause = (error as SlipstreamError).cause as { metadata: { getMap(): Record<string, Buffer | string> } };
    const said = Object.values(cause.metadata.getMap()).map((value) => Buffer.from(value).toString("latin1"));
    expect([(error as SlipstreamError).message, ...said].join()).not.toContain("hunter2");
  }
  expect(failures.map((error) => error.message)).toEqual([secret, secret, secret]);
});

test("a mistake after the caller has left is still reported", async () => {
  let started = false;
  const { client, failures } = await startPair({
    link: async (_stream, call) => {
      started = true;
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve, { once: true }));
      throw new TypeError("too late");
    },
  });
  const controller = new AbortController();
  const duplex = client.duplex(link, { signal: controller.signal });
  duplex.send(cancel(1));
  await until("the handler runs", () => started);
  controller.abort(new SlipstreamError("cancelled", "bored"));
  await until("the failure is reported", () => failures.length === 1);
});

test("a message that no header can carry is clipped, not fatal", async () => {
  const long = `${"x".repeat(319)}\u{1f600}${"y".repeat(200_000)}`;
  const { client } = await startPair({
    report: () => Promise.reject(new SlipstreamError("invalid_request", long, { field: `a\n\ud800${"f".repeat(100_000)}` })),
  });
  const error = (await client.unary(report, create(ReportRequestSchema)).catch((e: SlipstreamError) => e)) as SlipstreamError;
  expect(error.code).toBe("invalid_request");
  expect(error.message).toMatch(/^x{319}\ufffd$/);
  expect(error.field?.startsWith("a\n\ufffdfff")).toBe(true);
});

test("a request over the size limit is refused by name", async () => {
  const { client } = await startPair({}, { messageBytesMax: 64 << 10 });
  const { error } = await readAll(client.serverStream(complete, request("x".repeat(100_000))));
  expect(error).toMatchObject({ code: "overloaded" });
  expect(error?.message).toContain("larger than max");
});

test("a reader that stops holds the generator back", async () => {
  let pulled = 0;
  const { client } = await startPair({
    complete: async function* () {
      for (; pulled < 5_000; pulled++) yield partial("x".repeat(8 << 10));
    },
  });
  const stream = client.serverStream(complete, request());
  await stream.next();
  await until("the generator stands still", async () => {
    const before = pulled;
    await pause(60);
    return pulled === before;
  });
  // 64 here, 16 in each stream object, and what the connection's window holds.
  expect(pulled).toBeLessThan(200);
  const { messages, error } = await readAll(stream);
  expect([messages.length, error]).toEqual([4_999, undefined]);
});

test("reading a duplex pauses the peer at the read-ahead bound", async () => {
  let received = 0;
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { client } = await startPair({
    link: async (stream) => {
      for await (const _ of stream.frames) {
        if (++received === 1) await held;
      }
    },
  });
  const duplex = client.duplex(link);
  const text = "s".repeat(4 << 10);
  let sent = 0;
  const submit = () => create(RouterFrameSchema, { frame: { case: "submit", value: { id: BigInt(sent), model: text } } });
  let blocked = false;
  while (!blocked && sent < 20_000) {
    sent += 1;
    if (!duplex.send(submit())) blocked = await Promise.race([duplex.drained().then(() => false), pause(500).then(() => true)]);
  }
  expect(blocked).toBe(true);
  expect(sent).toBeLessThan(1_000);
  release();
  await duplex.drained();
  duplex.end();
  await until("all frames are read", () => received === sent);
});

test("a peer that never reads is cut off after the write-behind bound", async () => {
  let sent = 0;
  const reasons: unknown[] = [];
  const { client, server } = await startPair({
    link: async (stream) => {
      while (!stream.signal.aborted) {
        stream.send(delta(sent++, "x".repeat(1 << 10)));
        if (sent % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      reasons.push(stream.signal.reason);
      await stream.drained();
      expect(stream.send(delta(0))).toBe(false);
    },
  });
  const duplex = client.duplex(link);
  duplex.send(cancel(1));
  await until("the server gives up", () => reasons.length === 1);
  expect(reasons[0]).toMatchObject({ code: "overloaded" });
  expect(sent).toBeGreaterThan(8_192);
  expect(sent).toBeLessThan(12_000);
  // What had arrived can be read, then the end has its reason; the server is not held up by this peer.
  const { messages, error } = await readAll(duplex.frames);
  expect(messages.length).toBeGreaterThan(0);
  expect(error).toMatchObject({ code: "overloaded" });
  client.close();
  await server.drain();
});

test("a client that stops reading and leaves frees the handler of a server stream", async () => {
  let ended = 0;
  const { client } = await startPair({
    complete: async function* () {
      try {
        for (;;) yield partial("x".repeat(4 << 10));
      } finally {
        ended += 1;
      }
    },
  });
  for await (const _ of client.serverStream(complete, request())) break;
  await until("the generator is returned", () => ended === 1);
});

test.each(["abort", "break", "deadline"] as const)("a client that ends by %s aborts the handler's signal", async (way) => {
  const reasons: unknown[] = [];
  const { client } = await startPair({
    complete: async function* (_request, call) {
      yield partial("first");
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve, { once: true }));
      reasons.push(call.signal.reason);
      yield partial("never read");
    },
  });
  const controller = new AbortController();
  const options = way === "deadline" ? { deadlineMs: 100 } : { signal: controller.signal };
  const codes: unknown[] = [];
  try {
    for await (const _ of client.serverStream(complete, request(), options)) {
      if (way === "abort") controller.abort();
      if (way === "break") break;
    }
  } catch (error) {
    codes.push((error as SlipstreamError).code);
  }
  expect(codes).toEqual({ abort: ["cancelled"], break: [], deadline: ["deadline_exceeded"] }[way]);
  await until("the handler hears of it", () => reasons.length === 1);
  expect(reasons[0]).toMatchObject({ code: "cancelled" });
});

test("a unary call ends at its deadline and at its signal, also when that has already come", async () => {
  const { client } = await startPair({
    report: (_request, call) =>
      new Promise((_resolve, reject) => call.signal.addEventListener("abort", () => reject(call.signal.reason), { once: true })),
  });
  const ask = (options: object) => client.unary(report, create(ReportRequestSchema), options);
  await expect(ask({ deadlineMs: 50 })).rejects.toMatchObject({ code: "deadline_exceeded" });
  await expect(ask({ signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ code: "cancelled" });
  await expect(ask({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
});

test.each(["before", "after"] as const)("aborting %s the client's half-close tears a duplex down on both sides", async (when) => {
  const handlers: SlipstreamError[] = [];
  const { client } = await startPair({
    link: async (stream, call) => {
      stream.send(delta(1));
      await readAll(stream.frames);
      await new Promise<void>((resolve) => {
        if (call.signal.aborted) resolve();
        call.signal.addEventListener("abort", () => resolve(), { once: true });
      });
      handlers.push(stream.signal.reason as SlipstreamError);
    },
  });
  const controller = new AbortController();
  const duplex = client.duplex(link, { signal: controller.signal });
  if (when === "after") duplex.end();
  for await (const _ of duplex.frames) break;
  const rest = readAll(duplex.frames);
  controller.abort(new SlipstreamError("draining", "going"));
  expect((await rest).error).toMatchObject({ code: "draining" });
  expect(duplex.signal.aborted).toBe(true);
  await until("the handler is told", () => handlers.length === 1);
  expect(handlers[0]).toMatchObject({ code: "cancelled" });
});

test("ending a duplex with an error ends the pending read and every wait for room", async () => {
  const { client } = await startPair({
    link: (stream) => new Promise((resolve) => stream.signal.addEventListener("abort", () => resolve())),
  });
  const duplex = client.duplex(link);
  const reading = readAll(duplex.frames);
  const big = create(RouterFrameSchema, { frame: { case: "submit", value: { model: "x".repeat(64 << 10) } } });
  while (duplex.send(big));
  const room = duplex.drained();
  duplex.end(new SlipstreamError("protocol", "two hellos"));
  expect((await reading).error).toMatchObject({ code: "protocol" });
  await room;
  expect(duplex.send(big)).toBe(false);
  duplex.end();
});

test("a handler that leaves a duplex early ends it well; what the client sends then goes nowhere", async () => {
  const { client } = await startPair({
    link: async (stream) => {
      for await (const frame of stream.frames) {
        stream.send(delta(idOf(frame)));
        return;
      }
    },
  });
  const duplex = client.duplex(link);
  duplex.send(cancel(7));
  const { messages, error } = await readAll(duplex.frames);
  expect([messages.map(idOf), error]).toEqual([[7], undefined]);
  expect(duplex.send(cancel(8))).toBe(false);
  await duplex.drained();
  // The connection is fine.
  const again = client.duplex(link);
  again.send(cancel(9));
  expect((await readAll(again.frames)).messages).toHaveLength(1);
});

test("a handler that refuses a duplex with its own words is heard", async () => {
  const { client } = await startPair({
    session: async (stream) => {
      stream.end(invalid("hello.protocol", "must be 1"));
    },
  });
  const duplex = client.duplex(CompletionService.method.session);
  duplex.send(create(ClientMessageSchema, { message: { case: "hello", value: { protocol: "9" } } }));
  expect((await readAll(duplex.frames)).error).toMatchObject({ code: "invalid_request", field: "hello.protocol" });
});

test("drain waits for running calls and refuses new ones", async () => {
  let release: () => void = () => {};
  const { client, server, address } = await startPair({
    complete: async function* () {
      yield partial("one");
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield partial("two");
    },
  });
  const running = client.serverStream(complete, request());
  await running.next();
  let drained = false;
  const draining = server.drain().then(() => {
    drained = true;
  });
  const late = new GrpcClient({ address });
  await expect(late.unary(report, create(ReportRequestSchema), { deadlineMs: 5_000 })).rejects.toMatchObject({
    code: "unavailable",
  });
  await expect(client.unary(report, create(ReportRequestSchema), { deadlineMs: 5_000 })).rejects.toMatchObject({
    code: "unavailable",
  });
  late.close();
  await pause(50);
  expect(drained).toBe(false);
  release();
  expect((await readAll(running)).messages.map(textOf)).toEqual(["two"]);
  client.close();
  await draining;
});

test("close ends running calls at once", async () => {
  const { client, server } = await startPair({
    link: (stream) => new Promise((resolve) => stream.signal.addEventListener("abort", () => resolve())),
  });
  const duplex = client.duplex(link);
  duplex.send(cancel(1));
  const reading = readAll(duplex.frames);
  await pause(50);
  server.close();
  expect((await reading).error?.code).toMatch(/unavailable|cancelled/);
});

test("nobody there is `unavailable`, at once", async () => {
  const { client, server } = await startPair({});
  server.close();
  await expect(client.unary(report, create(ReportRequestSchema))).rejects.toMatchObject({ code: "unavailable" });
  expect((await readAll(client.duplex(link).frames)).error).toMatchObject({ code: "unavailable" });
});

test("a client finds a server that comes back on the same port", async () => {
  const { client, server, address } = await startPair({});
  await client.unary(report, create(ReportRequestSchema));
  server.close();
  await until("the loss is seen", () =>
    client.unary(report, create(ReportRequestSchema)).then(
      () => false,
      () => true,
    ),
  );
  await startPair({}, { address });
  await until(
    "it is found again",
    () =>
      client.unary(report, create(ReportRequestSchema)).then(
        () => true,
        () => false,
      ),
    8_000,
  );
});

test("a port in use is one sentence that says what to do", async () => {
  const { address } = await startPair({});
  const second = startGrpcServer(
    { address, messageBytesMax: 1, streamsPerConnectionMax: 1 },
    { name: "gRPC", mounts: [], failed: () => {} },
  );
  await expect(second).rejects.toMatchObject({
    code: "unavailable",
    message: `${address} is in use: another program has the gRPC port. End it, or choose another address.`,
  });
});

test("an address that is not this machine's is not called in use", async () => {
  const elsewhere = startGrpcServer(
    { address: "192.0.2.1:7411", messageBytesMax: 1, streamsPerConnectionMax: 1 },
    { name: "gRPC", mounts: [], failed: () => {} },
  );
  await expect(elsewhere).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/^cannot listen on .*EADDRNOTAVAIL/),
  });
});

test("one connection carries many streams, and those over its limit wait their turn", async () => {
  let open = 0;
  let mostOpen = 0;
  const { client } = await startPair(
    {
      link: async (stream) => {
        mostOpen = Math.max(mostOpen, ++open);
        for await (const frame of stream.frames) stream.send(delta(idOf(frame)));
        open -= 1;
      },
    },
    { streamsPerConnectionMax: 100 },
  );
  const duplexes = Array.from({ length: 250 }, () => client.duplex(link));
  for (const [i, duplex] of duplexes.entries()) duplex.send(cancel(i));
  const answers = await Promise.all(
    duplexes.map(async (duplex) => {
      for await (const frame of duplex.frames) {
        duplex.end();
        return idOf(frame);
      }
      return undefined;
    }),
  );
  expect(answers).toEqual(Array.from({ length: 250 }, (_, i) => i));
  expect(mostOpen).toBeLessThanOrEqual(100);
});
