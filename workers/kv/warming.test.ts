import { expect, test } from "vitest";
import { settle } from "../../lib/clock.fake.ts";
import { Warmings } from "./warming.ts";

function queue(waitingMax = 2) {
  const started: string[] = [];
  let end: () => void = () => {};
  const warm = (model: string, _segments: unknown, signal: AbortSignal) => {
    started.push(model);
    return new Promise<void>((resolve) => {
      end = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  };
  const ends: string[] = [];
  const metrics = { warmings_total: { inc: (labels: { end: string }) => ends.push(labels.end) } };
  const made = new Warmings({ waitingMax }, { engine: { warm }, metrics });
  const take = (model: string) => made.take({ model, segments: [], cacheSalt: "" });
  return { made, take, started, ends, end: () => end() };
}

test("one at a time, the newest first, the oldest dropped beyond the most", async () => {
  const { take, started, ends, end } = queue();
  for (const model of ["a", "b", "c", "d"]) take(model);
  for (let i = 0; i < 3; i++) {
    end();
    await settle();
  }
  expect(started).toEqual(["a", "d", "c"]);
  expect(ends).toEqual(["dropped", "warm", "warm", "warm"]);
});

test("real work stops a warming and holds up the others; idle time goes on", async () => {
  const { made, take, started, ends } = queue();
  take("a");
  take("b");
  made.busy(true);
  await settle();
  expect([started, ends]).toEqual([["a"], ["stopped"]]);
  take("c");
  made.busy(false);
  await settle();
  expect(started).toEqual(["a", "c"]);
  made.close();
  await settle();
  expect(started).toEqual(["a", "c"]);
});
