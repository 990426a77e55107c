import { expect, test } from "vitest";
import { chooseSlot, commonPrefix, type IdleSlot } from "./slot-choice.ts";

const run = (from: number, length: number) => Array.from({ length }, (_, index) => from + index);

function slot(name: string, held: Partial<IdleSlot>): IdleSlot & { name: string } {
  return { name, tokens: [], salt: "", affinity: "", usedMs: 0, ...held };
}

const prompt = { tokens: run(0, 100), salt: "", affinity: "me" };

const cases: [title: string, slots: (IdleSlot & { name: string })[], expected: { name: string; common: number }][] = [
  [
    "takes the longest common prefix, whoever owns it and whenever it was used",
    [
      slot("own", { tokens: run(0, 40), affinity: "me", usedMs: 1 }),
      slot("long", { tokens: run(0, 80), affinity: "you", usedMs: 9 }),
    ],
    { name: "long", common: 80 },
  ],
  [
    "prefers the session's own sequence when both hold as much",
    [slot("other", { tokens: run(0, 40), usedMs: 1 }), slot("own", { tokens: run(0, 40), affinity: "me", usedMs: 9 })],
    { name: "own", common: 40 },
  ],
  [
    "takes the one unused for longest when nothing else tells them apart",
    [slot("new", { tokens: run(500, 40), usedMs: 9 }), slot("old", { tokens: run(700, 40), usedMs: 2 })],
    { name: "old", common: 0 },
  ],
  [
    "takes an empty sequence rather than another session's for the sake of one common token",
    [slot("held", { tokens: [0, 900, 901], usedMs: 5 }), slot("empty", {})],
    { name: "empty", common: 0 },
  ],
  [
    "still reuses the few tokens of the sequence it takes anyway",
    [slot("held", { tokens: [0, 1, 900], usedMs: 5 }), slot("newer", { tokens: [900], usedMs: 6 })],
    { name: "held", common: 2 },
  ],
  [
    "never reuses across salts, even when every token is the same",
    [slot("secret", { tokens: run(0, 100), salt: "tenant-b", usedMs: 5 }), slot("mine", { tokens: run(0, 20), usedMs: 9 })],
    { name: "mine", common: 20 },
  ],
  [
    "clears a sequence of another salt when it is the only one",
    [slot("secret", { tokens: run(0, 100), salt: "tenant-b", affinity: "me", usedMs: 5 })],
    { name: "secret", common: 0 },
  ],
];

test.each(cases)("%s", (_title, slots, expected) => {
  const choice = chooseSlot(slots, prompt);
  expect({ name: choice?.slot.name, common: choice?.common }).toEqual(expected);
});

test("two sessions without a name are not the same session", () => {
  const slots = [slot("new", { usedMs: 9 }), slot("old", { affinity: "you", usedMs: 2 })];
  expect(chooseSlot(slots, { ...prompt, affinity: "" })?.slot.name).toBe("old");
});

test("without an idle sequence there is no choice", () => {
  expect(chooseSlot([], prompt)).toBeUndefined();
});

test("a common prefix ends at the first difference or at the shorter end", () => {
  expect(commonPrefix([1, 2, 3], [1, 2, 4])).toBe(2);
  expect(commonPrefix([1, 2, 3], [1, 2])).toBe(2);
  expect(commonPrefix([1, 2], [1, 2, 3])).toBe(2);
  expect(commonPrefix([], [1])).toBe(0);
  expect(commonPrefix([2], [1])).toBe(0);
});
