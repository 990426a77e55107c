import { expect, test } from "vitest";
import { rowsOf } from "./waterfall.ts";

const step = (room: string, at_ms: number, took_ms: number) => ({ room, at_ms, took_ms, what: "" });

test.each([
  ["a near deadline is on the line", { total_ms: 80, deadline_ms: 100 }, { spanMs: 100, deadline: 1 }],
  ["a deadline that was crossed lies within it", { total_ms: 200, deadline_ms: 100 }, { spanMs: 200, deadline: 0.5 }],
  ["a far one is not, or the steps would vanish", { total_ms: 20, deadline_ms: 3_000 }, { spanMs: 20, deadline: undefined }],
  ["a refused trigger has neither", { total_ms: 0, deadline_ms: 0 }, { spanMs: 12, deadline: undefined }],
])("%s", (_, of, drawn) => {
  const { spanMs, deadline } = rowsOf({ ...of, steps: [step("gate", 2, 0), step("dispatch", 4, 8)] });
  expect({ spanMs, deadline }).toEqual(drawn);
});

test("steps are shares of the line, in their order", () => {
  const { rows } = rowsOf({ total_ms: 40, deadline_ms: 0, steps: [step("settle", 0, 10), step("dispatch", 10, 30)] });
  expect(rows.map(({ room, left, width }) => [room, left, width])).toEqual([
    ["settle", 0, 0.25],
    ["dispatch", 0.25, 0.75],
  ]);
});
