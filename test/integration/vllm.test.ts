// The whole platform before engines that speak vLLM's HTTP: from a client's call to the engine's request, and what becomes of work
// when an engine is killed.
import { afterEach, expect, test } from "vitest";
import { startFleet } from "../../bench/vllm/fleet.ts";
import { Outcome, TriggerKind } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { until } from "../support/until.ts";
import { type FakeOptions, FakeVllm } from "../support/vllm/fake-vllm.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function start(count: number, options: FakeOptions = {}) {
  const fakes = await Promise.all(Array.from({ length: count }, () => FakeVllm.start({ text: () => "a + b;\n}\n", ...options })));
  for (const fake of fakes) open.push(() => fake.kill());
  const fleet = await startFleet(
    fakes.map(({ url }) => url),
    { worker: { SLIPSTREAM_WORKER_ENGINE_HUNG: "2s", SLIPSTREAM_WORKER_ENGINE_START: "30s" } },
  );
  open.push(() => fleet.end());
  for (const fake of fakes) fake.requests.length = 0;
  return { fakes, fleet };
}

const place = (name: string) => ({
  kind: TriggerKind.INVOKED,
  language: "typescript",
  path: `${name}.ts`,
  prefix: `export function ${name}(a: number, b: number) {\n  return `,
  suffix: "\n}\n",
  deadlineMs: 30_000,
});

test("a completion comes through router and agent from the engine, with what it cost", async () => {
  const { fleet, fakes } = await start(1);
  const { completion, text } = await fleet.ask(place("add"));
  expect(text).toContain("a + b;");
  expect(completion?.outcome).toBe(Outcome.GENERATED);
  const [request] = fakes[0]?.requests ?? [];
  // Qwen's form of the prompt, by the vocabulary that the engine was asked for.
  expect(request?.prompt?.[0]).toBe(1_001);
  expect(request?.cache_salt).not.toBe("");
  expect(completion?.cache?.promptTokens).toBe(request?.prompt?.length);
});

test("of two engines one is killed under load: nothing fails that had time left", async () => {
  const { fleet, fakes } = await start(2, { stepMs: 15 });
  const asked = Array.from({ length: 24 }, (_, index) => fleet.ask(place(`f${index}`)));
  await until("both engines are at work", () => fakes.every(({ running }) => running > 0));
  await fakes[0]?.kill();
  const ends = await Promise.all(asked);
  expect(ends.map(({ completion, nothing }) => completion?.outcome ?? nothing?.reason)).toEqual(Array(24).fill(Outcome.GENERATED));
});

test("an engine that comes back is served from again", async () => {
  const { fleet, fakes } = await start(1);
  const port = fakes[0]?.port as number;
  await fleet.ask(place("before"));
  await fakes[0]?.kill();
  const again = await FakeVllm.start({ port, text: () => "back;\n" });
  open.unshift(() => again.kill());
  await until("it is served from", async () => (await fleet.ask(place("after"))).text.includes("back"), 10_000);
});
