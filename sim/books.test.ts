import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Outcome } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { OutcomeEventSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import { UsageSchema } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { noUsage } from "../router/completion.ts";
import { Books } from "./books.ts";
import type { Answer } from "./session-client.ts";

const answer = (outcome: Answer["outcome"], text = ""): Answer => ({
  ...{ outcome, text, completion: "", totalMs: 1, usage: noUsage, worker: "", detail: "why" },
});
const told = (books: Books, event: MessageInitShape<typeof OutcomeEventSchema>) => books.told(create(OutcomeEventSchema, event));
const ended = (books: Books, salt: string, text: string, usage = {}) =>
  books.ended({
    ...{ link: "l", worker: "w", id: 1n, salt, text, promptEnd: "", beganMs: 0 },
    ...{ usage: create(UsageSchema, usage), end: "done" },
  });

/** One trigger "t" of tenant "a", generated as it should be. */
function honest(): Books {
  const books = new Books({ saltOf: (tenant) => tenant });
  books.asked("t", "a");
  ended(books, "a", "some text", { completionTokens: 3 });
  books.answered("t", answer("generated", "some"));
  told(books, { triggerId: "t", outcome: Outcome.GENERATED, cache: { completionTokens: 3 } });
  return books;
}

test("books that add up have nothing to say", () => {
  expect(honest().close({ mayFail: false })).toEqual([]);
});

test("a trigger whose connection broke may have no outcome, but not two", () => {
  const books = honest();
  books.asked("u", "a");
  books.answered("u", answer("lost"));
  expect(books.close({ mayFail: false })).toEqual([]);
  told(books, { triggerId: "u", outcome: Outcome.CANCELLED });
  expect(books.close({ mayFail: false })).toEqual([]);
  told(books, { triggerId: "u", outcome: Outcome.CANCELLED });
  expect(books.close({ mayFail: false })).toEqual(["u has 2 outcomes (cancelled, cancelled)"]);
});

test("a trigger answered before its router was killed may have no outcome, one answered later has one", () => {
  const books = honest();
  const answered = (trigger: string, router: string) => {
    books.asked(trigger, "a");
    books.left(trigger, router);
    books.answered(trigger, answer("empty"));
  };
  answered("u", "r0");
  books.routerDied("r0");
  expect(books.close({ mayFail: false })).toEqual([]);
  answered("v", "r0");
  expect(books.close({ mayFail: false })).toEqual(["v has 0 outcomes ()"]);
});

test("an answer that is read after its router was killed left it before, and another router's death excuses nothing", () => {
  const books = honest();
  for (const [trigger, router] of [
    ["u", "r0"],
    ["v", "r1"],
  ] as const) {
    books.asked(trigger, "a");
    books.left(trigger, router);
  }
  books.routerDied("r0");
  for (const trigger of ["u", "v"]) books.answered(trigger, answer("empty"));
  expect(books.close({ mayFail: false })).toEqual(["v has 0 outcomes ()"]);
});

test.each<[name: string, owed: { leftMs: number; worker: string | undefined }, violations: string[]]>([
  [
    "had time left and a living worker",
    { leftMs: 30, worker: "w1" },
    ["u failed with 30 ms left, though w1 lived: worker_lost: x"],
  ],
  ["had no time left", { leftMs: -3, worker: "w1" }, []],
  ["had no worker that lived", { leftMs: 30, worker: undefined }, []],
])("a trigger that failed and %s", (_, owed, violations) => {
  const books = honest();
  books.asked("u", "a");
  books.answered("u", { ...answer("failed"), detail: "worker_lost: x" }, owed);
  told(books, { triggerId: "u", outcome: Outcome.FAILED });
  expect(books.close({ mayFail: true })).toEqual(violations);
});

test("nobody books more tokens than were asked for", () => {
  const books = honest();
  books.asked("u", "a");
  ended(books, "a", "x", { completionTokens: 60 });
  books.answered("u", answer("generated", "x"));
  told(books, { triggerId: "u", outcome: Outcome.GENERATED, cache: { completionTokens: 25 } });
  expect(books.close({ mayFail: false })).toEqual(["u books 25 completion tokens, of at most 24"]);
});

test("what does not add up is named", () => {
  const cases: [string, (books: Books) => void][] = [
    ["u has 0 answers", (books) => books.asked("u", "a")],
    ["t has 2 answers", (books) => books.answered("t", answer("empty"))],
    ["t has 2 outcomes (generated, empty)", (books) => told(books, { triggerId: "t", outcome: Outcome.EMPTY })],
    ["outcome for x, which nobody asked", (books) => told(books, { triggerId: "x", outcome: Outcome.EMPTY })],
    [
      "u has 0 outcomes ()",
      (books) => {
        books.asked("u", "a");
        books.answered("u", answer("empty"));
      },
    ],
    [
      "u was answered empty and booked gated",
      (books) => {
        books.asked("u", "a");
        books.answered("u", answer("empty"));
        told(books, { triggerId: "u", outcome: Outcome.GATED });
      },
    ],
    [
      "u failed: why",
      (books) => {
        books.asked("u", "a");
        books.answered("u", answer("failed"));
        told(books, { triggerId: "u", outcome: Outcome.FAILED });
      },
    ],
    [
      "u of b was shown text that was not generated for it",
      (books) => {
        books.asked("u", "b");
        ended(books, "b", "other");
        ended(books, "a", "secret");
        books.answered("u", answer("cached", "secret"));
        told(books, { triggerId: "u", outcome: Outcome.CACHED });
        books.asked("v", "b");
        books.answered("v", answer("cached", "other"));
        told(books, { triggerId: "v", outcome: Outcome.CACHED });
      },
    ],
    [
      "link l: generation 1 found 16 cached tokens, the first of its salt",
      (books) => ended(books, "new", "", { cachedTokens: 16 }),
    ],
  ];
  for (const [violation, act] of cases) {
    const books = honest();
    act(books);
    expect(books.close({ mayFail: false })).toEqual([violation]);
  }
});

test("tokens may stay unbooked, but are never booked twice", () => {
  const books = honest();
  ended(books, "a", "", { completionTokens: 1 });
  expect(books.close({ mayFail: false })).toEqual([]);
  told(books, { triggerId: "t", outcome: Outcome.GENERATED, cache: { completionTokens: 3 } });
  expect(books.close({ mayFail: false })).toContain("outcomes book 6 completion tokens, workers generated 4");
});

test("a trigger may fail by a broken link, and only by that", () => {
  const failed = (detail: string, mayFail: boolean) => {
    const books = honest();
    books.asked("u", "a");
    books.answered("u", { ...answer("failed"), detail });
    told(books, { triggerId: "u", outcome: Outcome.FAILED });
    return books.close({ mayFail });
  };
  expect(failed("worker_lost: gone", true)).toEqual([]);
  expect(failed("worker_lost: gone", false)).toEqual(["u failed: worker_lost: gone"]);
  expect(failed("internal: a mistake", true)).toEqual(["u failed: internal: a mistake"]);
});
