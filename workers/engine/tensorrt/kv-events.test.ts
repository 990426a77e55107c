import { expect, test } from "vitest";
import { KvEventReader } from "./kv-events.ts";

const token = (id: number) => ({ type: "unique_token", token_id: id, token_extra_id: 0 });
const block = (hash: string, tokens: number[]) =>
  `{"type": "stored_block", "block_hash": ${hash}, "tokens": ${JSON.stringify(tokens.map(token))}, "cache_level": 0, "priority": 35}`;
const event = (id: number, data: string, more = "") => `{"event_id": ${id}, "data": ${data}, "window_size": 4096${more}}`;
const stored = (parent: string, ...blocks: string[]) =>
  `{"type": "stored", "parent_hash": ${parent}, "blocks": [${blocks.join(", ")}]}`;
const read = (...events: string[]) => new KvEventReader({ blockTokens: 2 }).read(`[${events.join(", ")}]`);

test("blocks that were stored, removed and moved are told in the words of all engines", () => {
  const messages = read(
    event(0, '{"type": "created", "num_blocks_per_cache_level": [100, 0]}'),
    event(1, stored("null", block("11", [1, 2]), block("12", [3, 4]))),
    event(
      2,
      '{"type": "updated", "block_hash": 12, "cache_level": {"type": "event_diff", "new_value": 1, "old_value": 0}, "priority": null}',
    ),
    event(
      3,
      '{"type": "updated", "block_hash": 12, "cache_level": null, "priority": {"type": "event_diff", "new_value": 80, "old_value": 35}}',
    ),
    event(4, '{"type": "removed", "block_hashes": [12, 11]}'),
  );
  expect(messages?.map(({ id, message }) => [id, message])).toEqual([
    [0, undefined],
    [1, { kind: "stored", hashes: ["11", "12"], parent: undefined, tokens: [1, 2, 3, 4], blockTokens: 2, adapter: "", salt: "" }],
    [2, { kind: "moved", hashes: ["12"], near: false }],
    [3, undefined],
    [4, { kind: "removed", hashes: ["12", "11"] }],
  ]);
});

test("hashes of 64 bits stay apart", () => {
  const [one, other] = ["18446744073709551557", "18446744073709551558"];
  expect(Number(one)).toBe(Number(other));
  const [first] = read(event(1, stored(one, block(other, [1, 2])))) ?? [];
  expect(first?.message).toMatchObject({ parent: one, hashes: [other] });
});

test.each<[what: string, text: string, messages: unknown]>([
  [
    "a block that is not full ends what is told of its text",
    event(1, stored("null", block("1", [1, 2]), block("2", [3]))),
    [{ hashes: ["1"] }],
  ],
  ["nothing of a part of a block", event(1, stored("null", block("1", [1]))), [undefined]],
  ["an event that makes no sense says nothing, and has its number", `{"event_id": 1, "data": {"type": "stored"}}`, [undefined]],
  ["an event of a kind that is not known says nothing, and has its number", event(1, '{"type": "pinned"}'), [undefined]],
  ["a removal that makes no sense is as one that was never told", event(1, '{"type": "removed"}'), []],
  ["nor has what has no number one", '{"data": {"type": "created"}}', []],
])("%s", (_, text, messages) => {
  const said = read(text)?.map(({ message }) => message);
  expect(said?.map((each) => each && { hashes: (each as { hashes: unknown }).hashes })).toEqual(messages);
});

test("of a model with several windows of attention the widest one's blocks are told", () => {
  const narrow = (id: number) => `{"event_id": ${id}, "data": ${stored("null", block("5", [1, 2]))}, "window_size": 128}`;
  expect(read(event(0, '{"type": "created", "num_blocks_per_cache_level": [9]}'), narrow(1))?.at(-1)?.message).toBeUndefined();
});

test.each(["", "{}", "not found", '{"error": "x"}'])("%j is no list of events", (text) => {
  expect(new KvEventReader({ blockTokens: 2 }).read(text)).toBeUndefined();
});

test("each rank of an engine that shares a model out counts for itself", () => {
  expect(read(event(7, stored("null", block("1", [1, 2])), ', "attention_dp_rank": 3'))?.[0]).toMatchObject({ id: 7, rank: 3 });
});
