// grpc/status: SlipstreamError ↔ gRPC status and trailers, both ways. The code travels in a trailer of its own, so that
// our clients get the same error back; others get the standard status and details.
import { Metadata, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import { type ErrorCode, errorTable, SlipstreamError } from "../errors.ts";
import { statusDetails } from "./details.ts";

const codeTrailer = "slipstream-code";
const fieldTrailer = "slipstream-field";
const retryTrailer = "slipstream-retry-after-ms";

/** Clients take 8 KiB of trailers in all; the sentence travels in them three times, non-ASCII at nine bytes a character. */
const sentenceMax = 320;
const fieldMax = 100;

/** Cut to size, without the halves of surrogate pairs that no header can carry. */
const clip = (text: string, max: number) => text.slice(0, max).replace(/\p{Surrogate}/gu, "\ufffd");
/** Printable ASCII as it is, all else percent-encoded. */
const encode = (text: string) => text.replace(/[^ -$&-~]/gu, encodeURIComponent);

export function toStatus(error: SlipstreamError): StatusObject {
  // An internal message may hold anything; the caller gets a sentence, the log has the cause.
  const sentence = error.code === "internal" ? "internal error; see the server's log" : clip(error.message, sentenceMax);
  const metadata = new Metadata();
  metadata.set(codeTrailer, error.code);
  const field = error.field && clip(error.field, fieldMax);
  if (field) metadata.set(fieldTrailer, encode(field));
  if (error.retryAfterMs !== undefined) metadata.set(retryTrailer, String(Math.round(error.retryAfterMs)));
  metadata.set("grpc-status-details-bin", Buffer.from(statusDetails(error, sentence, field)));
  return { code: error.row.grpc, details: sentence, metadata };
}

/** What a status without our trailer means: a proxy, another server, or the transport said it. */
const fromGrpc: Partial<Record<status, ErrorCode>> = {
  [status.CANCELLED]: "cancelled",
  [status.INVALID_ARGUMENT]: "invalid_request",
  [status.DEADLINE_EXCEEDED]: "deadline_exceeded",
  [status.NOT_FOUND]: "not_found",
  [status.PERMISSION_DENIED]: "permission_denied",
  [status.RESOURCE_EXHAUSTED]: "overloaded",
  [status.FAILED_PRECONDITION]: "protocol",
  [status.UNIMPLEMENTED]: "unsupported",
  [status.UNAVAILABLE]: "unavailable",
  [status.UNAUTHENTICATED]: "unauthenticated",
};

export function fromStatus(error: ServiceError): SlipstreamError {
  const trailer = (name: string) => error.metadata?.get(name)[0]?.toString();
  const named = trailer(codeTrailer);
  const code = named && Object.hasOwn(errorTable, named) ? (named as ErrorCode) : (fromGrpc[error.code] ?? "internal");
  const field = decode(trailer(fieldTrailer));
  const retry = Number(trailer(retryTrailer) ?? Number.NaN);
  return new SlipstreamError(code, error.details || error.message, {
    cause: error,
    ...(field ? { field } : {}),
    ...(Number.isFinite(retry) ? { retryAfterMs: retry } : {}),
  });
}

/** A peer may send anything: what is not our encoding is taken as it stands. */
function decode(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text);
  } catch {
    return text;
  }
}
