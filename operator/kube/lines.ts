// lines: a stream of JSON lines in, one event at a time out, each parsed. Bounded by line; a line that is no JSON ends the stream.
import type { ClientHttp2Stream } from "node:http2";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Json } from "../objects.ts";

const lineBytesMax = 8 << 20;

/** Calls `take` for each line; resolves when the stream ends, rejects when it breaks or `take` throws. */
export function eachLine(stream: ClientHttp2Stream, take: (value: Json) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let rest = "";
    const fail = (error: Error) => {
      reject(error);
      stream.close();
    };
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > lineBytesMax) return fail(new SlipstreamError("unavailable", "an event of a watch is too large"));
      try {
        for (const line of lines) if (line !== "") take(JSON.parse(line));
      } catch (thrown) {
        fail(thrown as Error);
      }
    });
    stream.once("error", (error) => reject(new SlipstreamError("unavailable", `a watch broke off: ${error.message}`)));
    stream.once("close", () => resolve());
  });
}
