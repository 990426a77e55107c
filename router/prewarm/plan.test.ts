import { expect, test } from "vitest";
import type { Prompt } from "../completion.ts";
import { type Beginning, beginningOf, HotBeginnings } from "./beginnings.ts";
import { beginningsFor, sessionsToMove } from "./plan.ts";
import { RecentPrompts } from "./recent.ts";

const promptOf = (text: string, given: Partial<Prompt> = {}): Prompt => {
  const bytes = Buffer.byteLength(text);
  const blocks = new Uint8Array(Math.floor(bytes / 64) * 8);
  return { model: "m", segments: [{ special: "<P>" }, { text }], bytes: bytes + 3, key: "", blocks, stop: [], ...given };
};
const work = (session: string) => ({ session, document: `${session} d`, tenant: "t" });

test("of the sessions of a worker those are moved whose last prompt is remembered, the last used first, and no more than may be", () => {
  const recent = new RecentPrompts({ sessionsMax: 10, bytesMax: 10_000 });
  for (const session of ["a", "b", "c", "d"]) if (session !== "b") recent.sent(work(session), promptOf(`of ${session}`));
  const moves = sessionsToMove({ sessionsMax: 2 }, ["d", "b", "c", "a"], (session) => recent.of(session));
  expect(moves.map(({ session, tenant, prompt }) => [session, tenant, prompt.segments[1]])).toEqual([
    ["d", "t", { text: "of d" }],
    ["c", "t", { text: "of c" }],
  ]);
});

test("remembered prompts stay within their bytes: who was used least lately is forgotten, and one that is too large is not kept", () => {
  const recent = new RecentPrompts({ sessionsMax: 10, bytesMax: 3_000 });
  for (const session of ["a", "b", "c"]) recent.sent(work(session), promptOf("x".repeat(700)));
  expect([recent.of("a"), recent.of("c")?.session, recent.bytes <= 3_000]).toEqual([undefined, "c", true]);
  recent.sent(work("d"), promptOf("x".repeat(4_000)));
  expect([recent.of("d"), recent.of("b")?.session]).toEqual([undefined, "b"]);
});

test("a beginning is cut from a prompt that had it, in whole characters, with the digests of its blocks", () => {
  const prompt = promptOf(`${"é".repeat(100)}and a question`);
  const cut = beginningOf(prompt, 131);
  expect(cut.segments).toEqual([{ special: "<P>" }, { text: "é".repeat(64) }]);
  expect([cut.bytes, cut.blocks.length]).toEqual([131, 16]);
  // A cut inside a character leaves it out; a special token is whole or not there.
  expect(beginningOf(prompt, 132).segments[1]).toEqual({ text: "é".repeat(64) });
  expect(beginningOf(prompt, 2).segments).toEqual([]);
});

test("a beginning that many ask for now is hotter than one that more asked for long ago", () => {
  const hot = new HotBeginnings({ max: 2, bytesMax: 10_000, halfLifeMs: 1_000 });
  const prompt = promptOf("x".repeat(300));
  const used = (name: string, now: number) => hot.used({ tenant: "t" }, prompt, { name, bytes: 128, holders: [] }, now);
  for (let i = 0; i < 6; i++) used("old", 0);
  for (let i = 0; i < 2; i++) used("new", 5_000);
  expect(hot.hottest(5_000).map(({ name }) => name)).toEqual(["new", "old"]);
  used("newest", 5_000);
  expect(hot.hottest(5_000).map(({ name }) => name)).toEqual(["new", "newest"]);
});

const beginning = (name: string, given: Partial<Beginning["prompt"]> = {}): Beginning => ({
  ...{ name, tenant: "t", score: 1 },
  prompt: { model: "m", segments: [], bytes: 1_000, blocks: new Uint8Array(), ...given },
});
const fresh = { name: "new", pool: "p", models: [{ name: "m" }] };
const limits = { beginningsMax: 2, beginningBytesMax: 5_000 };

test.each<[name: string, hottest: Beginning[], holders: string[], wanted: string[]]>([
  ["one that weighs more here than where it is", [beginning("light")], ["a"], ["light"]],
  ["one that weighs less here stays where it is", [beginning("heavy")], ["a"], []],
  ["of one that two hold the second place is worth having", [beginning("middle")], ["a", "b"], ["middle"]],
  ["one that nobody holds", [beginning("heavy")], [], ["heavy"]],
  ["one that is here already", [beginning("light")], ["new"], []],
  ["no more than may be", ["light", "light2", "light3"].map((name) => beginning(name)), ["a"], ["light", "light2"]],
  ["no more bytes than may be", [beginning("light", { bytes: 6_000 }), beginning("light2")], ["a"], ["light2"]],
  ["another model's", [beginning("light", { model: "n" })], ["a"], []],
  ["another pool's", [beginning("light", { pool: "q" })], ["a"], []],
])("to a worker that joins: %s", (_, hottest, holders, wanted) => {
  const weights: Record<string, number> = { new: 5, a: 7, b: 3 };
  const weight = (name: string, worker: string) =>
    (weights[worker] as number) * (name.startsWith("light") && worker !== "new" ? 0.1 : 1);
  const chosen = beginningsFor(limits, fresh, hottest, { holders: () => holders, weight });
  expect(chosen.map(({ name }) => name)).toEqual(wanted);
});
