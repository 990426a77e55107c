// grpc/details: the standard error details (google.rpc.Status with ErrorInfo, BadRequest, RetryInfo) that gRPC users look
// for in `grpc-status-details-bin`, written field by field: https://github.com/googleapis/googleapis/tree/master/google/rpc
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { SlipstreamError } from "../errors.ts";

function message(...fields: (readonly [number: number, value: string | Uint8Array | number | undefined])[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    if (value === undefined) continue;
    if (typeof value === "number") writer.tag(number, WireType.Varint).int64(value);
    else if (typeof value === "string") writer.tag(number, WireType.LengthDelimited).string(value);
    else writer.tag(number, WireType.LengthDelimited).bytes(value);
  }
  return writer.finish();
}

const any = (type: string, value: Uint8Array) => message([1, `type.googleapis.com/google.rpc.${type}`], [2, value]);

/** `sentence` and `field` are what the caller may read, cut to size: not always the error's own. */
export function statusDetails(error: SlipstreamError, sentence: string, field: string | undefined): Uint8Array {
  const errorInfo = any("ErrorInfo", message([1, error.code.toUpperCase()], [2, "slipstream.dev"]));
  const badRequest = field && any("BadRequest", message([1, message([1, field], [2, sentence])]));
  const delay = error.retryAfterMs;
  const retryInfo =
    delay !== undefined &&
    any("RetryInfo", message([1, message([1, Math.floor(delay / 1000)], [2, Math.floor((delay % 1000) * 1e6)])]));
  return message([1, error.row.grpc], [2, sentence], [3, errorInfo], [3, badRequest || undefined], [3, retryInfo || undefined]);
}
