import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { type Finished, type Generation, noUsage, type Piece } from "../generation.ts";
import type { Engine } from "./engine.ts";
import { warmUp } from "./warm-up.ts";

/** An engine whose generations take so long, in turn; the last for ever after. */
function engine(times: readonly number[], slots = 4) {
  const clock = new FakeClock();
  const asked: string[] = [];
  let [running, most] = [0, 0];
  async function* generate(work: Generation, signal: AbortSignal): AsyncGenerator<Piece, Finished> {
    const [segment] = work.segments;
    asked.push(segment && "text" in segment ? (segment.text.split("\n")[0] ?? "") : "");
    running += 1;
    most = Math.max(most, running);
    try {
      yield { text: "", tokens: 1 };
      await clock.sleep(times[Math.min(asked.length, times.length) - 1] ?? 0, signal);
      return { kind: "done", finish: "length", usage: noUsage() };
    } catch {
      return { kind: "aborted", usage: noUsage() };
    } finally {
      running -= 1;
    }
  }
  const made = { models: [{ name: "m" }], slots, generate } as unknown as Engine;
  const run = async (requests?: number, withinMs = 60_000) => {
    const ended = warmUp(made, { withinMs, requests }, { clock }).then(
      () => "warm",
      (thrown: unknown) => SlipstreamError.from(thrown).code,
    );
    await clock.advance(120_000);
    return ended;
  };
  return { run, asked, most: () => most };
}

test.each<[name: string, times: number[], requests: number | undefined, generations: number, together: number]>([
  ["nothing said: until one takes no longer than twice the best", [100, 900, 150], undefined, 3, 1],
  ["nothing said: four at most", [100, 900, 900, 900, 900], undefined, 4, 1],
  ["none asked for", [5_000], 0, 0, 0],
  ["fewer than it would take", [5_000, 100], 1, 1, 1],
  ["more: the rest at once, as many as it runs", [5_000, 100, 90], 16, 16, 4],
])("%s", async (_, times, requests, generations, together) => {
  const { run, asked, most } = engine(times);
  expect([await run(requests), asked.length, most()]).toEqual(["warm", generations, together]);
  // No two prompts are the same.
  expect(new Set(asked).size).toBe(asked.length);
});

test("one that does not become warm in time is told", async () => {
  expect(await engine([500_000]).run(undefined, 1_000)).toBe("unavailable");
});
