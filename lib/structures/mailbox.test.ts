import { expect, test } from "vitest";
import { settle } from "../clock.fake.ts";
import { Mailbox } from "./mailbox.ts";

async function read<T>(mailbox: Mailbox<T>, into: T[]): Promise<void> {
  for await (const value of mailbox) into.push(value);
}

test("a reader gets what was pushed before and after it came, in order, until the end", async () => {
  const mailbox = new Mailbox<number>({ max: 10, full: "refuse" });
  const got: number[] = [];
  mailbox.push(1);
  const reading = read(mailbox, got);
  await settle();
  mailbox.push(2);
  mailbox.push(3);
  await settle();
  expect(got).toEqual([1, 2, 3]);
  mailbox.push(4);
  mailbox.end();
  await reading;
  expect(got).toEqual([1, 2, 3, 4]);
  expect(mailbox.ended).toBe(true);
});

test("two pushes in one tick wake the reader for both", async () => {
  const mailbox = new Mailbox<string>({ max: 10, full: "refuse" });
  const got: string[] = [];
  void read(mailbox, got);
  for (const pair of ["ab", "cd"]) {
    await settle();
    for (const letter of pair) mailbox.push(letter);
  }
  await settle();
  expect(got).toEqual(["a", "b", "c", "d"]);
});

test("a full mailbox refuses, and counts it", () => {
  const mailbox = new Mailbox<number>({ max: 2, full: "refuse" });
  expect([mailbox.push(1), mailbox.push(2), mailbox.push(3)]).toEqual([true, true, false]);
  expect([mailbox.length, mailbox.dropped]).toEqual([2, 1]);
});

test("a full mailbox that drops loses the oldest, and counts it", async () => {
  const mailbox = new Mailbox<number>({ max: 3, full: "drop_oldest" });
  for (let i = 0; i < 1_000; i++) expect(mailbox.push(i)).toBe(true);
  expect([mailbox.length, mailbox.dropped]).toEqual([3, 997]);
  mailbox.end();
  const got: number[] = [];
  await read(mailbox, got);
  expect(got).toEqual([997, 998, 999]);
});

test.each(["refuse", "drop_oldest"] as const)("a mailbox without room takes nothing (%s)", (full) => {
  const mailbox = new Mailbox<number>({ max: 0, full });
  expect([mailbox.push(1), mailbox.length, mailbox.dropped]).toEqual([false, 0, 1]);
});

test("readers finish what is there before they learn of the error", async () => {
  const mailbox = new Mailbox<number>({ max: 10, full: "refuse" });
  const got: number[] = [];
  mailbox.push(1);
  mailbox.push(2);
  mailbox.end(new Error("broken"));
  mailbox.end(new Error("second"));
  await expect(read(mailbox, got)).rejects.toThrow("broken");
  expect(got).toEqual([1, 2]);
  await expect(read(mailbox, got)).rejects.toThrow("broken");
});

test("a waiting reader hears of the end and of the error at once", async () => {
  const quiet = new Mailbox<number>({ max: 1, full: "refuse" });
  const broken = new Mailbox<number>({ max: 1, full: "refuse" });
  const ends = [read(quiet, []), read(broken, [])];
  await settle();
  quiet.end();
  broken.end(new Error("broken"));
  expect((await Promise.allSettled(ends)).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
});

test("after the end nothing is taken, and it is not counted as dropped", () => {
  const mailbox = new Mailbox<number>({ max: 1, full: "refuse" });
  mailbox.end();
  expect([mailbox.push(1), mailbox.dropped, mailbox.length]).toEqual([false, 0, 0]);
});

test("a reader that leaves and another that comes lose nothing between them", async () => {
  const mailbox = new Mailbox<number>({ max: 10, full: "refuse" });
  for (let i = 0; i < 4; i++) mailbox.push(i);
  const got: number[] = [];
  for await (const value of mailbox) if (got.push(value) === 2) break;
  expect(mailbox.length).toBe(2);
  mailbox.end();
  await read(mailbox, got);
  expect(got).toEqual([0, 1, 2, 3]);
});

test("a reader given up while it waited does not keep the next one asleep", async () => {
  const mailbox = new Mailbox<number>({ max: 10, full: "refuse" });
  const given = mailbox[Symbol.asyncIterator]().next();
  await settle();
  const next = mailbox[Symbol.asyncIterator]().next();
  await settle();
  mailbox.push(1);
  mailbox.push(2);
  expect([(await given).value, (await next).value]).toEqual([1, 2]);
});

test("values such as undefined and null are values", async () => {
  const mailbox = new Mailbox<unknown>({ max: 10, full: "refuse" });
  const values = [undefined, null, 0, "", false];
  for (const value of values) mailbox.push(value);
  mailbox.end();
  const got: unknown[] = [];
  await read(mailbox, got);
  expect(got).toEqual(values);
});

test("a slow reader of a million values keeps their order and never more than the bound", async () => {
  const mailbox = new Mailbox<number>({ max: 100, full: "refuse" });
  const got: number[] = [];
  const reading = read(mailbox, got);
  let next = 0;
  let most = 0;
  while (next < 1_000_000) {
    while (next < 1_000_000 && mailbox.push(next)) next += 1;
    most = Math.max(most, mailbox.length);
    await Promise.resolve();
  }
  mailbox.end();
  await reading;
  expect(most).toBe(100);
  expect(got.length).toBe(1_000_000);
  expect(got.every((value, i) => value === i)).toBe(true);
});
