// k6: `slipstream bench k6`: a scenario of loadtest/ run by the real k6 against a target. Options in, the report and k6's own exit code
// out (99: a limit was crossed). Traces are made, a target is started on any port, k6's output is read as it comes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { workingTrace } from "../../sim/trace/working.ts";
import { formatTrace } from "../../sim/trace/written.ts";
import { ownSources } from "../keys/sources.ts";
import type { Records } from "../records/records.ts";
import { Gathered } from "./gathered.ts";
import { type K6Report, reportOf, type Summary } from "./report.ts";
import type { Scenario } from "./scenarios.ts";
import { startTarget, type TargetOptions } from "./target.ts";

export interface K6Options extends Omit<TargetOptions, "sources"> {
  readonly scenario: Scenario;
  /** The program. */
  readonly k6: string;
  /** Trace files to type; none: made of this package's sources. */
  readonly traces: readonly string[];
  readonly seconds?: number;
  /** Sessions a second that begin. */
  readonly rate?: number;
  /** Seconds that a session types. */
  readonly session?: number;
  /** Limits by the name of the scripts' settings. */
  readonly limits: Readonly<Record<string, string>>;
  readonly token: string;
  /** Ask over HTTP too, where a scenario does. */
  readonly withHttp: boolean;
  /** Stop the first worker's process after a quarter of the run. */
  readonly stall: boolean;
}

interface Deps {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly records: Records;
}

const tracesMade = 24;
const keysEach = 220;
/** Between stretches of code in seconds, not minutes: a session is short, and is to be typing. */
const habits = { thinkMedianMs: 3_000, thinkSigma: 0.8 } as const;
const sampleMs = 1_000;
const warmMs = 1_500;
const saidMax = 40;
/** Of each timer of a session that k6 ends with the run: nothing that a person could do about. */
const interrupted = /was stopped because the VU iteration was interrupted/;
/** Of the scenarios that last no longer. */
const usualSeconds = 40;

export async function benchK6(options: K6Options, deps: Deps): Promise<{ readonly exit: number; readonly report: K6Report }> {
  const folder = mkdtempSync(join(tmpdir(), "slipstream-k6-"));
  const sources = ownSources();
  const target = await startTarget({ ...options, sources });
  const rss: [number, number][] = [];
  const sampling = new AbortController();
  try {
    const traces = options.traces.length > 0 ? options.traces : made(folder, options.seed);
    const summaryPath = join(folder, "summary.json");
    const gathered = new Gathered(options.scenario, deps.records);
    await systemClock.sleep(warmMs, deps.signal);
    const begunMs = systemClock.now();
    void sample(() => {
      const mib = target.rssMib();
      if (mib !== undefined) rss.push([(systemClock.now() - begunMs) / 1_000, mib]);
    }, sampling.signal);
    deps.say(`${options.scenario} against ${target.name}`);
    const stallMs = ((options.seconds ?? usualSeconds) * 1_000) / 4;
    using _stalling = systemClock.timer(options.stall ? stallMs : Number.MAX_SAFE_INTEGER, () => target.stall());
    const exit = await ran(options, { ...target, traces, summaryPath, gathered }, deps);
    const summary = summaryIn(summaryPath);
    if (!summary) throw new SlipstreamError("unavailable", `k6 ended with ${exit} and no summary`);
    const name = `${target.name}${options.stall ? ", one worker stopped after a quarter" : ""}`;
    const report = reportOf(options, { target: name, exit, summary, gathered, rss });
    return { exit: report.exit, report };
  } finally {
    sampling.abort();
    await target.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As the workers know them: this package's own sources. */
function made(folder: string, seed: number): string[] {
  const sources = ownSources();
  return Array.from({ length: tracesMade }, (_, nth) => {
    const path = join(folder, `${nth}.ndjson`);
    const some = sources.filter((_, at) => at % tracesMade === nth % tracesMade || (at + nth) % 11 === 0);
    writeFileSync(
      path,
      formatTrace(workingTrace({ sources: some.length > 0 ? some : sources, seed: seed * 1_000 + nth, keys: keysEach, habits })),
    );
    return path;
  });
}

interface Running {
  readonly grpc: string;
  readonly http: string;
  readonly traces: readonly string[];
  readonly summaryPath: string;
  readonly gathered: Gathered;
}

async function ran(options: K6Options, { grpc, http, traces, summaryPath, gathered }: Running, deps: Deps): Promise<number> {
  const root = packageRoot();
  const settings = {
    ...{
      GRPC: grpc,
      HTTP: options.withHttp ? http : "",
      TRACES: traces.join(","),
      PROTO: join(root, "proto"),
      SUMMARY: summaryPath,
      TOKEN: options.token,
      SEED: String(options.seed),
    },
    ...(options.seconds === undefined ? {} : { SECONDS: String(options.seconds) }),
    ...(options.rate === undefined ? {} : { RATE: String(options.rate) }),
    ...(options.session === undefined ? {} : { SESSION: String(options.session) }),
    ...options.limits,
  };
  // Settings go by the environment, which no list of processes shows: a key may be among them.
  const words = ["run", "--quiet", "--no-color", "--no-usage-report", "--include-system-env-vars", "--out", "json=-"];
  const child = spawn(options.k6, [...words, join(root, "loadtest", `${options.scenario}.js`)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: "/usr/bin:/bin", HOME: tmpdir(), ...settings },
  });
  // As a person's Ctrl-C: k6 ends its scenarios and still says what it measured.
  const stop = () => void child.kill("SIGINT");
  deps.signal.addEventListener("abort", stop, { once: true });
  let said = 0;
  const told = createInterface({ input: child.stderr }).on("line", (line) => {
    if (interrupted.test(line)) return;
    said += 1;
    if (said <= saidMax) deps.say(line);
    else if (said === saidMax + 1) deps.say("… k6 says more of the same");
  });
  const over = once(child, "exit").catch((thrown: Error) => {
    throw new SlipstreamError("unavailable", `k6 (${options.k6}) cannot be started: ${thrown.message}`, { cause: thrown });
  });
  const reading = (async () => {
    for await (const line of createInterface({ input: child.stdout })) gathered.line(line);
  })();
  const [code] = (await over) as [number | null];
  await reading;
  told.close();
  deps.signal.removeEventListener("abort", stop);
  return code ?? 70;
}

async function sample(take: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    take();
    await systemClock.sleep(sampleMs, signal).catch(() => {});
  }
}

function summaryIn(path: string): Summary | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Summary;
  } catch {
    return undefined;
  }
}
