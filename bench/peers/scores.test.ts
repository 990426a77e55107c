import { expect, test } from "vitest";
import { added, type Mark, type Scored, Scores } from "./scores.ts";

const mark = (given: Partial<Mark>): Mark => ({ askedMs: 0, retiredMs: undefined, came: undefined, counted: false, ...given });
const text = (ms: number) => ({ kind: "text", ms }) as const;
const nothing = { kind: "nothing", why: "superseded" } as const;

type Case = [name: string, given: Partial<Mark>, counts: Partial<Scored>];

test.each<Case>([
  ["text before the next key answers", { retiredMs: 240, came: text(40) }, { answered: 1, latencyMs: [40] }],
  ["text that nothing followed yet answers", { came: text(40) }, { answered: 1 }],
  ["text after the next key is late, by at least the wait", { retiredMs: 240, came: text(300) }, { late: 1, latencyMs: [240] }],
  ["nothing for who waited is late", { retiredMs: 240, came: nothing }, { late: 1, lateBy: { superseded: 1 } }],
  ["nothing for who typed on at once says nothing", { retiredMs: 80, came: nothing }, { typedOn: 1, latencyMs: [] }],
  ["nothing to say is not late", { retiredMs: 240, came: { kind: "empty" } }, { empty: 1, late: 0 }],
  ["what a pause swallowed was not asked", { retiredMs: 60, came: { kind: "unasked" } }, { unasked: 1, late: 0 }],
  ["what the gate's evidence held back was not asked", { retiredMs: 240, came: { kind: "gated" } }, { gated: 1, late: 0 }],
  ["an answer that never came is late when the window ends", { retiredMs: 240 }, { late: 1, lateBy: { unanswered: 1 } }],
  ["one that is still waited for is not decided", {}, { triggers: 0 }],
])("%s", (_, given, counts) => {
  const scores = new Scores();
  scores.decide(mark(given));
  expect(scores.take()).toMatchObject(counts);
});

test("a trigger counts once, in the window in which it was decided", () => {
  const scores = new Scores();
  const one = mark({ came: text(40) });
  scores.decide(one);
  one.retiredMs = 200;
  scores.decide(one);
  expect(scores.take().triggers).toBe(1);
  expect(scores.take().triggers).toBe(0);
});

test("two windows added are what one would have been", () => {
  const marks = () => [
    mark({ retiredMs: 240, came: text(40) }),
    mark({ retiredMs: 240, came: nothing }),
    mark({ retiredMs: 80, came: nothing }),
    mark({ retiredMs: 240, came: { kind: "gated" } }),
    mark({ retiredMs: 300, came: nothing }),
    mark({ retiredMs: 240, came: { kind: "empty" } }),
  ];
  const [whole, parts] = [new Scores(), new Scores()];
  const taken: Scored[] = [];
  for (const scores of [whole, parts]) {
    for (const [nth, each] of marks().entries()) {
      scores.key(nth % 2 === 0);
      scores.decide(each);
      if (scores === parts && nth === 2) taken.push(parts.take());
    }
  }
  taken.push(parts.take());
  expect(taken.reduce((a, b) => added(a, b))).toEqual(whole.take());
});
