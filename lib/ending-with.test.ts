import { expect, test } from "vitest";
import { endingWith } from "./ending-with.ts";
import { Mailbox } from "./structures/mailbox.ts";

const mailbox = () => new Mailbox<number>({ max: 10, full: "refuse" });

async function collect(values: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = [];
  for await (const value of values) all.push(value);
  return all;
}

test("passes everything on while the signal is quiet", async () => {
  const source = mailbox();
  source.push(1);
  source.push(2);
  source.end();
  expect(await collect(endingWith(new AbortController().signal, source))).toEqual([1, 2]);
});

test("ends while it waits, when the signal aborts", async () => {
  const controller = new AbortController();
  const source = mailbox();
  const values = endingWith(controller.signal, source);
  source.push(1);
  expect(await values.next()).toEqual({ done: false, value: 1 });
  const waiting = values.next();
  controller.abort();
  expect(await waiting).toEqual({ done: true, value: undefined });
});

test("ends at once for a signal that has already aborted, and passes errors of the source on", async () => {
  expect(await collect(endingWith(AbortSignal.abort(), mailbox()))).toEqual([]);
  const broken = mailbox();
  broken.end(new Error("broken"));
  await expect(collect(endingWith(new AbortController().signal, broken))).rejects.toThrow("broken");
});
