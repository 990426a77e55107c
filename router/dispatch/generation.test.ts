import { expect, test } from "vitest";
import type { SlipstreamError } from "../../lib/errors.ts";
import { Mailbox } from "../../lib/structures/mailbox.ts";
import { noUsage } from "../completion.ts";
import { type Item, LinkGeneration, windowBytes } from "./generation.ts";

function begun() {
  const released = { count: 0 };
  const inbox = new Mailbox<Item>({ max: windowBytes, full: "refuse" });
  const booking = {
    placement: { worker: "w1", why: "lease" as const },
    release: () => {
      released.count += 1;
    },
  };
  return { released, generation: new LinkGeneration({ id: 1n, worker: "w1", lane: "inline", booking, submittedMs: 0, inbox }) };
}

/** As its reader does: to the end it is told. */
async function readAll(generation: LinkGeneration) {
  let items = 0;
  try {
    for await (const item of generation.inbox) {
      items += 1;
      if ("end" in item) break;
    }
    return { items, code: undefined };
  } catch (thrown) {
    return { items, code: (thrown as SlipstreamError).code };
  }
}

test("what a worker says within its window waits for the reader, and its end behind it", async () => {
  const { generation, released } = begun();
  for (let i = 0; i < 100; i++) generation.delta({ text: "x", tokens: 2 });
  generation.end({ end: { finish: "stop", usage: noUsage, worker: "w1" } });
  expect(await readAll(generation)).toEqual({ items: 101, code: undefined });
  expect([generation.told.completionTokens, released.count]).toEqual([200, 1]);
});

test("a worker that goes on past its window is in breach, and its credit comes back all the same", async () => {
  const { generation, released } = begun();
  for (let i = 0; i < windowBytes + 10; i++) generation.delta({ text: "", tokens: 1 });
  generation.end({ end: { finish: "stop", usage: noUsage, worker: "w1" } });
  expect(await readAll(generation)).toEqual({ items: windowBytes, code: "protocol" });
  expect(released.count).toBe(1);
});

test("an end that finds the window full is in breach too", async () => {
  const { generation } = begun();
  for (let i = 0; i < windowBytes; i++) generation.delta({ text: "", tokens: 1 });
  generation.end({ end: { finish: "stop", usage: noUsage, worker: "w1" } });
  expect((await readAll(generation)).code).toBe("protocol");
});

test("after Cancel text is nobody's, but its tokens are counted", async () => {
  const { generation } = begun();
  generation.cancelledMs = 5;
  generation.delta({ text: "late", tokens: 3, prompt: { promptTokens: 9, cachedTokens: 4, recomputedTokens: 5 } });
  expect(generation.inbox.length).toBe(0);
  expect(generation.told).toMatchObject({ completionTokens: 3, promptTokens: 9, recomputedTokens: 5 });
});

test("reading is granted in steps of half a window, by bytes", () => {
  const { generation } = begun();
  expect(generation.read("é".repeat(windowBytes / 4 - 1))).toBe(0);
  expect(generation.read("é")).toBe(windowBytes / 2);
  expect(generation.read("x")).toBe(0);
  expect(generation.delivered).toBe(3);
});
