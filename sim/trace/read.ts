// read: the path of a trace file in, its head and a stream of its events out, so that a long trace is played without being held.
// Files that end in .gz are unpacked on the way. Holds one line and what the parser keeps.
import { createReadStream, statSync } from "node:fs";
import { createGunzip } from "node:zlib";
import { invalid, SlipstreamError } from "../../lib/errors.ts";
import { TraceReader } from "./parse.ts";
import { type Trace, type TraceEvent, type TraceStream, traceLimits } from "./trace.ts";

export const isTracePath = (path: string) => /\.ndjson(\.gz)?$/.test(path);

export async function openTrace(path: string): Promise<TraceStream> {
  const reader = new TraceReader();
  const lines = linesOf(path);
  return naming(path, async () => {
    while (!reader.begun) {
      const line = await lines.next();
      if (line.done) break;
      reader.line(line.value);
    }
    return { ...reader.head(), events: eventsOf(path, reader, lines) };
  });
}

/** The whole of it, for traces that are played by many or again and again. */
export async function readTrace(path: string): Promise<Trace> {
  const { events, ...head } = await openTrace(path);
  const held: TraceEvent[] = [];
  for await (const event of events) held.push(event);
  return { ...head, events: held };
}

async function* eventsOf(path: string, reader: TraceReader, lines: AsyncGenerator<string>): AsyncGenerator<TraceEvent> {
  for (;;) {
    const event = await naming(path, async () => {
      const line = await lines.next();
      return line.done ? undefined : reader.line(line.value);
    });
    if (!event) return;
    yield event;
  }
}

/** A mistake is one of this file. */
async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const { code, message } = SlipstreamError.from(thrown);
    throw new SlipstreamError(code, `${path}: ${message}`, { cause: thrown });
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new SlipstreamError("not_found", "no such file");
  const file = createReadStream(path);
  const unpacked = path.endsWith(".gz") ? file.pipe(createGunzip()) : file;
  file.once("error", (thrown) => unpacked.destroy(thrown));
  let rest = "";
  let nth = 0;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      const parts = decoded(decoder, chunk, nth).split("\n");
      parts[0] = rest + parts[0];
      rest = parts.pop() ?? "";
      if (rest.length > traceLimits.documentBytesMax)
        throw invalid(`line ${nth + parts.length + 1}`, "longer than any line of a trace");
      for (const line of parts) {
        nth += 1;
        yield line.endsWith("\r") ? line.slice(0, -1) : line;
      }
    }
    if (rest !== "") yield rest;
  } catch (thrown) {
    if (thrown instanceof Error && /^Z_/.test((thrown as NodeJS.ErrnoException).code ?? ""))
      throw new SlipstreamError("invalid_request", "cannot be unpacked", { cause: thrown });
    throw thrown;
  } finally {
    file.destroy();
  }
}

function decoded(decoder: InstanceType<typeof TextDecoder>, chunk: Buffer, lines: number): string {
  try {
    return decoder.decode(chunk, { stream: true });
  } catch (thrown) {
    throw new SlipstreamError("invalid_request", `line ${lines + 1}: not UTF-8 text`, { cause: thrown });
  }
}
