import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { type Finished, type Generation, noUsage, type Piece } from "../generation.ts";
import type { KvEvent } from "./engine.ts";
import { type Sleeper, SleepingEngine } from "./sleeping.ts";

function world(options: { wakes?: boolean; sleeps?: boolean } = {}) {
  const clock = new FakeClock();
  const said: string[] = [];
  const told: KvEvent[] = [];
  const act = (what: string, works: boolean) => async () => {
    said.push(what);
    await clock.sleep(20);
    if (!works) throw new SlipstreamError("engine_failed", `it does not ${what}`);
  };
  async function* generate(): AsyncGenerator<Piece, Finished> {
    said.push("generate");
    await clock.sleep(50);
    yield { text: "x", tokens: 1 };
    return { kind: "done", finish: "stop", usage: noUsage() };
  }
  const inner = {
    ...{ name: "vllm", models: [], capabilities: ["sleep"], slots: 4, blockTokens: 16, died: new Promise<Error>(() => {}) },
    ...{ generate, load: () => ({}), acceptance: () => ({}), onKv: () => {}, close: async () => {} },
    warm: async () => void said.push("warm"),
    ...{ sleep: act("sleep", options.sleeps ?? true), wake: act("wake", options.wakes ?? true) },
  } as unknown as Sleeper;
  const engine = new SleepingEngine(inner, { afterMs: 1_000 }, { clock });
  engine.onKv((event) => told.push(event));
  const ask = async () => {
    const pieces = engine.generate({} as Generation, new AbortController().signal);
    let next = await pieces.next();
    while (!next.done) next = await pieces.next();
    return next.value;
  };
  return { clock, engine, said, told, ask };
}

test("an engine that nobody asks sleeps, says that its KV is gone, and wakes for the next generation", async () => {
  const { clock, engine, said, told, ask } = world();
  await clock.advance(1_100);
  expect([engine.state, said]).toEqual(["asleep", ["sleep"]]);
  expect(told).toEqual([{ stored: [], removed: [], cleared: true }]);
  const asked = Promise.all([ask(), ask()]);
  await clock.advance(100);
  expect((await asked).map(({ kind }) => kind)).toEqual(["done", "done"]);
  expect(said).toEqual(["sleep", "wake", "generate", "generate"]);
  await clock.advance(1_100);
  expect(engine.state).toBe("asleep");
});

test("one that is asked while it falls asleep wakes again", async () => {
  const { clock, said, ask } = world();
  await clock.advance(1_010);
  const asked = ask();
  await clock.advance(200);
  expect((await asked).kind).toBe("done");
  expect(said).toEqual(["sleep", "wake", "generate"]);
});

test("work keeps it awake, and what is only computed ahead does not wake it", async () => {
  const { clock, engine, said, ask } = world();
  for (let round = 0; round < 4; round++) {
    const asked = ask();
    await clock.advance(700);
    await asked;
  }
  expect(said).not.toContain("sleep");
  await clock.advance(1_100);
  await engine.warm("m", [], new AbortController().signal, "");
  expect([engine.state, said.includes("warm")]).toEqual(["asleep", false]);
});

test("one that does not wake fails who asks; one that does not sleep serves on", async () => {
  const broken = world({ wakes: false });
  await broken.clock.advance(1_100);
  const asked = broken.ask();
  await broken.clock.advance(100);
  expect(await asked).toMatchObject({ kind: "failed", error: { code: "engine_failed" } });
  const restless = world({ sleeps: false });
  await restless.clock.advance(1_100);
  expect(restless.engine.state).toBe("awake");
  const served = restless.ask();
  await restless.clock.advance(100);
  expect((await served).kind).toBe("done");
});
