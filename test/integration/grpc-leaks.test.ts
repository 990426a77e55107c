// What a thousand calls leave behind: nothing.
import { createHash } from "node:crypto";
import { getEventListeners, setMaxListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Call } from "../../lib/grpc/server.ts";
import {
  ClientMessageSchema,
  CompleteRequestSchema,
  CompletionService,
  ReportRequestSchema,
  ReportResponseSchema,
  ServerMessageSchema,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { RouterFrameSchema, WorkerFrameSchema, WorkerService } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { runSession } from "../../router/session-service.ts";
import { readAll, startPair } from "../support/grpc.ts";
import { routed } from "../support/routed.ts";
import { pause, until } from "../support/until.ts";

const { complete, report, session } = CompletionService.method;
const { link } = WorkerService.method;
const partial = (text: string) => create(ServerMessageSchema, { message: { case: "partial", value: { text } } });

/** Node's own warnings while the test runs. */
function warnings(): string[] {
  const seen: string[] = [];
  const keep = (warning: Error) => void seen.push(`${warning.name}: ${warning.message}`);
  process.on("warning", keep);
  onTestFinished(() => void process.removeListener("warning", keep));
  return seen;
}

test("a thousand calls of each kind on one signal leave no listener on it and no handler behind", async () => {
  const warned = warnings();
  let running = 0;
  const { client, server, failures } = await startPair({
    report: async () => create(ReportResponseSchema, { matched: 1 }),
    complete: async function* ({ prefix }) {
      running += 1;
      try {
        for (let i = 0; i < 3; i++) yield partial(prefix);
        if (prefix === "fail") throw new SlipstreamError("overloaded", "busy");
      } finally {
        running -= 1;
      }
    },
    link: async (stream) => {
      running += 1;
      try {
        for await (const _ of stream.frames) stream.send(create(WorkerFrameSchema, { frame: { case: "resume", value: {} } }));
      } finally {
        running -= 1;
      }
    },
  });
  const controller = new AbortController();
  const { signal } = controller;
  setMaxListeners(0, signal);
  const one = async (i: number) => {
    await client.unary(report, create(ReportRequestSchema), { signal });
    await readAll(client.serverStream(complete, create(CompleteRequestSchema, { prefix: i % 3 === 0 ? "fail" : "" }), { signal }));
    for await (const _ of client.serverStream(complete, create(CompleteRequestSchema), { signal })) if (i % 2 === 0) break;
    const duplex = client.duplex(link, { signal });
    duplex.send(create(RouterFrameSchema, { frame: { case: "demand", value: { inline: 1 } } }));
    if (i % 5 === 0) duplex.end(new SlipstreamError("cancelled", "enough"));
    else duplex.end();
    await readAll(duplex.frames);
  };
  for (let i = 0; i < 1_000; i += 20) await Promise.all(Array.from({ length: 20 }, (_, j) => one(i + j)));
  await until("every handler has ended", () => running === 0);
  expect(getEventListeners(signal, "abort")).toEqual([]);
  expect([warned, failures]).toEqual([[], []]);
  client.close();
  await server.drain();
});

test.each(["an abort before", "an abort in the same tick", "no time", "less than no time"])(
  "%s leaves no handler running, on a connection that stands",
  async (how) => {
    let running = 0;
    const held = async (call: Call) => {
      running += 1;
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve, { once: true }));
      running -= 1;
      throw call.signal.reason;
    };
    const { client } = await startPair({
      report: async ({ feedback }, call) => (feedback.length > 0 ? create(ReportResponseSchema) : held(call)),
      // biome-ignore lint/correctness/useYield: it ends before the first message.
      complete: async function* (_request, call) {
        await held(call);
      },
      link: (_stream, call) => held(call),
    });
    const stand = () => client.unary(report, create(ReportRequestSchema, { feedback: [{}] }));
    await stand();
    const controller = new AbortController();
    const options =
      how === "no time" ? { deadlineMs: 0 } : how === "less than no time" ? { deadlineMs: -50 } : { signal: controller.signal };
    if (how === "an abort before") controller.abort();
    const ends = [
      client.unary(report, create(ReportRequestSchema), options).catch((error: SlipstreamError) => ({ error })),
      readAll(client.serverStream(complete, create(CompleteRequestSchema), options)),
      readAll(client.duplex(link, options).frames),
    ];
    controller.abort();
    for (const end of await Promise.all(ends))
      expect((end as { error: unknown }).error).toMatchObject({ code: how.includes("abort") ? "cancelled" : "deadline_exceeded" });
    await stand();
    await until("no handler runs", () => running === 0);
  },
);

test("a stream that waits for its reader a thousand times keeps the same few listeners", async () => {
  const warned = warnings();
  const counts: number[] = [];
  const { client } = await startPair({
    complete: async function* (_request, call) {
      const text = "x".repeat(16 << 10);
      for (let i = 0; i < 3_000; i++) {
        yield partial(text);
        if (i % 500 === 0) counts.push(getEventListeners(call.signal, "abort").length);
      }
    },
    link: async (stream) => {
      const frame = create(WorkerFrameSchema, { frame: { case: "delta", value: { text: "x".repeat(16 << 10) } } });
      for (let i = 0; i < 3_000; i++) {
        if (!stream.send(frame)) await stream.drained();
        if (i % 500 === 0) counts.push(getEventListeners(stream.signal, "abort").length);
      }
    },
  });
  const { messages } = await readAll(client.serverStream(complete, create(CompleteRequestSchema)));
  const { messages: frames } = await readAll(client.duplex(link).frames);
  expect([messages.length, frames.length]).toEqual([3_000, 3_000]);
  expect(Math.max(...counts)).toBeLessThanOrEqual(1);
  expect(warned).toEqual([]);
});

test("memory does not grow with the number of calls", async () => {
  const { client } = await startPair({
    complete: async function* ({ prefix }) {
      yield partial(prefix);
    },
  });
  const request = create(CompleteRequestSchema, { prefix: "x".repeat(32 << 10) });
  const calls = async (n: number) => {
    for (let i = 0; i < n; i += 20)
      await Promise.all(Array.from({ length: 20 }, () => readAll(client.serverStream(complete, request, { deadlineMs: 60_000 }))));
  };
  await calls(400);
  const before = await retained();
  await calls(1_000);
  // A thousand calls carry 33 MB each way; what stays is a small part of it.
  expect((await retained()) - before).toBeLessThan(4 << 20);
});

test("a window that is only open costs the router its document once", async () => {
  const { router, metrics } = routed();
  const { client } = await startPair({ session: (stream) => runSession(router, stream, "t") });
  const [windows, size] = [60, 128 << 10];
  const text = "const a = 1;\n".repeat(size / 13);
  const open = (i: number) => {
    const stream = client.duplex(session);
    stream.send(create(ClientMessageSchema, { message: { case: "hello", value: { protocol: "1", sessionId: `s${i}` } } }));
    const sha256 = createHash("sha256").update(text).digest();
    const value = { documentId: "d", version: 1n, language: "typescript", text, sha256 };
    stream.send(create(ClientMessageSchema, { message: { case: "documentOpen", value } }));
    return stream;
  };
  const before = await retained();
  const streams = Array.from({ length: windows }, (_, i) => open(i));
  await until("all are open", () => metrics.max("documents") === windows);
  // Once in the router, once as what the client of this process sent last, and what a connection costs.
  expect((await retained()) - before).toBeLessThan(windows * size * 2.8);
  for (const stream of streams) stream.end();
});

/** Bytes in use after collection; buffers are given back a turn after the objects that held them. */
async function retained(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; i < 3; i++) {
    collect();
    await pause(20);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
