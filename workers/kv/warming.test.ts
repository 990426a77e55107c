import { expect, test } from "vitest";
import { FakeClock, settle } from "../../lib/clock.fake.ts";
import { HotPrefixes } from "./hot.ts";
import { Warmings } from "./warming.ts";

function queue(waitingMax = 2, bytesPerSecond = 1 << 20) {
  const clock = new FakeClock();
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
  const made = new Warmings({ waitingMax, bytesPerSecond, slots: 2 }, { clock, engine: { warm }, metrics });
  const take = (model: string, bytes = 0) => made.take({ model, segments: [{ text: "x".repeat(bytes) }], cacheSalt: "" });
  const told: string[] = [];
  const soon = (model: string) =>
    made.take({ model, segments: [{ text: "x" }], cacheSalt: "", soon: true, ended: (warm) => told.push(`${model} ${warm}`) });
  return { clock, made, take, soon, told, started, ends, end: () => end() };
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
  made.use({ running: 1, waiting: 0 });
  await settle();
  expect([started, ends]).toEqual([["a"], ["stopped"]]);
  take("c");
  made.use({ running: 0, waiting: 0 });
  await settle();
  expect(started).toEqual(["a", "c"]);
  made.close();
  await settle();
  expect(started).toEqual(["a", "c"]);
});

test("what somebody is expected for soon comes first, in its order, beside other work while a slot is free", async () => {
  const { made, take, soon, told, started, end } = queue(2);
  made.use({ running: 1, waiting: 0 });
  take("idle");
  for (const model of ["a", "b", "c", "d"]) soon(model);
  await settle();
  // Of those that wait the last is worth least.
  expect([started, told]).toEqual([["a"], ["d false"]]);
  made.use({ running: 2, waiting: 0 });
  await settle();
  expect(told).toEqual(["d false"]);
  made.use({ running: 1, waiting: 0 });
  for (let i = 0; i < 3; i++) {
    end();
    await settle();
  }
  // Stopped for a slot, it went on before the others.
  expect([started, told]).toEqual([
    ["a", "a", "b", "c"],
    ["d false", "a true", "b true", "c true"],
  ]);
  made.use({ running: 0, waiting: 0 });
  await settle();
  expect(started.at(-1)).toBe("idle");
  soon("e");
  made.close();
  await settle();
  expect(told.at(-1)).toBe("e false");
});

test("what is computed ahead stays within its bytes a second, after a first burst", async () => {
  const { clock, take, started, end } = queue(9, 100);
  take("a", 800);
  end();
  await settle();
  take("b", 100);
  await clock.advance(900);
  expect(started).toEqual(["a"]);
  await clock.advance(200);
  expect(started).toEqual(["a", "b"]);
  end();
  await settle();
  // Longer than all that the budget ever holds: computed when that is there.
  take("c", 5_000);
  await clock.advance(7_000);
  expect(started).toEqual(["a", "b"]);
  await clock.advance(2_000);
  expect(started).toEqual(["a", "b", "c"]);
});

test("without a budget nothing is computed ahead", async () => {
  const { clock, take, started } = queue(2, 0);
  take("a");
  await clock.advance(100_000);
  expect(started).toEqual([]);
});

test("of each session its last prompt is hot, of all sessions the last ones", () => {
  const hot = new HotPrefixes({ max: 2, bytesMax: 10 });
  const computed = (affinity: string, text: string) => hot.computed({ affinity, model: "m", segments: [{ text }], cacheSalt: "t" });
  computed("a", "one");
  computed("b", "two");
  computed("a", "three");
  computed("c", "four");
  computed("d", "longer than ten");
  computed("", "nobody's");
  expect(hot.all().flatMap(({ segments }) => segments)).toEqual([{ text: "three" }, { text: "four" }]);
});
