import { afterEach, expect, test } from "vitest";
import { StandInGrpc } from "../sim/tensorrt/grpc.ts";
import { StandInServe } from "../sim/tensorrt/serve.ts";
import { type FakeOptions, FakeVllm } from "../test/support/vllm/fake-vllm.ts";
import type { Io } from "./command.ts";
import { worker } from "./processes.ts";

const open: FakeVllm[] = [];
afterEach(async () => {
  for (const fake of open.splice(0)) await fake.kill();
});

async function probed(options: FakeOptions, ...more: string[]) {
  const fake = await FakeVllm.start(options);
  open.push(fake);
  let out = "";
  const io = { env: {}, out: (text: string) => (out += text), complain: () => {}, on: () => {} } as unknown as Io;
  return { code: await worker(["--probe", fake.url, ...more], io), out };
}

test("an engine that has all is told so", async () => {
  const { code, out } = await probed({ kvEndpoints: { endpoint: "tcp://*:1", replay: "tcp://127.0.0.1:2" }, perStep: 4 });
  expect(code).toBe(0);
  expect(out).toContain("vllm 0.32.0; serve from it with --engine vllm");
  expect(out).toMatch(/KV events again\s+yes/);
  expect(out).toContain("Nothing to change.");
});

test("what an engine lacks is told with the flag that gives it", async () => {
  const { code, out } = await probed({ priority: false, details: false });
  expect(code).toBe(1);
  for (const flag of [
    "--scheduling-policy priority",
    "--kv-events-config",
    "--enable-prompt-tokens-details",
    "--speculative-config",
  ])
    expect(out).toContain(flag);
});

test.each<[speaks: "sglang" | "llama.cpp" | "bare", server: string]>([
  ["sglang", "sglang"],
  ["llama.cpp", "llama.cpp"],
  ["bare", "other"],
])("%s is told from the others, as JSON", async (speaks, server) => {
  const { out } = await probed({ speaks }, "--json");
  expect(JSON.parse(out)).toMatchObject({ engine: "openai", server, models: [{ name: "tiny" }] });
});

test("a TensorRT-LLM is told from the others, over HTTP and over gRPC", async () => {
  const serve = await StandInServe.start({ perStep: 3 });
  const grpc = await StandInGrpc.start();
  let out = "";
  const io = { env: {}, out: (text: string) => (out += text), complain: () => {}, on: () => {} } as unknown as Io;
  try {
    await worker(["--probe", serve.url, "--json"], io);
    expect(JSON.parse(out)).toMatchObject({
      ...{
        engine: "tensorrt",
        kind: "tensorrt",
        version: "1.3.0rc29",
        has: expect.arrayContaining(["tenants_apart", "kv_events"]),
      },
    });
    expect(JSON.parse(out).can).toMatchObject({ "told which cached blocks may go": true });
    // Once more: what it told the first time is gone, and what it has it does not tell of again.
    out = "";
    await worker(["--probe", serve.url, "--json"], io);
    expect(JSON.parse(out).has).toContain("kv_events");
    // Where they are somebody else's, the page is left alone.
    out = "";
    const told = serve.eventReads;
    await worker(["--probe", serve.url, "--json"], { ...io, env: { SLIPSTREAM_WORKER_ENGINE_KV_EVENTS: "false" } });
    expect(JSON.parse(out).can).toMatchObject({ "KV events": "left to another reader" });
    expect(serve.eventReads).toBe(told);
    // A word that says neither is refused before anything is asked: what was read by mistake is gone.
    const unsure = worker(["--probe", serve.url, "--json"], { ...io, env: { SLIPSTREAM_WORKER_ENGINE_KV_EVENTS: "0" } });
    await expect(unsure).rejects.toThrow('SLIPSTREAM_WORKER_ENGINE_KV_EVENTS="0": must be "true" or "false"');
    expect(serve.eventReads).toBe(told);
    out = "";
    await worker(["--probe", grpc.url, "--json"], io);
    expect(JSON.parse(out)).toMatchObject({ engine: "tensorrt", kind: "tensorrt_grpc", version: "1.3.0rc29" });
  } finally {
    await serve.kill();
    await grpc.kill();
  }
});
