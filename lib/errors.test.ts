import { constants } from "node:http2";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { type ErrorCode, errorTable, grpcCode, invalid, SlipstreamError } from "./errors.ts";

const codes = Object.keys(errorTable) as ErrorCode[];

test.each(codes)("%s has a gRPC status, an HTTP status, an exit code and a sentence", (code) => {
  const row = new SlipstreamError(code, "x").row;
  expect(row).toBe(errorTable[code]);
  expect(status[row.grpc]).toBeTypeOf("string");
  expect(row.grpc).not.toBe(status.OK);
  // 499 is the customary status of a client that left; Node has no name for it.
  expect([499, ...Object.values(constants)]).toContain(row.http);
  expect(row.http).toBeGreaterThanOrEqual(400);
  // sysexits, or 128 + SIGINT.
  expect([64, 65, 66, 69, 70, 75, 76, 77, 130]).toContain(row.exit);
  expect(row.means).toMatch(/^[A-Z].*\.$/);
  expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
});

test("gRPC numbers are those of the standard", () => {
  const named = Object.entries(grpcCode).map(([name, number]) => [name.replace(/[A-Z]/g, "_$&").toUpperCase(), number]);
  for (const [name, number] of named) expect(status[name as keyof typeof status]).toBe(number);
});

test("what can be tried again is not the caller's mistake", () => {
  const mistakes: number[] = [400, 401, 403, 404, 501];
  for (const code of codes) if (errorTable[code].retryable) expect(mistakes).not.toContain(errorTable[code].http);
});

test("from keeps ours as they are", () => {
  const error = invalid("trigger.offset_utf16", "is beyond the end");
  expect(SlipstreamError.from(error)).toBe(error);
  expect(error).toMatchObject({
    name: "SlipstreamError",
    code: "invalid_request",
    field: "trigger.offset_utf16",
    message: "trigger.offset_utf16: is beyond the end",
  });
});

test.each([
  [new TypeError("bad"), "bad"],
  ["text", "text"],
  [undefined, "undefined"],
  [null, "null"],
  [{ code: 3 }, "[object Object]"],
  [Object.create(null), "a value that is no error was thrown"],
])("from makes %o internal, with its cause", (thrown, message) => {
  const error = SlipstreamError.from(thrown);
  expect(error).toMatchObject({ code: "internal", message, field: undefined, retryAfterMs: undefined });
  expect(error.cause).toBe(thrown);
});

test.each([
  [AbortSignal.abort().reason, "cancelled"],
  [Object.assign(new Error("The operation was aborted"), { name: "AbortError" }), "cancelled"],
  [new DOMException("The operation timed out", "TimeoutError"), "deadline_exceeded"],
  [Object.assign(new Error("of another library"), { name: "TimeoutError" }), "internal"],
])("from makes %o %s", (thrown, code) => {
  expect(SlipstreamError.from(thrown)).toMatchObject({ code, cause: thrown });
});

test("a cause is there only when it was given", () => {
  expect("cause" in new SlipstreamError("draining", "x")).toBe(false);
  expect(new SlipstreamError("draining", "x", { cause: 0, retryAfterMs: 5 })).toMatchObject({ cause: 0, retryAfterMs: 5 });
});
