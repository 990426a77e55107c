import { expect, test } from "vitest";
import { FakeClock } from "../../../lib/clock.fake.ts";
import { seeded } from "../../../lib/random.ts";
import { SimulatedEngine } from "../simulated/simulated.ts";
import type { Item } from "./contract.ts";
import { verifyItems } from "./verifying.ts";
import { withoutAddresses } from "./without-addresses.ts";

const holds = async () => {};
const throws = (why: string) => async () => {
  throw new Error(why);
};

async function verified(
  items: readonly Item[],
  act: (clock: FakeClock, engine: SimulatedEngine, stop: () => void) => void = () => {},
) {
  const clock = new FakeClock();
  const engine = new SimulatedEngine(
    { profile: "h100-7b-draft", profileEnd: "fast", seed: 1, slots: 4 },
    { clock, random: seeded(1) },
  );
  const stopping = new AbortController();
  let begun = 0;
  const running = verifyItems(
    items,
    { engine, kind: "simulated", clock },
    { limitMs: 1_000, without: { sleep: "it would sleep" } },
    {
      ...{ clock, signal: stopping.signal },
      progress: (_, ended) => {
        if (ended === undefined && ++begun === 2) act(clock, engine, () => stopping.abort());
      },
    },
  );
  return (await running).map(({ became, why }) => [became, why]);
}

test("an item holds, is broken with its reason in one line, is lacking as it should, or is there all the same", async () => {
  expect(
    await verified([
      { name: "a", check: holds },
      { name: "b", check: throws("it is\n\n  not so") },
      { name: "c", check: holds, ability: "kv_events", lacking: true },
      { name: "d", check: throws("it is there"), ability: "kv_events", lacking: true },
      { name: "e", check: throws("never tried"), ability: "sleep" },
    ]),
  ).toEqual([
    ["held", ""],
    ["broken", "it is not so"],
    ["lacking", ""],
    ["more", "it is there"],
    ["not_tried", "it would sleep"],
  ]);
});

test("one that does not end is broken, and nothing is tried after it", async () => {
  const items = [
    { name: "a", check: holds },
    { name: "b", check: () => new Promise<void>(() => {}) },
    { name: "c", check: holds },
  ];
  const ended = await verified(items, (clock) => queueMicrotask(() => void clock.advance(1_001)));
  expect(ended).toEqual([
    ["held", ""],
    ["broken", "it was not over within 1000 ms"],
    ["not_tried", "the one before did not end"],
  ]);
});

test("who interrupts gets what was tried until then", async () => {
  const items = [
    { name: "a", check: holds },
    { name: "b", check: () => new Promise<void>(() => {}) },
    { name: "c", check: holds },
  ];
  const ended = await verified(items, (_clock, _engine, stop) => queueMicrotask(stop));
  expect(ended).toEqual([
    ["held", ""],
    ["not_tried", "interrupted"],
    ["not_tried", "interrupted"],
  ]);
});

test("an engine that is gone is not asked further", async () => {
  const items = [
    { name: "a", check: holds },
    { name: "b", check: throws("it broke off") },
    { name: "c", check: holds },
  ];
  const ended = await verified(items, (_clock, engine) => engine.crash("out of memory"));
  expect(ended).toEqual([
    ["held", ""],
    ["broken", "it broke off"],
    ["not_tried", expect.stringContaining("the engine is gone: ")],
  ]);
});

test.each([
  ["the engine at 10.1.2.3:8000: /metrics did not answer", "the engine at ADDRESS: /metrics did not answer"],
  ["http://gpu-7.corp.example:8000/v1: no", "ADDRESS: no"],
  ["gpu-7.corp.example refuses", "ADDRESS refuses"],
  ["connect ECONNREFUSED [fe80::1%eth0]:50051", "connect ECONNREFUSED ADDRESS"],
  ["connect ECONNREFUSED ::1:50051", "connect ECONNREFUSED ADDRESS"],
  ["getaddrinfo ENOTFOUND laptop-of-somebody", "getaddrinfo ENOTFOUND ADDRESS"],
  ["tcp://*:5557: the other side refuses", "ADDRESS the other side refuses"],
  ["vllm 0.32.0 said 17 of 16 tokens", "vllm 0.32.0 said 17 of 16 tokens"],
])("a report that is sent on names no machine: %s", (text, told) => {
  expect(withoutAddresses(text, "http://gpu-7.corp.example:8000/v1", "laptop-of-somebody")).toBe(told);
});
