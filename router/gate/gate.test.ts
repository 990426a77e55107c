import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { triggerAt } from "../../test/support/router.ts";
import type { Kind, Trigger } from "../completion.ts";
import { against, type Evidence, evidenceTable, logOdds, oddsOf, probability } from "./evidence.ts";
import { Gate, judge, thresholdAt } from "./gate.ts";

const options = { floor: 0.15, cap: 0.5, waitShareMax: 0.5, aheadInUseMax: 0.2, documentsMax: 100 };
const made = (inUse = 0) => new Gate(options, { inUse: () => inUse });
const at = (given: Partial<Trigger> & { code: string; waitMs?: number }, gate = made()) => {
  const { code, waitMs = 0, ...fields } = given;
  return gate.judge(triggerAt(code, fields), { predictedWaitMs: waitMs }, 1_000);
};

test.each<[name: string, given: Partial<Trigger> & { code: string }, reason: "gated" | undefined]>([
  ["the end of a word", { code: "foo|" }, undefined],
  ["a value", { code: "a = |" }, undefined],
  ["a line of a block", { code: "f() {\n  |\n}" }, undefined],
  ["a comment", { code: "// say |" }, undefined],
  ["before another word", { code: "foo |bar" }, undefined],
  ["a line that is over", { code: "a = b;|" }, undefined],
  ["inside a word", { code: "foo|bar" }, "gated"],
  ["an empty document", { code: "|" }, "gated"],
  ["prose before other prose", { code: "So |it goes", language: "markdown" }, "gated"],
  ["after a paste", { code: "a = |", origin: "paste" }, "gated"],
  ["after an undo", { code: "a = |", origin: "undo" }, "gated"],
  ["after a formatter", { code: "a = |", origin: "format" }, "gated"],
  ["after a completion was accepted", { code: "a = |", origin: "accept" }, undefined],
  ["where the client knows no more than we", { code: "a = |", acceptProbability: 0.27 }, undefined],
  ["where the client doubts it", { code: "a = |", acceptProbability: 0.05 }, "gated"],
  ["where the client is sure, though a paste came before", { code: "a = |", origin: "paste", acceptProbability: 0.9 }, undefined],
  ["where the client is sure, inside a word all the same", { code: "foo|bar", acceptProbability: 0.7 }, "gated"],
  ["after a moment's rest in a comment", { code: "// say |", previousKeyMs: -29_000 }, "gated"],
  ["after a moment's rest in code", { code: "a = |", previousKeyMs: -29_000 }, undefined],
])("with nobody waiting, %s", (_, given, reason) => {
  expect(at(given)?.reason).toBe(reason);
});

test("who asks on purpose is never gated", () => {
  for (const code of ["foo|bar", "|"])
    for (const waitMs of [0, 400, 10_000]) expect(at({ code, kind: "invoked", waitMs, origin: "undo" }, made(1))).toBeUndefined();
});

test.each<Kind>(["preload", "speculative"])(
  "what is %s passes while the workers are idle four fifths of the time, whatever the text says",
  (kind) => {
    for (const code of ["foo|bar", "|"]) {
      expect(at({ code, kind, origin: "undo" }, made(0.2))).toBeUndefined();
      expect(at({ code, kind }, made(0.21))).toMatchObject({ reason: "brownout", retryAfterMs: 1_000 });
    }
  },
);

test.each<[waitMs: number, code: string, given: Partial<Trigger>, reason: "brownout" | undefined]>([
  [40, "a = |", {}, undefined],
  [100, "a = |", {}, "brownout"],
  [40, "// say |", {}, "brownout"],
  [100, "f() {\n  |", {}, undefined],
  [100, "a = |", { origin: "accept" }, "brownout"],
  [249, "a = |", { acceptProbability: 0.7 }, undefined],
  [499, "a = |", { acceptProbability: 0.7 }, undefined],
  [500, "a = |", { acceptProbability: 0.98 }, "brownout"],
])("with a wait of %d of 500 ms, %j %j", (waitMs, code, given, reason) => {
  expect(at({ code, waitMs, ...given })?.reason).toBe(reason);
});

