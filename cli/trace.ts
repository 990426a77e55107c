// trace: `slipstream trace generate|inspect|play|record`: typing traces made, looked at, typed into a running router, and taken down
// from a person who types.
import { type Played, play } from "../bench/play.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { generateTrace } from "../sim/trace/generate.ts";
import { isTracePath, openTrace } from "../sim/trace/read.ts";
import { sourcesOf } from "../sim/trace/sources.ts";
import type { Trace, TraceStream } from "../sim/trace/trace.ts";
import type { Command } from "./command.ts";
import { interruption, number, options, refuseWords, whole } from "./options.ts";
import { reachHelp, reachOf, reachOptions } from "./reaching.ts";
import { generated } from "./trace-generate.ts";
import { inspect } from "./trace-inspect.ts";
import { record } from "./trace-record.ts";

const help = `Usage: slipstream trace generate PATH… [--keys N] [--hours H] [--seed N] [--people N] [--package NAME] [--out TRACE]
       slipstream trace generate NEW --from OLD [--seed N] [--out TRACE]
       slipstream trace inspect TRACE [--html PAGE] [--json]
       slipstream trace record [--listen HOST:PORT] [--address HOST:PORT] [--out FOLDER]
       slipstream trace play TRACE|FILE [--keys N] [--seed N] [--speed X] [--address HOST:PORT] [--json]

A typing trace is what a person did in an editor, with times (docs/reference/trace-format.md). "generate" makes one from source
files: of one FILE a stretch is typed again in one go; of several, or of a folder, a person at work writes here and there, thinks,
slips, undoes, pastes, accepts, and goes to other files (--work: so in one FILE too); with --from, the old version of a file
becomes the new one. "play" types a trace into a running router through one session and reports what each key cost; a FILE given
to play is made into a trace first. "record" stands between editors and a router and takes down each session as a trace, with names,
literals, comments and paths replaced by text of the same length and kind. Traces end in .ndjson or .ndjson.gz.

Options:
  --keys N               keys of the text to type, about (default 200)
  --hours H              so long a working day, with its shape (then --keys is as many as they are)
  --seed N               same seed, same trace (default 1)
  --work                 a person at work, though there is one FILE
  --from OLD             the version that becomes NEW
  --people N             so many traces, in a folder that --out names; seeds count up
  --package NAME         of a folder: files of this package alone
  --out PATH             write here instead of stdout
  --listen H:P           record: where editors connect, on this machine (default 127.0.0.1:7414)
  --html PAGE            inspect: draw it
  --speed X              play X times as fast (default 1: as a person types)
  --address H:P          the router (default 127.0.0.1:7411, or SLIPSTREAM_ADDRESS)
  --json                 one JSON object instead of text
${reachHelp}

Examples:
  slipstream trace generate src/server.ts --keys 500 --out server.ndjson
  slipstream trace generate node_modules/fastify/lib --hours 8 --out day.ndjson.gz
  slipstream trace generate src lib --people 40 --keys 3000 --out crowd
  slipstream trace generate server.ts --from server.old.ts --out change.ndjson
  slipstream trace inspect day.ndjson.gz --html day.html
  slipstream trace record --out recorded
  slipstream trace play src/server.ts --keys 200 --speed 4
`;

const verbs = ["generate", "inspect", "play", "record"];

export const trace: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    keys: { type: "string" },
    hours: { type: "string" },
    seed: { type: "string", default: "1" },
    work: { type: "boolean", default: false },
    from: { type: "string" },
    people: { type: "string" },
    package: { type: "string" },
    speed: { type: "string", default: "1" },
    address: { type: "string", default: io.env["SLIPSTREAM_ADDRESS"] ?? "127.0.0.1:7411" },
    ...reachOptions(io.env),
    out: { type: "string" },
    html: { type: "string" },
    listen: { type: "string", default: "127.0.0.1:7414" },
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  const [verb = "", path, ...more] = positionals;
  if (verb === "record") {
    refuseWords(positionals.slice(1));
    return record({ reach: reachOf(values.address, values), listen: values.listen, out: values.out ?? "recorded" }, io);
  }
  if (!verbs.includes(verb) || path === undefined || (verb !== "generate" && more.length > 0))
    throw new SlipstreamError(
      "invalid_request",
      `${verbs.slice(0, -1).join(", ")} or ${verbs.at(-1)}, and what of; --help shows examples`,
    );
  const seed = whole("seed", values.seed, 0, 2 ** 31);
  const keys = values.keys === undefined ? undefined : whole("keys", values.keys, 1, 250_000);
  if (verb === "generate") {
    const { from, people, package: part, hours, work, out } = values;
    const made = {
      ...{ paths: [path, ...more], seed, keys, work, from, package: part, out },
      hours: hours === undefined ? undefined : number("hours", hours, 0.1, 168),
      people: people === undefined ? undefined : whole("people", people, 1, 2_000),
    };
    return generated(made, io);
  }
  if (verb === "inspect") return inspect(path, values, io);
  const speed = number("speed", values.speed, 0.1, 1_000);
  const loaded = isTracePath(path) ? await openTrace(path) : fromSource(path, { keys: keys ?? 200, seed });
  const progress = (done: number) => {
    if (!values.json && done % 50 === 0) io.complain(`${done} keys`);
  };
  const signal = interruption(io);
  const played = await play({ trace: loaded, ...reachOf(values.address, values), speed }, { progress, signal });
  io.out(values.json ? `${JSON.stringify(played)}\n` : report(played));
  return played.triggers === played.answered ? 0 : 1;
};

function fromSource(path: string, made: { keys: number; seed: number }): Trace | TraceStream {
  const [source] = sourcesOf([path]);
  return generateTrace({ ...made, ...(source as NonNullable<typeof source>) });
}

function report(played: Played): string {
  const { first_text_ms: first, recomputed_tokens_per_key: recomputed } = played;
  return `triggers                 ${played.triggers}, answered ${played.answered}, each once: ${played.exactly_one_outcome ? "yes" : "NO"}
outcomes                 ${Object.entries(played.outcomes)
    .map(([outcome, n]) => `${outcome} ${n}`)
    .join(", ")}
without a generation     ${(100 * played.answered_without_generation_share).toFixed(1)} % of triggers
recomputed tokens a key  mean ${recomputed.mean}, p95 ${recomputed.p95} (over generations: mean ${played.recomputed_tokens_per_generation.mean}, p95 ${played.recomputed_tokens_per_generation.p95})
first text               p50 ${first.p50} ms, p95 ${first.p95} ms (where text was shown)
`;
}
