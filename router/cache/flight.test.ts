import { expect, test } from "vitest";
import { settle } from "../../lib/clock.fake.ts";
import { Mailbox } from "../../lib/structures/mailbox.ts";
import { greedy } from "../../test/support/router.ts";
import { type Delta, type Generated, noUsage, Retired, type Usage, type Work } from "../completion.ts";
import { SharedFlight } from "./flight.ts";

const work: Omit<Work, "signal"> = {
  session: "s",
  document: "d",
  tenant: "t",
  lane: "inline",
  shape: "auto",
  sampling: greedy,
  deadlineMs: 9,
};
const usage: Usage = { ...noUsage, promptTokens: 10, completionTokens: 3 };

/** A flight whose generation says what the test tells it to. */
function flying() {
  const said = new Mailbox<Delta | Generated>({ max: 100, full: "refuse" });
  const seen: { started: number; landed: number; signal: AbortSignal | undefined } = { started: 0, landed: 0, signal: undefined };
  const flight = new SharedFlight({
    model: "m",
    work,
    run: async ({ signal }, say) => {
      seen.started += 1;
      seen.signal = signal;
      signal.addEventListener("abort", () => said.end(signal.reason));
      for await (const item of said) {
        if ("finish" in item) return item;
        say(item);
      }
      throw new Error("the worker said nothing more");
    },
    landed: () => {
      seen.landed += 1;
    },
  });
  return {
    flight,
    seen,
    say: (text: string) => said.push({ text, tokens: 1 }),
    end: () => said.push({ finish: "stop", usage, worker: "w" }),
    fail: (error: Error) => said.end(error),
  };
}

function reader(flight: SharedFlight) {
  const controller = new AbortController();
  const deltas = flight.read(controller.signal);
  const read = { text: "", end: undefined as Generated | undefined, error: undefined as unknown };
  const over = (async () => {
    try {
      for (;;) {
        const step = await deltas.next();
        if (step.done) {
          read.end = step.value;
          return;
        }
        read.text += step.value.text;
      }
    } catch (thrown) {
      read.error = thrown;
    }
  })();
  return {
    read,
    over,
    leave: (outcome: Retired["outcome"]) => controller.abort(new Retired(outcome)),
    stop: () => deltas.return(undefined as never),
  };
}

test("begins with its first reader, and each reads all of it however late it joins", async () => {
  const { flight, seen, say, end } = flying();
  expect(seen.started).toBe(0);
  const first = reader(flight);
  say("a");
  await settle();
  const second = reader(flight);
  say("b");
  end();
  await Promise.all([first.over, second.over]);
  expect([first.read.text, second.read.text, seen.started, seen.landed]).toEqual(["ab", "ab", 1, 1]);
  expect(first.read.end).toMatchObject({ finish: "stop", usage, worker: "w" });
  expect(flight.over).toBe(true);
});

test("ends in the same tick as its last reader's signal, with that reader's reason", async () => {
  const { flight, seen, say } = flying();
  const [first, second] = [reader(flight), reader(flight)];
  say("a");
  await settle();
  first.leave("superseded");
  expect(seen.signal?.aborted).toBe(false);
  second.leave("expired");
  expect(seen.signal?.aborted).toBe(true);
  expect(seen.signal?.reason).toMatchObject({ outcome: "expired" });
  await Promise.all([first.over, second.over]);
  expect(first.read.error).toMatchObject({ outcome: "superseded" });
  expect(second.read.error).toMatchObject({ outcome: "expired" });
});

test("a reader that has read enough leaves, and takes the generation with it only if nobody else reads", async () => {
  const { flight, seen, say } = flying();
  const [first, second] = [reader(flight), reader(flight)];
  say("a");
  await settle();
  const stopped = first.stop();
  say("b");
  await stopped;
  expect(seen.signal?.aborted).toBe(false);
  const last = second.stop();
  say("c");
  await last;
  expect(seen.signal?.aborted).toBe(true);
});

test("a reader whose signal has already aborted keeps nothing alive", async () => {
  const { flight, seen } = flying();
  const controller = new AbortController();
  controller.abort(new Retired("cancelled"));
  await expect(flight.read(controller.signal).next()).rejects.toMatchObject({ outcome: "cancelled" });
  expect(flight.over).toBe(true);
  await settle();
  expect(seen.signal?.aborted ?? true).toBe(true);
});

test("an error reaches every reader", async () => {
  const { flight, fail } = flying();
  const [first, second] = [reader(flight), reader(flight)];
  fail(new Error("lost"));
  await Promise.all([first.over, second.over]);
  expect([first.read.error, second.read.error]).toEqual([new Error("lost"), new Error("lost")]);
});

test("tokens are booked once, to the last reader that leaves", async () => {
  const { flight, say, end } = flying();
  const [first, second] = [reader(flight), reader(flight)];
  say("a");
  await settle();
  await Promise.all([first.stop(), say("b")]);
  expect(flight.book(usage)).toEqual(noUsage);
  end();
  await second.over;
  expect(flight.book(usage)).toEqual(usage);
  expect(flight.book(usage)).toEqual(noUsage);
});
