// That it cannot be told is no reason not to serve from an engine, and is said with what it answered.
import { expect, test } from "vitest";
import { FakeClock } from "../../../../lib/clock.fake.ts";
import { seeded } from "../../../../lib/random.ts";
import type { Answer } from "../../http.ts";
import { hinting } from "./hints.ts";

async function tried(ask: () => Promise<Answer>, signal = new AbortController().signal) {
  const said: unknown[] = [];
  const log = { warn: (about: unknown) => said.push(about) } as never;
  const options = { model: "m", priority: true, blockTokens: 32 };
  const hints = await hinting(options, { http: { ask }, clock: new FakeClock(), random: seeded(1), signal, log });
  return { hints, said };
}

test.each<[name: string, ask: () => Promise<Answer>, why: RegExp]>([
  ["has no such page", async () => ({ status: 404, text: "" }), /wants a version with .*truncate_tokens/],
  ["does not answer there", () => Promise.reject(new Error("did not answer within 30000 ms")), /did not answer/],
])("one that %s is told nothing, with the reason", async (_, ask, why) => {
  const { hints, said } = await tried(ask);
  expect([hints, said]).toEqual([undefined, [{ why: expect.stringMatching(why) }]]);
});

test("a start that is given up is given up", async () => {
  const over = new AbortController();
  over.abort();
  await expect(tried(() => Promise.reject(new Error("was not waited for")), over.signal)).rejects.toThrow(/not waited for/);
});
