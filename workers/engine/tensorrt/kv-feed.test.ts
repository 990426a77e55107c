import { afterEach, expect, test } from "vitest";
import { FakeClock } from "../../../lib/clock.fake.ts";
import { SlipstreamError } from "../../../lib/errors.ts";
import type { Log } from "../../../lib/log.ts";
import { blockKeys, seedOf } from "../block-chain.ts";
import type { Answer } from "../http.ts";
import { KvWatch } from "../kv-watch.ts";
import { PolledKvFeed } from "./kv-feed.ts";
import { Origins } from "./origins.ts";

const blockTokens = 2;
const watches: KvWatch[] = [];
afterEach(() => {
  for (const watch of watches.splice(0)) watch.close();
});

const block = (hash: number, tokens: number[]) => ({ block_hash: hash, tokens: tokens.map((token_id) => ({ token_id })) });
const event = (id: number, data: object) => ({ event_id: id, data });
const root = (id: number, hash: number, tokens: number[]) =>
  event(id, { type: "stored", parent_hash: null, blocks: [block(hash, tokens)] });
const after = (id: number, parent: number, hash: number, tokens: number[]) =>
  event(id, { type: "stored", parent_hash: parent, blocks: [block(hash, tokens)] });
const keysOf = (tokens: number[]) => blockKeys(tokens, blockTokens, seedOf("", ""));
/** A prompt of two blocks, asked with one token more. */
const hot = [1, 2, 3, 4];

/** A watch that asks a page which answers with `next`, and with no events after it. */
function begun(first: readonly object[] = []) {
  const clock = new FakeClock();
  const page: { next: (() => Answer) | undefined; bytesMax: number | undefined; asked: number } = {
    ...{ next: undefined, bytesMax: undefined, asked: 0 },
  };
  const said: object[] = [];
  const ask = async (_path: string, _body?: object, how: { bytesMax?: number } = {}) => {
    const { next } = page;
    page.next = undefined;
    page.bytesMax = how.bytesMax;
    page.asked += 1;
    return next ? next() : { status: 200, text: "[]" };
  };
  const log = { warn: (about: object) => void said.push(about) } as unknown as Log;
  const deps = { clock, http: { ask }, origins: new Origins({ blockTokens }), log, first: JSON.stringify(first) };
  const watch = new KvWatch(
    { blockTokens, blocksMax: 100 },
    { feeds: [(told) => new PolledKvFeed({ blockTokens }, { ...deps, ...told })] },
  );
  watches.push(watch);
  const cleared: boolean[] = [];
  watch.listen((told) => void cleared.push(told.cleared));
  const answer = async (next: () => Answer) => {
    page.next = next;
    await clock.advance(60);
  };
  const tell = (...events: object[]) => answer(() => ({ status: 200, text: JSON.stringify(events) }));
  return { clock, page, said, watch, cleared, answer, tell, expected: () => watch.expected(keysOf(hot), 5) };
}

const fails = () => {
  throw new SlipstreamError("unavailable", "the connection is gone");
};

test("what was told is trusted while the page answers, and not while it fails", async () => {
  const { clock, watch, tell, answer, expected } = begun();
  await tell(root(0, 1, [1, 2]), after(1, 1, 2, [3, 4]));
  expect([watch.synced, expected()]).toEqual([true, 4]);
  await answer(fails);
  expect([watch.synced, expected()]).toEqual([false, 0]);
  // What it told before still holds, since no number is missing.
  await clock.advance(1_000);
  expect([watch.synced, expected()]).toEqual([true, 4]);
});

test.each([404, 405])("a page that is gone for good (%s) leaves nothing to be trusted, and is not asked again", async (status) => {
  const { clock, page, watch, cleared, tell, answer } = begun();
  await tell(root(0, 1, [1, 2]));
  await answer(() => ({ status, text: "" }));
  expect([watch.synced, cleared]).toEqual([false, [true]]);
  const { asked } = page;
  await clock.advance(60_000);
  expect(page.asked).toBe(asked);
});

test("an event of a kind that is not known is no gap", async () => {
  const { watch, said, tell, expected } = begun();
  await tell(root(0, 1, [1, 2]), event(1, { type: "pinned" }), after(2, 1, 2, [3, 4]));
  expect([watch.synced, expected(), said]).toEqual([true, 4, []]);
});

test("a removal that cannot be read is one: what it took is not known", async () => {
  const { watch, tell } = begun();
  await tell(root(0, 1, [1, 2]), event(1, { type: "removed", hashes: "1" }), after(2, 1, 2, [3, 4]));
  expect(watch.synced).toBe(false);
});

test("after a gap what was asked is expected, until a prompt's first block is told again", async () => {
  const { watch, tell, expected } = begun();
  await tell(root(0, 1, [1, 2]), after(1, 1, 2, [3, 4]));
  watch.computed(keysOf(hot));
  await tell(after(7, 2, 3, [5, 6]));
  expect([watch.synced, expected()]).toEqual([false, 4]);
  // It follows a block that is not known any more.
  await tell(after(8, 3, 4, [7, 8]));
  expect([watch.synced, expected()]).toEqual([false, 4]);
  await tell(root(9, 9, [9, 9]));
  expect([watch.synced, expected()]).toEqual([true, 0]);
});

test("gaps that come one after the other are said once a minute, with their number", async () => {
  const { clock, said, tell } = begun();
  for (let id = 0; id < 20; id += 2) await tell(root(id, 1 + id, [id, id]));
  expect(said).toEqual([{ last: 0, next: 2, gaps: 1 }]);
  await clock.advance(60_000);
  await tell(root(30, 31, [1, 1]));
  expect(said.slice(1)).toEqual([{ last: 18, next: 30, gaps: 10 }]);
});

test("an answer may be as long as a full buffer makes it", async () => {
  const { page, tell } = begun();
  await tell();
  expect(page.bytesMax).toBeGreaterThanOrEqual(2 * 16_384 * 2_000);
});
