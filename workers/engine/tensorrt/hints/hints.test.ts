// Which prompts count as what somebody types; and that it cannot be told is no reason not to serve from an engine.
import { expect, test } from "vitest";
import { FakeClock } from "../../../../lib/clock.fake.ts";
import { seeded } from "../../../../lib/random.ts";
import { blockKeys } from "../../block-chain.ts";
import type { Answer } from "../../http.ts";
import type { SentPrompt } from "../../served.ts";
import { Hints, hinting } from "./hints.ts";

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

const page = (typed: readonly number[]) => [1, 2, 3, 4, ...typed, 5, 6, 7, 8];

/** Of two prompts one after the other, what became of the hints to them. */
async function told(older: Partial<SentPrompt>, newer: Partial<SentPrompt>, again: Partial<SentPrompt>[] = []) {
  const clock = new FakeClock();
  const bodies: { prefixes: unknown[] }[] = [];
  const ask = async (_path: string, body?: object) => {
    bodies.push(body as (typeof bodies)[number]);
    return { status: 200, text: "" };
  };
  const fates: string[] = [];
  const hinted = (fate: string, prompts: number) => fates.push(`${prompts} ${fate}`);
  const hints = new Hints({ less: 0, blockTokens: 4 }, { clock, http: { ask }, hinted });
  const sent = (typed: readonly number[], more: Partial<SentPrompt>) => {
    const tokens = page(typed);
    const keys = blockKeys(tokens, 4, 0);
    return hints.sent({ tokens, keys, salt: "", adapter: "", document: "d", lane: "inline", ahead: false, ...more });
  };
  sent([9], older)(true);
  sent([9, 10], newer)(true);
  for (const each of again) sent([9], each);
  await clock.advance(1_000);
  expect(bodies.map(({ prefixes }) => `${prefixes.length} told`)).toEqual(fates.filter((fate) => fate.endsWith("told")));
  return fates;
}

test.each<[name: string, older: Partial<SentPrompt>, newer: Partial<SentPrompt>, again: Partial<SentPrompt>[], fates: string[]]>([
  ["typing on spends", {}, {}, [], ["1 told"]],
  ["what is computed ahead shows no typing", {}, { ahead: true }, [], []],
  ["a chat shows no typing", {}, { lane: "chat" }, [], []],
  ["a guess shows no typing", {}, { lane: "speculative" }, [], []],
  ["what an adapter computed is not found there", { adapter: "style" }, {}, [], []],
  ["an adapter's prompt shows nothing of the model's", {}, { adapter: "style" }, [], []],
  ["what is asked for again before it is told stays", {}, {}, [{}], ["1 dropped"]],
])("%s", async (_, older, newer, again, says) => {
  expect(await told(older, newer, again)).toEqual(says);
});
