import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Asked } from "./thread.ts";
import { Threads } from "./threads.ts";

/** As bench/peers/thread.ts does; a crowd of 13 dies uncaught, one of 14 ends the thread, one of 15 fails as it should, 16 never ends. */
const source = `
const { parentPort } = require("node:worker_threads");
parentPort.on("message", ({ people }) => {
  if (people === 13) setImmediate(() => { throw new Error("uncaught in there"); });
  else if (people === 14) process.exit(3);
  else if (people === 15) parentPort.postMessage({ error: "told in words" });
  else if (people !== 16) parentPort.postMessage({ value: { keys: people } });
});`;

function threads(count: number, signal = new AbortController().signal) {
  return new Threads({ threads: count }, { signal, start: () => new Worker(source, { eval: true }) });
}

const of = (people: number) => ({ people }) as Asked;

test.each([
  [13, "uncaught in there"],
  [14, "a thread ended with 3"],
  [15, "told in words"],
])("a crowd of %i fails and the only thread's place is another's", async (people, message) => {
  using one = threads(1);
  const [failed, after] = await Promise.allSettled([one.ask(of(people)), one.ask(of(1))]);
  expect(failed).toMatchObject({ status: "rejected", reason: { message } });
  expect(after).toMatchObject({ status: "fulfilled", value: { keys: 1 } });
});

test("as many at once as there are threads, each answered with its own", async () => {
  using two = threads(2);
  const all = await Promise.all([1, 2, 3, 4, 5].map((people) => two.ask(of(people))));
  expect(all.map(({ keys }) => keys)).toEqual([1, 2, 3, 4, 5]);
});

test("an interrupt fails whoever waits, and closing does too", async () => {
  const ends = new AbortController();
  const one = threads(1, ends.signal);
  const asked = [one.ask(of(16)), one.ask(of(1))];
  ends.abort(new SlipstreamError("cancelled", "interrupted"));
  for (const each of asked) await expect(each).rejects.toThrow("interrupted");
  one[Symbol.dispose]();
  const other = threads(1);
  const open = other.ask(of(16));
  other[Symbol.dispose]();
  await expect(open).rejects.toThrow("the threads are closed");
});
