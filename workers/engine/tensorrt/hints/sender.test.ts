import { expect, test } from "vitest";
import { FakeClock } from "../../../../lib/clock.fake.ts";
import type { Answer } from "../../http.ts";
import { TruncateSender } from "./sender.ts";

const cut = (first: number, keep = 2) => ({ tokens: [first, 2, 3, 4], keep, first, askedMs: 0 });

function started(answers: (Answer | Error)[] = [], less = 0) {
  const clock = new FakeClock();
  const bodies: { prefixes: number[][]; num_tokens_to_keep: number[] }[] = [];
  const said: unknown[] = [];
  const again = new Set<number>();
  const counts = { told: 0, failed: 0, dropped: 0 };
  const sender = new TruncateSender(
    { less, everyMs: 100 },
    {
      clock,
      hinted: (fate, prompts) => {
        counts[fate] += prompts;
      },
      http: {
        ask: async (_path, body) => {
          bodies.push(body as (typeof bodies)[number]);
          const answer = answers.shift() ?? { status: 200, text: "" };
          if (answer instanceof Error) throw answer;
          return answer;
        },
      },
      stands: ({ first }) => !again.has(first),
      log: { warn: (about: unknown) => said.push(about) } as never,
    },
  );
  const pass = (ms: number) => clock.advance(ms);
  return { sender, bodies, said, again, pass, clock, counts };
}

test("what comes together goes together, after a moment, with as many tokens less as it wants", async () => {
  const { sender, bodies, counts, pass } = started([], 1);
  sender.give(cut(7));
  sender.give(cut(8, 0));
  await pass(99);
  expect(bodies).toEqual([]);
  await pass(1);
  expect(bodies).toEqual([
    {
      prefixes: [
        [7, 2, 3, 4],
        [8, 2, 3, 4],
      ],
      num_tokens_to_keep: [1, 0],
    },
  ]);
  expect(counts.told).toBe(2);
});

test("more than it takes at once wait for the next time, and the oldest are dropped", async () => {
  const { sender, bodies, counts, pass } = started();
  for (let first = 0; first < 300; first++) sender.give(cut(first));
  expect(counts.dropped).toBe(44);
  for (let turn = 0; turn < 12; turn++) await pass(100);
  expect(bodies.map(({ prefixes }) => prefixes.length)).toEqual(Array(8).fill(32));
  expect(bodies[0]?.prefixes[0]?.[0]).toBe(44);
});

test("what is asked for again while it waits is not told, and nothing goes out where that was all", async () => {
  const { sender, bodies, counts, again, pass } = started();
  sender.give(cut(7));
  again.add(7);
  await pass(100);
  expect(bodies).toEqual([]);
  for (let first = 0; first < 40; first++) sender.give(cut(first));
  for (let first = 30; first < 36; first++) again.add(first);
  await pass(100);
  again.add(38);
  await pass(100);
  expect(bodies.map(({ prefixes }) => prefixes.map(([first]) => first))).toEqual([
    [...Array(7).keys(), ...[...Array(22).keys()].map((at) => at + 8), 36, 37, 38],
    [39],
  ]);
  expect(counts).toEqual({ told: 33, failed: 0, dropped: 8 });
});

test("what fails is said once and not sent again; the next goes on", async () => {
  const { sender, bodies, counts, said, pass } = started([new Error("gone"), { status: 503, text: "" }]);
  for (let turn = 0; turn < 3; turn++) {
    sender.give(cut(turn));
    await pass(100);
  }
  expect(bodies).toHaveLength(3);
  expect(counts).toEqual({ told: 1, failed: 2, dropped: 0 });
  expect(said).toEqual([{ why: "gone", forGood: false }]);
});

test.each([400, 404, 405, 422])("a server that answers with %i is told nothing any more", async (status) => {
  const { sender, bodies, said, pass } = started([{ status, text: "" }]);
  for (let turn = 0; turn < 3; turn++) {
    sender.give(cut(turn));
    await pass(100);
  }
  expect([bodies.length, said.length]).toEqual([1, 1]);
});

test("it is asked one thing at a time, and closing says nothing of what is under way", async () => {
  const clock = new FakeClock();
  const said: unknown[] = [];
  const fates: string[] = [];
  let asked = 0;
  const ask = (_path: string, _body?: object, { signal }: { signal?: AbortSignal } = {}) => {
    asked += 1;
    return new Promise<Answer>((_, reject) => signal?.addEventListener("abort", () => reject(new Error("not waited for"))));
  };
  const log = { warn: (about: unknown) => said.push(about) } as never;
  const sender = new TruncateSender(
    { less: 0 },
    { clock, http: { ask }, stands: () => true, log, hinted: (fate) => fates.push(fate) },
  );
  for (let turn = 0; turn < 3; turn++) {
    sender.give(cut(turn));
    await clock.advance(1_000);
  }
  expect(asked).toBe(1);
  sender.close();
  await clock.advance(1_000);
  expect([said, fates, clock.waiting]).toEqual([[], [], 0]);
});

test("nothing goes out after it is closed", async () => {
  const { sender, bodies, pass, clock } = started();
  sender.give(cut(1));
  sender.close();
  expect(clock.waiting).toBe(0);
  sender.give(cut(2));
  await pass(1_000);
  expect(bodies).toEqual([]);
});
