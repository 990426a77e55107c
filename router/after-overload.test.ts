import { expect, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import { seeded } from "../lib/random.ts";
import { freeOf, modelOf } from "../test/support/router.ts";
import type { Asking } from "./completion.ts";
import { Fleet } from "./fleet/fleet.ts";
import { place, predict, scheduleDefaults } from "./schedule/schedule.ts";

interface Given {
  /** Of a worker's Load frames; undefined: it says none. */
  readonly loadEveryMs?: number;
  /** From token to token, while the overload lasts and after it. */
  readonly slowMs: number;
  readonly tokenMs: number;
  readonly deadlineMs: number;
}

interface Counted {
  asked: number;
  refused: number;
}

const workers = ["w1", "w2", "w3", "w4"];
const tokens = 16;
const promptMs = 20;

/** New prompts of 4 KB to four workers: 1,000 a second for four seconds, then 200. What became of those after that, by second. */
async function afterOverload({ loadEveryMs, slowMs, tokenMs, deadlineMs }: Given): Promise<Counted[]> {
  const clock = new FakeClock();
  const fleet = new Fleet(
    {
      leases: { max: 1_000, ttlMs: 300_000, exceptionTtlMs: 60_000 },
      warmth: { documentsMax: 1_000, bytesMax: 1 << 20, ttlMs: 300_000 },
      shared: { max: 100, ttlMs: 60_000, stepBlocks: 16, stepsMax: 16, workersMax: 8 },
    },
    { clock, capacity: () => {} },
  );
  const load = { running: 0, prefillTokensPerSecond: 50_000, stepMs: tokenMs, prefillBacklogTokens: 0 };
  for (const name of workers) {
    fleet.joined(name, { name, pool: "p", engine: "simulated", slots: 4_096, models: [modelOf()] });
    fleet.credits(name, freeOf(10_000));
    const say = () => {
      fleet.load(name, load);
      clock.timer(loadEveryMs ?? 0, say);
    };
    if (loadEveryMs !== undefined) say();
  }
  const random = seeded(1);
  const prompt = { bytes: 4_096, blocks: new Uint8Array() };
  let nth = 0;
  const ask = (stepMs: number): boolean => {
    nth += 1;
    const now = clock.now();
    const document = `d${nth}`;
    const asking: Asking = {
      ...{ session: `s${nth % 400}`, document, lane: "inline", model: "m", prompt, maxTokens: tokens },
      ...{ dueMs: now + deadlineMs, waitedMs: 0, greedy: false, ahead: () => 0 },
    };
    const remembered = fleet.remembered(asking);
    const predicted = predict(scheduleDefaults, asking, remembered, fleet.snapshot(), now);
    if (!predicted || predicted.totalMs > deadlineMs) return false;
    const placed = place(scheduleDefaults, asking, remembered, fleet.snapshot(), { now, random });
    if (!("worker" in placed)) return false;
    const release = fleet.book(placed, asking);
    clock.timer(promptMs + stepMs * tokens, () => {
      release({ engineMs: 0, decodeMs: stepMs * tokens, completionTokens: tokens });
      fleet.answered("inline", tokens);
    });
    return true;
  };
  const second = async (rate: number, stepMs: number): Promise<Counted> => {
    const counted = { asked: 0, refused: 0 };
    for (let at = 0; at < 1_000; at += 1_000 / rate) {
      counted.asked += 1;
      if (!ask(stepMs)) counted.refused += 1;
      await clock.advance(1_000 / rate);
    }
    return counted;
  };
  for (let s = 0; s < 4; s++) await second(1_000, slowMs);
  const counted: Counted[] = [];
  for (let s = 0; s < 5; s++) counted.push(await second(200, tokenMs));
  return counted;
}

test.each<[name: string, given: Given, refused: number[]]>([
  [
    "prompts that were computed are no backlog, where the worker does not say so",
    { slowMs: 3, tokenMs: 3, deadlineMs: 2_000 },
    [0],
  ],
  ["nor where it says so seldom", { slowMs: 3, tokenMs: 3, deadlineMs: 2_000, loadEveryMs: 60_000 }, [0]],
  ["a pace that is over is forgotten", { slowMs: 100, tokenMs: 3, deadlineMs: 500, loadEveryMs: 100 }, [200, 180, 20]],
])("after an overload %s", async (_, given, most) => {
  const counted = (await afterOverload(given)).map(({ refused }) => refused);
  for (const [second, refused] of counted.entries()) expect(refused).toBeLessThanOrEqual(most[second] ?? 0);
});
