import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { RevivingEngine } from "./reviving.ts";
import { SimulatedEngine } from "./simulated/simulated.ts";

async function reviving(failures = 0) {
  const clock = new FakeClock();
  const started: SimulatedEngine[] = [];
  const attempts: number[] = [];
  const start = async () => {
    attempts.push(clock.now());
    if (started.length === 1 && attempts.length <= 1 + failures) throw new SlipstreamError("model_unusable", "the disk is away");
    const made = new SimulatedEngine(
      { profile: "h100-7b-eagle3", profileEnd: "mid", seed: 1, slots: 2 },
      { clock, random: seeded(1) },
    );
    started.push(made);
    return made;
  };
  const engine = await RevivingEngine.start({ pauseMs: 100, pauseMsMax: 300 }, { clock, log: silentLog, start });
  const seen: string[] = [];
  engine.watch({ down: () => seen.push("down"), up: () => seen.push("up") });
  engine.onKv((event) => event.cleared && seen.push("cleared"));
  return { clock, engine, started, attempts, seen };
}

test("a dead engine is replaced after a pause, and the agent is told", async () => {
  const { clock, engine, started, seen } = await reviving();
  started[0]?.crash("gone");
  await clock.advance(50);
  expect(seen).toEqual(["cleared", "down", "cleared"]);
  expect(engine.load().running).toBe(0);
  await clock.advance(100);
  expect(seen.at(-1)).toBe("up");
  expect(started.length).toBe(2);
});

test("starts that fail are tried again with pauses that double up to the most", async () => {
  const { clock, started, attempts } = await reviving(4);
  started[0]?.crash("gone");
  await clock.advance(2_000);
  const gaps = attempts.slice(1).map((at, i) => at - (i === 0 ? 1_000 : (attempts[i] as number)));
  expect(gaps).toEqual([100, 200, 300, 300, 300]);
  expect(started.length).toBe(2);
});

test("closing while it is away ends the trying", async () => {
  const { clock, engine, started, attempts } = await reviving(100);
  started[0]?.crash("gone");
  await clock.advance(150);
  await engine.close();
  const tried = attempts.length;
  await clock.advance(5_000);
  expect(attempts.length).toBe(tried);
  expect(clock.next()).toBeUndefined();
});
