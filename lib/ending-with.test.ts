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
  source.push(1);
  const all = collect(endingWith(controller.signal, source));
  await Promise.resolve();
  controller.abort();
  expect(await all).toEqual([1]);
});

test("ends at once for a signal that has already aborted, and passes errors of the source on", async () => {
  expect(await collect(endingWith(AbortSignal.abort(), mailbox()))).toEqual([]);
  const broken = mailbox();
  broken.end(new Error("broken"));
  await expect(collect(endingWith(new AbortController().signal, broken))).rejects.toThrow("broken");
});
