// The worker process over real gRPC on loopback, with the simulated engine on the machine's clock.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { GrpcClient } from "../lib/grpc/client.ts";
import type { Duplex } from "../lib/grpc/duplex.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import { silentLog } from "../lib/log.ts";
import { seeded } from "../lib/random.ts";
import {
  Channel,
  Lane,
  type RouterFrame,
  RouterFrameSchema,
  type WorkerFrame,
  WorkerService,
} from "../proto/gen/slipstream/v1/worker_pb.ts";
import { readWorkerConfig } from "./config.ts";
import type { Engine } from "./engine/engine.ts";
import { SimulatedEngine } from "./engine/simulated/simulated.ts";
import { main, startWorker } from "./main.ts";

const lifecycles: Lifecycle[] = [];
afterEach(async () => {
  for (const lifecycle of lifecycles.splice(0)) await lifecycle.end("test over");
});

async function start(env: Record<string, string> = {}, more: { startEngine?: () => Promise<Engine> } = {}) {
  const lifecycle = new Lifecycle({ graceMs: 2_000 }, { clock: systemClock, log: silentLog });
  lifecycles.push(lifecycle);
  const config = readWorkerConfig({
    SLIPSTREAM_WORKER_ENGINE: "simulated",
    // Slow, so that what is cancelled or drained is under way still.
    SLIPSTREAM_WORKER_PROFILE: "2xh100-32b-eagle3",
    SLIPSTREAM_WORKER_PROFILE_END: "slow",
    SLIPSTREAM_WORKER_MODEL_NAME: "m",
    SLIPSTREAM_WORKER_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_WORKER_ADMIN_ADDRESS: "127.0.0.1:0",
    ...env,
  });
  const running = await startWorker(config, { lifecycle, clock: systemClock, random: seeded(1), log: silentLog, ...more });
  return { ...running, lifecycle };
}

type Frame = WorkerFrame["frame"];
type Stream = Duplex<WorkerFrame, RouterFrame>;

function frame(of: MessageInitShape<typeof RouterFrameSchema>["frame"]): RouterFrame {
  return create(RouterFrameSchema, { frame: of } as MessageInitShape<typeof RouterFrameSchema>);
}

function connect(port: number, protocolMin = 1): { stream: Stream; client: GrpcClient; reader: AsyncIterator<WorkerFrame> } {
  const client = new GrpcClient({ address: `127.0.0.1:${port}` });
  const stream = client.duplex(WorkerService.method.link);
  stream.signal.addEventListener("abort", () => client.close(), { once: true });
  stream.send(frame({ case: "hello", value: { protocolMin, protocolMax: 9, router: "r", channel: Channel.INLINE } }));
  return { stream, client, reader: stream.frames[Symbol.asyncIterator]() };
}

function submit(id: bigint, maxTokens: number): RouterFrame {
  const segments = [{ part: { case: "text" as const, value: `// ${id}\nconst x = ` } }];
  return frame({ case: "submit", value: { id, lane: Lane.INLINE, model: "m", segments, sampling: { maxTokens, temperature: 0 } } });
}

/** Reads until a frame of this kind. */
async function until<C extends Frame["case"]>(
  reader: AsyncIterator<WorkerFrame>,
  kind: C,
): Promise<Extract<Frame, { case: C }>["value"]> {
  for (;;) {
    const next = await reader.next();
    if (next.done) throw new Error(`the stream ended before ${kind}`);
    if (next.value.frame.case === kind) return next.value.frame.value as never;
  }
}

/** Reads on to the error that ends the stream. */
async function ended(reader: AsyncIterator<WorkerFrame>): Promise<SlipstreamError> {
  for (;;) {
    try {
      if ((await reader.next()).done) throw new Error("the stream ended without an error");
    } catch (error) {
      return SlipstreamError.from(error);
    }
  }
}

