import { afterEach, expect, test } from "vitest";
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
