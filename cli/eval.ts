// eval: `slipstream eval run|make|bring`: how good the completions of a model are, measured on code it was never trained on.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { bringSource } from "../learn/evaluation/bringing.ts";
import { makeSet } from "../learn/evaluation/making.ts";
import { Parsers } from "../learn/evaluation/parser.ts";
import { builtinSetPath, formatSet } from "../learn/evaluation/sets.ts";
import { findSource, readSources, sourcesFolder } from "../learn/evaluation/sources.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { packageRoot } from "../lib/package-root.ts";
import type { Command, Io } from "./command.ts";
import { runEval } from "./eval-run.ts";
import { oneOf, options } from "./options.ts";
import { reachHelp, reachOf, reachOptions } from "./reaching.ts";

const help = `Usage: slipstream eval run [--set builtin|playground] [OPTIONS]
       slipstream eval make [--seed N] [--times N] [--out FILE]
       slipstream eval bring

run    asks a model for spans of real code it was never trained on, and for thirty small situations (playground);
       reports how often it is right, with 95 % intervals, beside what costs nothing and what came before
make   chooses the spans of the built-in set anew: places only, no code
bring  downloads the packages that the set points into, pinned and checksummed, into a folder of the user

Options of run:
  --set NAME             builtin (default), playground, or a file that "make" wrote
  --weights PATH         a GGUF file (default: the built-in model)
  --against PATH         other weights, asked the same in turn; differences are paired
  --address H:P          ask a running router instead; then also:
${reachHelp}
  --spans N              only so many spans, spread over the set
  --out DIR              results, report as JSON and as a page (default reports/eval/SET)
  --resume               go on with an interrupted run in DIR
  --keep-text            write the texts into the results too
  --json                 one JSON object instead of tables

Options of make:
  --seed N               the same seed chooses the same places (default 1)
  --times N              so many times as many places (default 1)
  --out FILE             default: the built-in set

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
    ...reachOptions(io.env),
    spans: { type: "string" },
    seed: { type: "string", default: "1" },
    times: { type: "string", default: "1" },
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
  if (verb === "make")
    return make(io, {
      seed: whole("seed", String(values.seed), 0, 2 ** 31),
      times: whole("times", String(values.times), 1, 100),
      out: given("out") ?? builtinSetPath(),
    });
  return runEval(io, {
    set: existsSync(String(values.set)) ? String(values.set) : oneOf("set", String(values.set), ["builtin", "playground"]),
    weights: given("weights") ?? builtInModel(),
    against: given("against"),
    reach: values.address === undefined ? undefined : reachOf(values.address, values),
    spans: values.spans === undefined ? undefined : whole("spans", String(values.spans), 1, 1_000_000),
    out: given("out") ?? join("reports", "eval", basename(String(values.set))),
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

async function make(io: Io, { seed, times, out }: { seed: number; times: number; out: string }): Promise<number> {
  const folder = sourcesFolder(io.env);
  const found = readSources().map((source) => ({ source, root: findSource(source, folder) }));
  const absent = found.filter(({ root }) => root === undefined).map(({ source }) => source.package);
  if (absent.length > 0) throw new SlipstreamError("not_found", `"slipstream eval bring" first; not here: ${absent.join(", ")}`);
  const here = found.flatMap(({ source, root }) => (root === undefined ? [] : [{ source, root }]));
  const parsers = await Parsers.open();
  const perCell = {
    typescript: spansPerCell.typescript * times,
    javascript: spansPerCell.javascript * times,
    python: spansPerCell.python * times,
    go: spansPerCell.go * times,
  };
  const references = makeSet({ seed, spansPerCell: perCell }, { parsers, found: here, progress: (name) => io.complain(name) });
  writeFileSync(out, formatSet(references));
  io.out(`${references.length} spans of ${new Set(references.map((one) => one.package)).size} packages → ${out}\n`);
  return 0;
}

function whole(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max)
    throw new SlipstreamError("invalid_request", `--${option}: "${text}" is not a whole number between ${min} and ${max}`, {
      field: option,
    });
  return value;
}
