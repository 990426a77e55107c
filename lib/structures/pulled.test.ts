import { expect, test } from "vitest";
import { Mailbox } from "./mailbox.ts";
import { pulled } from "./pulled.ts";

/** What is said comes out; "end" ends it. */
function source() {
  const said = new Mailbox<string>({ max: 10, full: "refuse" });
  const over: string[] = [];
  const values = pulled<string, number>({
    step: () => {
      const value = said.take();
      if (value === "end") return { done: true, value: 7 };
      if (value !== undefined) return { done: false, value };
      if (said.over) throw new Error("nothing more");
      return undefined;
    },
    wait: (wake) => said.whenFilled(wake),
    over: (how, thrown) => over.push(thrown instanceof Error ? `${how} ${thrown.message}` : how),
  });
  return { said, over, values };
}

test("gives what is there at once and what comes when it comes, in order, and its end once", async () => {
  const { said, over, values } = source();
  said.push("a");
  expect(await values.next()).toEqual({ done: false, value: "a" });
  const waiting = values.next();
  said.push("b");
  said.push("end");
  expect([await waiting, await values.next(), await values.next()]).toEqual([
    { done: false, value: "b" },
    { done: true, value: 7 },
    { done: true, value: undefined },
  ]);
  expect(over).toEqual(["ended"]);
});

test("what it breaks with reaches the reader who waits, and nobody after", async () => {
  const { said, over, values } = source();
  const waiting = values.next();
  said.end();
  await expect(waiting).rejects.toThrow("nothing more");
  expect([await values.next(), over]).toEqual([{ done: true, value: undefined }, ["broke nothing more"]]);
});

test("a reader who leaves is told nothing more, also one who waits", async () => {
  const { said, over, values } = source();
  const waiting = values.next();
  await values.return(3);
  said.push("late");
  expect([await waiting, over]).toEqual([{ done: true, value: undefined }, ["left"]]);
  await expect(values.throw(new Error("mine"))).rejects.toThrow("mine");
  expect(over).toEqual(["left"]);
});

test("leaving a loop over it is leaving", async () => {
  const { said, over, values } = source();
  said.push("a");
  said.push("b");
  for await (const value of values) {
    expect(value).toBe("a");
    break;
  }
  expect([over, said.length]).toEqual([["left"], 1]);
});
