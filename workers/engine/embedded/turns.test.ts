import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

const never = new AbortController().signal;

test("one at a time, better lanes first, within a lane in order", async () => {
  const turns = new Turns({ waitingMax: 8 });
  const served: string[] = [];
  const first = await turns.take(0, never);
  const others = (
    [
      ["batch", 3],
      ["inline a", 0],
      ["chat", 1],
      ["inline b", 0],
    ] as const
  ).map(async ([name, rank]) => {
    using turn = await turns.take(rank, never);
    expect(turn).toBeDefined();
    served.push(name);
  });
  await Promise.resolve();
  expect(served).toEqual([]);
  first?.[Symbol.dispose]();
  await Promise.all(others);
  expect(served).toEqual(["inline a", "inline b", "chat", "batch"]);
});

test("who takes a turn after each step alternates with the others of its lane", async () => {
  const turns = new Turns({ waitingMax: 8 });
  const served: string[] = [];
  const work = async (name: string) => {
    for (let step = 0; step < 3; step++) {
      using _turn = await turns.take(0, never);
      await Promise.resolve();
      served.push(name);
    }
  };
  await Promise.all([work("a"), work("b")]);
  expect(served.join("")).toBe("ababab");
});

test("an abort leaves the queue at once and never holds a turn", async () => {
  const turns = new Turns({ waitingMax: 8 });
  const abort = new AbortController();
  const held = await turns.take(0, never);
  const waiting = turns.take(0, abort.signal);
  abort.abort();
  expect(await waiting).toBeUndefined();
  held?.[Symbol.dispose]();
  expect(await turns.take(0, AbortSignal.abort())).toBeUndefined();
  expect(await turns.take(0, never)).toBeDefined();
});

test("more waiting than there are sequences is a mistake of ours", async () => {
  const turns = new Turns({ waitingMax: 1 });
  await turns.take(0, never);
  void turns.take(0, never);
  expect(() => turns.take(0, never)).toThrow(/more sequences/);
});