test("reports of the document count, those of others do not", () => {
  const gate = made();
  const report = (reaction: "accepted" | "rejected", document: string) => gate.observe({ document, reaction, shownMs: 900 }, 1_000);
  const waitMs = 240;
  const mine = { code: "a = |", document: "d1" };
  expect(at({ ...mine, waitMs }, gate)?.reason).toBe("brownout");
  report("accepted", "d2");
  expect(at({ ...mine, waitMs }, gate)?.reason).toBe("brownout");
  report("accepted", "d1");
  expect(at({ ...mine, waitMs }, gate)).toBeUndefined();
  report("rejected", "d1");
  expect(at(mine, gate)).toBeUndefined();
  report("rejected", "d1");
  expect(at(mine, gate)?.reason).toBe("gated");
  // It is forgiven after a while.
  expect(gate.judge(triggerAt("a = |", { document: "d1" }), { predictedWaitMs: 0 }, 8_000)).toBeUndefined();
});

test("a brown-out says when to ask again, a gate does not; both say why", () => {
  expect(at({ code: "// say |", waitMs: 100.2 })).toEqual({
    reason: "brownout",
    detail: "workers are busy: scores 0.18 of 0.29; against it: in_comment",
    retryAfterMs: 101,
  });
  expect(at({ code: "foo|bar" })).toEqual({
    reason: "gated",
    detail: "scores 0.02 of 0.15; against it: inside_word",
    retryAfterMs: 0,
  });
  expect(at({ code: "a = |", waitMs: 600 })?.detail).toBe("the wait for a worker is longer than the trigger's time");
});

test("an expired trigger with nobody waiting ends otherwise", () => {
  expect(at({ code: "a = |", deadlineMs: 900 })).toBeUndefined();
});

test("the threshold rises from the floor to the cap with the wait, and no further", () => {
  const threshold = (waitMs: number) => thresholdAt(waitMs, 400, options);
  expect([0, 100, 200, 1_000].map(threshold)).toEqual([0.15, expect.closeTo(0.325), 0.5, 0.5]);
  expect(thresholdAt(1, 0, options)).toBe(0.5);
  for (let waitMs = 1; waitMs < 600; waitMs++) expect(threshold(waitMs)).toBeGreaterThanOrEqual(threshold(waitMs - 1));
});

test("one strong piece of evidence alone passes at any load, and one alone gates at none", () => {
  expect(options.cap).toBeLessThan(1);
  const pressed = { predictedWaitMs: 399, leftMs: 400 };
  expect(judge({ accepted: 1 }, pressed, options)).toBeUndefined();
  expect(judge({ client: oddsOf(0.9) - evidenceTable.base.weight }, pressed, options)).toBeUndefined();
  expect(judge({}, pressed, options)?.reason).toBe("brownout");
  for (const name of ["inside_word", "empty_document", "pasted", "undone", "formatted"] as const)
    expect(judge({ [name]: 1 }, { predictedWaitMs: 0, leftMs: 400 }, options)?.reason).toBe("gated");
});

test("more evidence for it never turns a pass into a gate, more load never a gate into a pass", () => {
  const random = seeded(5);
  const names = Object.keys(evidenceTable).filter((name) => name !== "base") as (keyof Evidence)[];
  for (let i = 0; i < 2_000; i++) {
    const evidence = Object.fromEntries(names.filter(() => random.next() < 0.3).map((name) => [name, random.next() * 2]));
    const name = names[below(random, names.length)] as keyof Evidence;
    const better = { ...evidence, [name]: (evidence[name] ?? 0) + Math.sign(evidenceTable[name].weight) * random.next() };
    const waitMs = random.next() * 500;
    const passes = (given: Evidence, wait: number) => judge(given, { predictedWaitMs: wait, leftMs: 500 }, options) === undefined;
    expect(logOdds(better)).toBeGreaterThanOrEqual(logOdds(evidence));
    if (passes(evidence, waitMs)) expect(passes(better, waitMs) && passes(evidence, waitMs * random.next())).toBe(true);
  }
});

test("evidence is weighed by the table", () => {
  expect(probability(logOdds({}))).toBeCloseTo(0.27, 2);
  expect(logOdds({ rejected: 2, closers_right: 1 })).toBeCloseTo(-1 - 1.2 + 0.2);
  expect(against({ rejected: 2, closers_right: 1, inside_word: 1, client: -1 })).toEqual(["inside_word", "rejected", "client"]);
  expect(against({ idle: 0 })).toEqual([]);
});