async function metric(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${name} `) || each.startsWith(`${name}{`));
  return Number(line?.split(" ").at(-1));
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await check()) return;
    await systemClock.sleep(10);
  }
  throw new Error("it never came true");
}

test("a generation over real gRPC: welcome, credits, deltas, Done; a Cancel is acknowledged", async () => {
  const { port } = await start();
  const { stream, reader } = connect(port);
  expect(await until(reader, "welcome")).toMatchObject({
    protocol: 1,
    worker: "worker",
    engine: "simulated",
    models: [{ name: "m" }],
  });
  expect((await until(reader, "credits")).inline).toBe(5);
  stream.send(submit(1n, 20));
  const first = await until(reader, "delta");
  expect(first.text.length).toBeGreaterThan(0);
  expect((await until(reader, "done")).usage?.completionTokens).toBeGreaterThan(0);
  stream.send(submit(2n, 4_000));
  await until(reader, "delta");
  stream.send(frame({ case: "cancel", value: { id: 2n } }));
  const end = await Promise.race([until(reader, "cancelAck"), systemClock.sleep(2_000)]);
  expect(end).toMatchObject({ id: 2n });
  stream.end();
});

test("a router without a common protocol version gets FAILED_PRECONDITION and both versions", async () => {
  const { port } = await start();
  const { reader } = connect(port, 2);
  const error = await ended(reader);
  expect(error.code).toBe("protocol");
  expect(error.message).toContain("2 to 9");
  expect((error.cause as grpc.ServiceError).code).toBe(grpc.status.FAILED_PRECONDITION);
});

test("bytes that are no frame end their stream, a router that vanishes frees its work, and the worker lives", async () => {
  const { port, adminPort } = await start();
  const raw = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  const call = raw.makeBidiStreamRequest("/slipstream.v1.WorkerService/Link", same, same);
  const status = new Promise<number>((resolve) => call.on("error", (error: grpc.ServiceError) => resolve(error.code)));
  call.on("data", () => {});
  call.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  expect(await status).toBe(grpc.status.INTERNAL);
  raw.close();
  const { stream, reader } = connect(port);
  stream.send(submit(1n, 4_000));
  await until(reader, "delta");
  stream.end(new SlipstreamError("cancelled", "gone"));
  await eventually(async () => (await metric(adminPort, "slipstream_worker_running")) === 0);
  const again = connect(port);
  again.stream.send(submit(1n, 4));
  await until(again.reader, "done");
  again.stream.end();
});

test("at the end routers are told, what runs may finish, and streams end as draining", async () => {
  const { port, adminPort, lifecycle } = await start();
  const { stream, reader } = connect(port);
  await until(reader, "credits");
  expect((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status).toBe(200);
  stream.send(submit(1n, 60));
  await until(reader, "delta");
  const over = lifecycle.end("test");
  expect((await until(reader, "draining")).graceMs).toBeGreaterThan(0);
  await until(reader, "done");
  expect((await ended(reader)).code).toBe("draining");
  await over;
});

test("an operator drains a worker by its admin port, sees how far it is, and takes it back", async () => {
  const { port, adminPort, lifecycle } = await start();
  const { stream, reader } = connect(port);
  await until(reader, "credits");
  const drain = async (method: string) => {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/drain`, { method });
    return [answer.status, ((await answer.json()) as { state: string }).state];
  };
  const ready = async () => (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status;
  expect([await drain("GET"), await ready()]).toEqual([[200, "serving"], 200]);
  const page = await fetch(`http://127.0.0.1:${adminPort}/drain`, { method: "POST", headers: { origin: "http://a.example" } });
  expect([page.status, await ready()]).toEqual([403, 200]);
  expect((await drain("POST"))[0]).toBe(202);
  expect(await ready()).toBe(503);
  await until(reader, "draining");
  await eventually(async () => (await drain("GET"))[1] === "drained");
  expect(await drain("DELETE")).toEqual([200, "serving"]);
  await until(reader, "resume");
  expect(await ready()).toBe(200);
  stream.send(submit(1n, 4));
  await until(reader, "done");
  stream.end();
  await lifecycle.end("test");
});

test("a drain that is taken back while the engine is away leaves the worker unready until the engine is there", async () => {
  let die = (_: Error): void => undefined;
  let comeBack = (): void => undefined;
  const died = new Promise<Error>((resolve) => (die = resolve));
  const isBack = new Promise<void>((resolve) => (comeBack = resolve));
  let starts = 0;
  const startEngine = async (): Promise<Engine> => {
    const engine = new SimulatedEngine(
      { profile: "l40s-3b-eagle3", profileEnd: "slow", seed: 1, slots: 2, model: "m" },
      { clock: systemClock, random: seeded(1) },
    );
    if (starts++ > 0) await isBack;
    else Object.defineProperty(engine, "died", { value: died });
    return engine;
  };
  const { port, adminPort, lifecycle } = await start({}, { startEngine });
  const { stream, reader } = connect(port);
  await until(reader, "credits");
  const drain = async (method: string) => (await fetch(`http://127.0.0.1:${adminPort}/drain`, { method })).status;
  const ready = async () => {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
    return [answer.status, (await answer.text()).includes("engine")];
  };
  die(new Error("out of memory"));
  await eventually(async () => (await ready())[1] === true);
  expect([await drain("POST"), await ready()]).toEqual([202, [503, true]]);
  expect([await drain("DELETE"), await ready()]).toEqual([200, [503, true]]);
  comeBack();
  await eventually(async () => (await ready())[0] === 200);
  await until(reader, "resume");
  stream.send(submit(1n, 4));
  await until(reader, "done");
  stream.end();
  await lifecycle.end("test");
});

test("wrong settings and a missing model end with one sentence and their exit code", async () => {
  const said: string[] = [];
  const io = { complain: (sentence: string) => void said.push(sentence), on: () => {} };
  const quiet = {
    SLIPSTREAM_WORKER_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_WORKER_ADMIN_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_WORKER_LOG_LEVEL: "silent",
  };
  await expect(main({ SLIPSTREAM_WORKER_SLOTS: "0", SLIPSTREAM_WORKER_ENGINE: "gpu" }, io)).rejects.toThrow(/2 problems/);
  expect(await main({ ...quiet, SLIPSTREAM_WORKER_MODEL: "/nowhere/model.gguf" }, io)).toBe(65);
  expect(said[0]).toContain("/nowhere/model.gguf");
});
