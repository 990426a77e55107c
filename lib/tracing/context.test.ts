import { expect, test } from "vitest";
import { seeded } from "../random.ts";
import { beneath, parseTraceparent, traceparent } from "./context.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

test.each<[name: string, header: string | undefined, sampled: boolean | undefined]>([
  ["as in the standard", `00-${traceId}-${spanId}-01`, true],
  ["not sampled", `00-${traceId}-${spanId}-00`, false],
  ["of a later version, with more behind it", `01-${traceId}-${spanId}-01-more`, true],
  ["none", undefined, undefined],
  ["empty", "", undefined],
  ["with more behind it in version 0", `00-${traceId}-${spanId}-01-more`, undefined],
  ["of the forbidden version", `ff-${traceId}-${spanId}-01`, undefined],
  ["of no trace", `00-${"0".repeat(32)}-${spanId}-01`, undefined],
  ["of no span", `00-${traceId}-${"0".repeat(16)}-01`, undefined],
  ["in capitals", `00-${traceId.toUpperCase()}-${spanId}-01`, undefined],
  ["cut short", `00-${traceId}-${spanId}`, undefined],
])("a header %s", (_, header, sampled) => {
  const expected = sampled === undefined ? undefined : { traceId, spanId, sampled };
  expect(parseTraceparent(header)).toEqual(expected);
});

test("a span is beneath its caller's, or begins a trace, and says so to the next", () => {
  const context = beneath(`00-${traceId}-${spanId}-01`, seeded(1));
  expect(context).toMatchObject({ traceId, parentId: spanId, sampled: true });
  expect(parseTraceparent(traceparent(context))).toEqual({ traceId, spanId: context.spanId, sampled: true });
  const first = beneath("nonsense", seeded(1));
  expect([first.parentId, first.traceId.length, first.spanId.length]).toEqual([undefined, 32, 16]);
});
