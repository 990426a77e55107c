import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { triggerAt } from "../../test/support/router.ts";
import type { Ending, Trigger } from "../completion.ts";
import { noUsage } from "../completion.ts";
import { Explain } from "./explain.ts";

async function after(ended: readonly (Partial<Trigger> & { outcome: Ending["outcome"]; tookMs?: number })[]) {
  const clock = new FakeClock();
  const explain = new Explain({ max: 3, notableMax: 2, slowMs: 200 }, { clock });
  for (const { outcome, tookMs = 10, ...given } of ended) {
    const told = explain.begin(triggerAt("a|", { ...given, receivedMs: clock.now() }));
    await clock.advance(tookMs);
    told.firstTextMs = outcome === "generated" ? clock.now() : undefined;
    explain.ended(told, { outcome, usage: noUsage });
  }
  return { explain, ids: (kind?: "slow" | "failed" | "superseded") => explain.last(10, kind).map(({ trigger }) => trigger) };
}

test("what somebody looks for is held when the newest triggers are others", async () => {
  const quick = Array.from({ length: 5 }, (_, i) => ({ id: `quick-${i}`, outcome: "generated" as const }));
  const { explain, ids } = await after([
    { id: "slow", outcome: "generated", tookMs: 300 },
    { id: "wrong", outcome: "failed" },
    { id: "late", outcome: "expired", tookMs: 500 },
    { id: "retired", outcome: "superseded", tookMs: 900 },
    ...quick,
  ]);
  expect(ids()).toEqual(["quick-4", "quick-3", "quick-2"]);
  expect(ids("slow")).toEqual(["late", "slow"]);
  expect(ids("failed")).toEqual(["late", "wrong"]);
  expect(ids("superseded")).toEqual(["retired"]);
  expect(explain.find("slow")).toMatchObject({ trigger: "slow", total_ms: 300 });
});

test("of each kind no more than the limit, the newest", async () => {
  const { ids } = await after(Array.from({ length: 6 }, (_, i) => ({ id: `t${i}`, outcome: "failed" as const })));
  expect(ids("failed")).toEqual(["t5", "t4"]);
});

test.each<readonly [string, Partial<Trigger>]>([
  ["chat", { lane: "chat", kind: "invoked" }],
  ["what is asked ahead", { kind: "speculative" }],
  ["a preload", { kind: "preload" }],
])("%s may take its time", async (_, given) => {
  const { ids } = await after([{ id: "t", outcome: "generated", tookMs: 5_000, ...given }]);
  expect(ids("slow")).toEqual([]);
});
