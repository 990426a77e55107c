import { expect, test } from "vitest";
import { type Due, overdue } from "./overdue.ts";

const now = 1_000;
const waits = (startAfterMs?: number, { tenant = "t", model = "m" } = {}): Due => ({
  ...{ work: { tenant }, model },
  startByMs: startAfterMs === undefined ? undefined : now + startAfterMs,
});
/** Two slots are held, each for 100 ms: one falls free every 50 ms. */
const pace = { serviceMs: 100, held: (model: string) => (model === "m" ? 2 : 0) };

test.each<[name: string, order: Due[], late: [at: number, byMs: number][]]>([
  ["who has time for those before waits", [waits(50), waits(100), waits(150)], []],
  ["who has not is late by what is missing", [waits(50), waits(90), waits(150)], [[1, 10]]],
  ["who is late is before nobody", [waits(50), waits(90), waits(100)], [[1, 10]]],
  ["who is not refused by a deadline stands before others all the same", [waits(), waits(60)], [[1, 40]]],
  ["work of another model waits for other slots", [waits(0, { model: "n" }), waits(50)], []],
  [
    "another tenant's flood is before a tenant once for each of its own",
    [waits(1_000, { tenant: "f" }), waits(1_000, { tenant: "f" }), waits(1_000, { tenant: "f" }), waits(100), waits(190)],
    [[4, 10]],
  ],
])("%s", (_, order, late) => {
  expect([...overdue(order, now, pace)].map(([entry, byMs]) => [order.indexOf(entry), byMs])).toEqual(late);
});
