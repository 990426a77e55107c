// trace: `slipstream trace generate|inspect|play`: typing traces made, looked at, and typed into a running router.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { type Played, play } from "../bench/play.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { generateTrace } from "../sim/trace/generate.ts";
import { parseTrace } from "../sim/trace/parse.ts";
import { formatTrace, type Trace, traceLimits } from "../sim/trace/trace.ts";
import type { Command } from "./command.ts";
import { options } from "./options.ts";
import { placeOf } from "./place.ts";
import { reachHelp, reachOf, reachOptions } from "./reaching.ts";

const help = `Usage: slipstream trace generate FILE [--keys N] [--seed N] [--out TRACE]
       slipstream trace inspect TRACE
       slipstream trace play TRACE|FILE [--keys N] [--seed N] [--speed X] [--address HOST:PORT] [--json]

A typing trace is a person's keys in a document with their times (docs/reference/trace-format.md). "generate" deletes a
span of a source file and types it again; "play" types a trace into a running router through one session and reports what
each key cost. A FILE given to play is made into a trace first.

Options:
  --keys N               keys to type (default 200)
  --seed N               same seed, same trace (default 1)
  --speed X              play X times as fast (default 1: as a person types)
  --address H:P          the router (default 127.0.0.1:7411, or SLIPSTREAM_ADDRESS)
  --out TRACE            write here instead of stdout
  --json                 one JSON object instead of text
${reachHelp}

Examples:
  slipstream trace generate src/server.ts --keys 500 --out server.ndjson
  slipstream trace inspect server.ndjson
  slipstream trace play src/server.ts --keys 200 --speed 4
`;

export const trace: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    keys: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    speed: { type: "string", default: "1" },
    address: { type: "string", default: io.env["SLIPSTREAM_ADDRESS"] ?? "127.0.0.1:7411" },
    ...reachOptions(io.env),
    out: { type: "string" },
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  const [verb, file, extra] = positionals;
  if (verb === undefined || file === undefined || extra !== undefined || !["generate", "inspect", "play"].includes(verb))
    throw new SlipstreamError("invalid_request", "generate, inspect or play, and one file; --help shows examples");
  const made = { keys: number("keys", String(values.keys), 1, 100_000), seed: number("seed", String(values.seed), 0, 2 ** 31) };
  if (verb === "generate") {
    const formatted = formatTrace(fromSource(file, made));
    if (values.out === undefined) io.out(formatted);
    else {
      writeFileSync(String(values.out), formatted);
      io.complain(`${values.out}: a trace of ${formatted.trimEnd().split("\n").length - 1} keys`);
    }
    return 0;
  }
  const loaded = verb === "play" && !isTrace(file) ? fromSource(file, made) : parsed(file);
  if (verb === "inspect") {
    io.out(inspected(loaded));
    return 0;
  }
  const speed = number("speed", String(values.speed), 0.1, 1_000);
  const progress = (done: number, all: number) => {
    if (!values.json && (done % 50 === 0 || done === all)) io.complain(`${done} of ${all} keys`);
  };
  const interrupted = new AbortController();
  io.on("SIGINT", () => interrupted.abort(new SlipstreamError("cancelled", "interrupted")));
  const played = await play(
    { trace: loaded, ...reachOf(String(values.address), values), speed },
    { progress, signal: interrupted.signal },
  );
  io.out(values.json ? `${JSON.stringify(played)}\n` : report(played));
  return played.triggers === played.answered ? 0 : 1;
};

function number(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= min && value <= max))
    throw new SlipstreamError("invalid_request", `--${option}: "${text}" is not a number between ${min} and ${max}`, {
      field: option,
    });
  return value;
}

function read(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new SlipstreamError("not_found", `${path}: no such file`);
  if (stat.size > traceLimits.eventsMax * 512) throw new SlipstreamError("invalid_request", `${path}: larger than any trace`);
  return readFileSync(path, "utf8");
}

function parsed(path: string): Trace {
  const text = read(path);
  try {
    return parseTrace(text);
  } catch (thrown) {
    const { code, message } = SlipstreamError.from(thrown);
    throw new SlipstreamError(code, `${path}: ${message}`, { cause: thrown });
  }
}

const isTrace = (path: string) => path.endsWith(".ndjson");

function fromSource(path: string, made: { keys: number; seed: number }): Trace {
  const { suffix: text, language } = placeOf(`${path}:1:1`);
  return generateTrace({ ...made, path, language, text });
}

function inspected({ documents, events }: Trace): string {
  const seconds = (events.at(-1)?.tMs ?? 0) / 1_000;
  const count = (of: (event: (typeof events)[number]) => boolean) => events.filter(of).length;
  return `${documents.map(({ path, language, text }) => `document  ${path} (${language || "plain text"}), ${text.length} UTF-16 units at the start`).join("\n")}
events    ${events.length} in ${seconds.toFixed(1)} s (${(events.length / Math.max(seconds, 1e-3)).toFixed(2)} a second)
triggers  ${count((event) => event.trigger !== undefined)}
inserted  ${count((event) => (event.edit?.text ?? "") !== "")}, deleted ${count((event) => event.edit !== undefined && event.edit.text === "")}
`;
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
