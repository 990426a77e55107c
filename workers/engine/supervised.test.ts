import { expect, test } from "vitest";
import { FakeClock, settle } from "../../lib/clock.fake.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { type Generation, noUsage } from "../generation.ts";
import type { Engine, KvEvent } from "./engine.ts";
import { SupervisedEngine, type SupervisedOptions } from "./supervised.ts";

interface Mortal extends Engine {
  die(): void;
  closed: boolean;
}

function mortal(name: string): Mortal {
  let die: (reason: Error) => void = () => {};
  const died = new Promise<Error>((resolve) => {
    die = resolve;
  });
  return {
    name: "simulated",
    models: [],
    capabilities: [],
    slots: 2,
    blockTokens: 16,
    died,
    closed: false,
    die: () => die(new SlipstreamError("engine_failed", `${name} died`)),
    async *generate() {
      yield { text: name, tokens: 1 };
      return { kind: "done" as const, finish: "stop" as const, usage: noUsage() };
    },
    load: () => ({ running: 1, kvBlocksUsed: 0, kvBlocks: 8, prefillTokensPerSecond: 0, stepMs: 0, prefillBacklogTokens: 0 }),
    acceptance: () => ({ drafted: 0, accepted: 0, perPosition: [] }),
    onKv: () => {},
    warm: async () => {},
    async close() {
      this.closed = true;
    },
  };
}

async function supervised(options: SupervisedOptions = {}, failing: (starts: number) => boolean = () => false) {
  const clock = new FakeClock();
  const engines: Mortal[] = [];
  let starts = 0;
  const start = async () => {
    starts += 1;
    if (failing(starts)) throw new SlipstreamError("model_unusable", "the file is gone");
    engines.push(mortal(`engine ${engines.length}`));
    return engines.at(-1) as Mortal;
  };
  const engine = await SupervisedEngine.start(options, { clock, start });
  let gaveUp: Error | undefined;
  void engine.died.then((reason) => {
    gaveUp = reason;
  });
  return { clock, engine, engines, starts: () => starts, gaveUp: () => gaveUp };
}

async function answer(engine: Engine): Promise<string> {
  const stream = engine.generate({} as Generation, new AbortController().signal);
  const step = await stream.next();
  if (!step.done) return step.value.text;
  return step.value.kind === "failed" ? step.value.error.code : step.value.kind;
}

test("an engine that dies is replaced after a pause, and fails meanwhile what comes", async () => {
  const { clock, engine, engines } = await supervised({ firstPauseMs: 100 });
  expect(await answer(engine)).toBe("engine 0");
  engines[0]?.die();
  await settle();
  expect(await answer(engine)).toBe("engine_failed");
  expect(engine.load().kvBlocks).toBe(0);
  expect(engines[0]?.closed).toBe(true);
  await clock.advance(100);
  expect(await answer(engine)).toBe("engine 1");
});

test("pauses double up to their maximum", async () => {
  const { clock, engines } = await supervised({ firstPauseMs: 100, pauseMaxMs: 300, restartsMax: 9 });
  for (const pauseMs of [100, 200, 300, 300]) {
    const before = engines.length;
    engines.at(-1)?.die();
    await settle();
    await clock.advance(pauseMs - 1);
    expect(engines).toHaveLength(before);
    await clock.advance(1);
    expect(engines).toHaveLength(before + 1);
  }
});

test("too many deaths within the window are told, old ones are forgotten", async () => {
  const patient = await supervised({ restartsMax: 2, windowMs: 10_000 });
  for (let death = 0; death < 5; death++) {
    patient.engines.at(-1)?.die();
    await patient.clock.advance(10_000);
  }
  expect(patient.engines).toHaveLength(6);
  expect(patient.gaveUp()).toBeUndefined();

  const hasty = await supervised({ restartsMax: 2, windowMs: 10_000 });
  for (let death = 0; death < 3; death++) {
    hasty.engines.at(-1)?.die();
    await hasty.clock.advance(1_000);
  }
  expect(hasty.gaveUp()?.message).toBe("engine 2 died");
  expect(hasty.engines).toHaveLength(3);
});

test("a start that fails counts as a death and its reason is the one told", async () => {
  const { clock, engines, starts, gaveUp } = await supervised({ restartsMax: 3 }, (count) => count > 1);
  engines[0]?.die();
  await clock.advance(60_000);
  expect(starts()).toBe(4);
  expect(gaveUp()?.message).toBe("the file is gone");
});

test("a listener hears that the KV went with the engine", async () => {
  const { engine, engines } = await supervised();
  const heard: KvEvent[] = [];
  engine.onKv((event) => heard.push(event));
  engines[0]?.die();
  await settle();
  expect(heard).toEqual([{ stored: [], removed: [], cleared: true }]);
});

test("closing while it is down starts nothing more", async () => {
  const { clock, engine, engines, gaveUp } = await supervised();
  engines[0]?.die();
  await settle();
  await engine.close();
  await clock.advance(60_000);
  expect(engines).toHaveLength(1);
  expect(gaveUp()).toBeUndefined();
});

test("closing closes the engine that runs", async () => {
  const { engine, engines } = await supervised();
  await engine.close();
  expect(engines[0]?.closed).toBe(true);
});

test("a watcher hears when the engine is away and when it is back", async () => {
  const { clock, engine, engines } = await supervised();
  const heard: string[] = [];
  engine.watch({ down: () => heard.push("down"), up: () => heard.push("up") });
  engines[0]?.die();
  await settle();
  expect(heard).toEqual(["down"]);
  await clock.advance(1_000);
  expect(heard).toEqual(["down", "up"]);
});
