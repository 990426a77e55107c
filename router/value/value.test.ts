import { expect, test } from "vitest";
import { RecordedMetrics } from "../../sim/recorded-metrics.ts";
import { routerMetricTable } from "../metrics.ts";
import { Value } from "./value.ts";

const typed = { tenant: "acme", language: "python", lane: "inline", kind: "auto" } as const;
const cost = { tokens: 10, engineMs: 40 };

function room(given = {}) {
  const recorded = new RecordedMetrics(routerMetricTable);
  const value = new Value({ poolsMax: 4, tenantsMax: 4, languagesMax: 4, ...given }, recorded);
  const tokens = (fate: string, by = "pool") => recorded.count("value_tokens_total", { by, fate });
  const ms = (fate: string, by = "pool") => Math.round(1_000 * recorded.count("value_engine_seconds_total", { by, fate }));
  return { value, tokens, ms, recorded };
}

test("a cost goes where its text went, whether the trigger or the engine ends first", () => {
  for (const triggerFirst of [true, false]) {
    const { value, tokens, ms } = room();
    const bill = value.open(typed, "inline");
    bill.read();
    const ends = [() => bill.ended("superseded"), () => bill.spent(cost, false)];
    for (const end of triggerFirst ? ends : ends.toReversed()) end();
    expect([tokens("superseded"), ms("superseded")]).toEqual([10, 40]);
    for (const by of ["tenant", "language"]) expect(tokens("superseded", by), by).toBe(10);
  }
});

test("text that one of several readers was shown is shown, whoever ends last", () => {
  const { value, tokens } = room();
  const bill = value.open(typed, "inline");
  bill.read();
  bill.read();
  bill.ended("shown");
  bill.spent(cost, false);
  expect(tokens("shown")).toBe(0);
  bill.ended("superseded");
  expect([tokens("shown"), tokens("superseded")]).toEqual([10, 0]);
});

test("a second worker's cost is a hedge's, and what is asked ahead is speculative however it ends", () => {
  const { value, tokens } = room();
  const bill = value.open({ ...typed, lane: "speculative" }, "inline");
  bill.read();
  bill.spent({ tokens: 3, engineMs: 1 }, true);
  bill.spent(cost, false);
  bill.ended("shown");
  expect([tokens("hedged"), tokens("speculative"), tokens("shown")]).toEqual([3, 10, 0]);
});

test("what is accepted is a part of what was computed, never more than all of it", () => {
  const { value, recorded } = room();
  const bill = value.open(typed, "inline");
  bill.read();
  bill.spent(cost, false);
  bill.ended("shown");
  value.accepted({ ...typed, bill }, { characters: 20, share: 0.5 });
  value.accepted({ ...typed, bill }, { characters: 40, share: 1 });
  value.accepted(typed, { characters: 5, share: 1 });
  expect(recorded.count("value_accepted_tokens_total", { by: "tenant" })).toBe(10);
  expect(recorded.count("value_accepted_engine_seconds_total", { by: "pool", of: "inline" })).toBeCloseTo(0.04);
  expect(recorded.count("value_accepted_characters_total", { by: "language", of: "python" })).toBe(65);
  expect(recorded.count("value_accepted_characters_total", { by: "pool", of: "typed_ahead" })).toBe(5);
});

test("names are bounded: the first ones have a line of their own, the rest share one", () => {
  const { value, recorded } = room({ tenantsMax: 2 });
  for (const tenant of ["a", "b", "c", "d", "a"]) {
    const bill = value.open({ ...typed, tenant, language: "" }, "inline");
    bill.read();
    bill.ended("shown");
    bill.spent(cost, false);
  }
  const of = (name: string) => recorded.count("value_tokens_total", { by: "tenant", of: name });
  expect(["a", "b", "other", "c"].map(of)).toEqual([20, 10, 20, 0]);
  expect(recorded.count("value_tokens_total", { by: "language", of: "none" })).toBe(50);
});
