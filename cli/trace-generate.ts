// trace-generate: what `slipstream trace generate` was told in, a trace, or one a person, written out.
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { SlipstreamError } from "../lib/errors.ts";
import { languageOf } from "../lib/languages.ts";
import { generateTrace } from "../sim/trace/generate.ts";
import { isTracePath } from "../sim/trace/read.ts";
import { sourcesOf } from "../sim/trace/sources.ts";
import { type Trace, traceLimits } from "../sim/trace/trace.ts";
import { versionsTrace } from "../sim/trace/versions.ts";
import { workingTrace } from "../sim/trace/working.ts";
import { formatTrace, traceLines } from "../sim/trace/written.ts";
import type { Io } from "./command.ts";

interface Generated {
  readonly paths: readonly string[];
  readonly seed: number;
  readonly keys: number | undefined;
  readonly hours: number | undefined;
  readonly people: number | undefined;
  readonly work: boolean;
  readonly from: string | undefined;
  readonly package: string | undefined;
  readonly out: string | undefined;
}

export async function generated(given: Generated, io: Io): Promise<number> {
  const make = maker(given);
  const { people, out, seed } = given;
  if (people === undefined) {
    const trace = make(seed);
    if (out === undefined) io.out(formatTrace(trace));
    else {
      await write(out, trace);
      io.complain(`${out}: a trace of ${trace.events.length} events`);
    }
    return 0;
  }
  if (out === undefined) throw refused("people", "needs --out FOLDER");
  const digits = String(people).length;
  for (let nth = 0; nth < people; nth++) {
    const path = join(out, `${String(nth).padStart(digits, "0")}.ndjson`);
    await write(path, make(seed + nth));
    if (nth % 50 === 49) io.complain(`${nth + 1} of ${people} traces`);
  }
  io.complain(`${out}: ${people} traces`);
  return 0;
}

function maker({ paths, keys, hours, work, from, package: part }: Generated): (seed: number) => Trace {
  if (from !== undefined) {
    const [path, other] = paths;
    if (path === undefined || other !== undefined) throw refused("from", "goes with one FILE, the new version");
    const [old, now] = [text(from), text(path)];
    return (seed) => versionsTrace({ path, language: languageOf(path), old, now, seed });
  }
  const sources = sourcesOf(paths, part === undefined ? {} : { package: part });
  const [source] = sources;
  if (source && sources.length === 1 && source.path === paths[0] && !work && hours === undefined)
    return (seed) => generateTrace({ ...source, keys: keys ?? 200, seed });
  const most = keys ?? (hours === undefined ? 200 : traceLimits.eventsMax);
  return (seed) => workingTrace({ sources, keys: most, seed, ...(hours !== undefined && { hours }) });
}

function text(path: string): string {
  const [source] = sourcesOf([path]);
  if (!source) throw new SlipstreamError("not_found", `${path}: no such file`);
  return readFileSync(path, "utf8");
}

async function write(path: string, trace: Trace): Promise<void> {
  if (!isTracePath(path)) throw refused("out", `"${path}" does not end in .ndjson or .ndjson.gz`);
  mkdirSync(dirname(path), { recursive: true });
  const lines = Readable.from(traceLines(trace));
  const file = createWriteStream(path);
  await (path.endsWith(".gz") ? pipeline(lines, createGzip(), file) : pipeline(lines, file));
}

const refused = (option: string, problem: string) =>
  new SlipstreamError("invalid_request", `--${option} ${problem}`, { field: option });
