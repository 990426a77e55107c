// eval-run: what `slipstream eval run` was told in, the systems asked and the report written and printed out.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { absent, playgroundSet, spanSet, spread } from "../learn/evaluation/asked.ts";
import { baselineNames, baselines } from "../learn/evaluation/baselines.ts";
import { curveOf } from "../learn/evaluation/confidence.ts";
import { pageOf, type Report } from "../learn/evaluation/page.ts";
import { Parsers } from "../learn/evaluation/parser.ts";
import { playgroundOf } from "../learn/evaluation/playing.ts";
import { slicesOf } from "../learn/evaluation/report.ts";
import { ResultsFile } from "../learn/evaluation/results.ts";
import { runEvaluation, type System } from "../learn/evaluation/running.ts";
import { builtinSetPath } from "../learn/evaluation/sets.ts";
import { sourcesFolder } from "../learn/evaluation/sources.ts";
import { confidenceTable, playgroundTable, tableOf } from "../learn/evaluation/table.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Asking } from "./asking.ts";
import type { Io } from "./command.ts";
import type { Reach } from "./reaching.ts";

export interface RunOptions {
  /** "builtin", "playground" or a file. */
  readonly set: string;
  readonly weights: string;
  readonly against: string | undefined;
  /** A router that runs already; undefined: one of this process. */
  readonly reach: Reach | undefined;
  readonly spans: number | undefined;
  readonly out: string;
  readonly resume: boolean;
  readonly keepText: boolean;
  readonly json: boolean;
}

export async function runEval(io: Io, given: RunOptions): Promise<number> {
  const interrupted = new AbortController();
  io.on("SIGINT", () => interrupted.abort(new SlipstreamError("cancelled", "interrupted")));
  const parsers = await Parsers.open();
  const set =
    given.set === "playground"
      ? playgroundSet(parsers)
      : spanSet(given.set === "builtin" ? builtinSetPath() : given.set, sourcesFolder(io.env));
  const chosen = given.spans === undefined ? set.asked : spread(set.asked, given.spans);
  if (chosen.length === 0)
    throw new SlipstreamError("not_found", 'none of the code the set points into is here; "slipstream eval bring" brings it');
  if (set.missing.length > 0)
    io.complain(
      `${set.missing.length} spans are left out, their code is not here ("slipstream eval bring" brings it): ${absent(set).join(", ")}`,
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
  const names = Object.keys(weights);
  const done = chosen.every(({ hole }) => names.every((name) => results.has(hole.id, name)));
  const ask = (systems: readonly System[]) =>
    runEvaluation({ asked: chosen, systems, keepText: given.keepText }, { parsers, results, signal: interrupted.signal, progress });
  const complete = done || (await withSystems(given, ask));
  const playground = given.set === "playground" ? playgroundOf(results.rows, names) : undefined;
  const slices = playground ? undefined : slicesOf(results.rows, names);
  const confidence = slices && curveOf(results.rows, names[0] ?? "");
  const report: Report = {
    set: given.set,
    spans: chosen.length,
    missing: set.missing.length,
    complete,
    weights,
    ...(playground ? { playground } : {}),
    ...(slices && confidence ? { slices, confidence } : {}),
  };
  writeFileSync(join(given.out, "report.json"), `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(join(given.out, "report.html"), pageOf(report));
  if (given.json) io.out(`${JSON.stringify(report)}\n`);
  else {
    if (playground) io.out(playgroundTable(playground));
    if (slices && confidence) io.out(`${tableOf(slices)}\n${confidenceTable(confidence)}`);
    io.complain(`the whole report: ${join(given.out, "report.html")}`);
  }
  if (complete) return 0;
  io.complain("interrupted; the same command with --resume goes on");
  return 130;
}

/** What each system is: the model first, then what it is compared with. */
function weightsOf({ reach, weights, against }: RunOptions): Readonly<Record<string, string>> {
  return {
    model: reach?.address ?? digestOfFile(weights),
    ...(against === undefined ? {} : { previous: digestOfFile(against) }),
    ...Object.fromEntries(baselineNames.map((name) => [name, "baseline"])),
  };
}

async function withSystems<T>(given: RunOptions, use: (systems: readonly System[]) => Promise<T>): Promise<T> {
  // Router, worker and engine are loaded only by a run that asks.
  const { askBaseline, askLocally, askRouter } = await import("./asking.ts");
  const open: [name: string, asking: Asking][] = [];
  try {
    open.push(["model", given.reach === undefined ? await askLocally(given.weights) : askRouter(given.reach)]);
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
