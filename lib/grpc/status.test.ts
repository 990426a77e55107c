import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { type ErrorCode, errorTable, SlipstreamError } from "./../errors.ts";
import { fromStatus, toStatus } from "./status.ts";

const served = (error: SlipstreamError): ServiceError => Object.assign(new Error("as a client makes it"), toStatus(error));
const foreign = (code: status, trailers: Record<string, string> = {}): ServiceError => {
  const metadata = Metadata.fromHttp2Headers(trailers);
  return Object.assign(new Error("2 UNKNOWN: words"), { code, details: "words", metadata });
};

test.each(Object.keys(errorTable) as ErrorCode[])("%s comes back as it went", (code) => {
  const error = fromStatus(served(new SlipstreamError(code, "some words", { field: "a.b[0]", retryAfterMs: 20 })));
  const message = code === "internal" ? "internal error; see the server's log" : "some words";
  expect(error).toMatchObject({ code, message, field: "a.b[0]", retryAfterMs: 20 });
});

test("without field and delay there are none", () => {
  const error = fromStatus(served(new SlipstreamError("draining", "x")));
  expect([error.field, error.retryAfterMs]).toEqual([undefined, undefined]);
});

test.each([
  [status.CANCELLED, "cancelled"],
  [status.UNKNOWN, "internal"],
  [status.INVALID_ARGUMENT, "invalid_request"],
  [status.DEADLINE_EXCEEDED, "deadline_exceeded"],
  [status.NOT_FOUND, "not_found"],
  [status.ALREADY_EXISTS, "internal"],
  [status.PERMISSION_DENIED, "permission_denied"],
  [status.RESOURCE_EXHAUSTED, "overloaded"],
  [status.FAILED_PRECONDITION, "protocol"],
  [status.UNIMPLEMENTED, "unsupported"],
  [status.INTERNAL, "internal"],
  [status.UNAVAILABLE, "unavailable"],
  [status.UNAUTHENTICATED, "unauthenticated"],
])("a status %d of another server means %s", (code, want) => {
  expect(fromStatus(foreign(code))).toMatchObject({ code: want, message: "words" });
});

test.each([
  [{ "slipstream-code": "toString" }, { code: "unavailable" }],
  [{ "slipstream-code": "no_such_code" }, { code: "unavailable" }],
  [{ "slipstream-field": "%E0%A4%A" }, { field: "%E0%A4%A" }],
  [{ "slipstream-retry-after-ms": "soon" }, { retryAfterMs: undefined }],
  [{ "slipstream-retry-after-ms": "Infinity" }, { retryAfterMs: undefined }],
])("trailers that are not ours are no harm: %o", (trailers, want) => {
  expect(fromStatus(foreign(status.UNAVAILABLE, trailers as unknown as Record<string, string>))).toMatchObject(want);
});

test.each([
  ["plain.path[3]", "plain.path[3]"],
  ["a b", "a b"],
  ["100%", "100%25"],
  ["größe\n", "gr%C3%B6%C3%9Fe%0A"],
  ["\u{1f600}", "%F0%9F%98%80"],
  ["\ud800", "%EF%BF%BD"],
])("the field %o travels as %o", (field, header) => {
  expect(toStatus(new SlipstreamError("invalid_request", "x", { field })).metadata.get("slipstream-field")).toEqual([header]);
});

test("whatever is thrown fits into the 8 KiB that any client takes", () => {
  for (const letter of ["x", "ö", "漢", "\u{1f600}"]) {
    const error = new SlipstreamError("invalid_request", letter.repeat(100_000), {
      field: letter.repeat(100_000),
      retryAfterMs: 1e12,
    });
    const { details, metadata } = toStatus(error);
    const headers = Object.entries(metadata.toHttp2Headers()).map(([name, value]) => name.length + String(value).length + 32);
    expect(encodeURI(details).length + headers.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(8 << 10);
  }
});
