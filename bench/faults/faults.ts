// faults: `slipstream bench faults`: what people see when one of several workers is killed, frozen or slowed under load. Sessions
// ask at a fixed rate through a real router; each fault has a phase before it, one while it lasts and one after. Every process is
// a child of this one and ends with it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../lib/clock.ts";
import { createKey } from "../../lib/keys/key.ts";
import { keyLine } from "../../lib/keys/key-ring.ts";
import { systemRandom } from "../../lib/random.ts";
import { percentile } from "../../sim/statistics.ts";
import { BenchProcess } from "../keys/process.ts";
import type { Records } from "../records/records.ts";
import { type Answered, askSessions } from "../router/callers.ts";
import type { RouterFigures, RouterOrders } from "../router/router-process.ts";
import type { FaultWorkerOrders } from "./worker-process.ts";

export const faultNames = ["kill", "freeze", "slow"] as const;
export type FaultName = (typeof faultNames)[number];
const phases = ["before", "during", "after"] as const;
type Phase = (typeof phases)[number];

export interface FaultsOptions {
  readonly faults: readonly FaultName[];
  readonly workers: number;
  readonly slots: number;
  /** Triggers a second, of all sessions. */
  readonly rate: number;
  readonly sessions: number;
  readonly deadlineMs: number;
  readonly phaseSeconds: number;
}

interface Deps {
  readonly records?: Records;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface PhaseFigures {
  readonly triggers: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Ended in an error or without an answer while the deadline was not over. */
  readonly failures: number;
  /** No text within the deadline. */
  readonly expired: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
}

export interface FaultReport {
  readonly fault: FaultName;
  readonly phases: Readonly<Record<Phase, PhaseFigures>>;
  /** What the router did about it. */
  readonly hedges: number;
  readonly retries: number;
  readonly continued: number;
  readonly breakers_opened: number;
}

const warmupMs = 4_000;
/** An answer comes within its deadline, and a client that lost its connection is back. */
const restMs = 1_500;

export async function benchFaults(options: FaultsOptions, deps: Deps): Promise<readonly FaultReport[]> {
  const folder = mkdtempSync(join(tmpdir(), "slipstream-bench-"));
  const key = createKey(systemRandom());
  const keysFile = join(folder, "keys");
  writeFileSync(keysFile, `${keyLine("bench", key, undefined)}\n`, { mode: 0o600 });
  const fleet = new FaultyFleet(options);
  let router: BenchProcess | undefined;
  const asking = new AbortController();
  try {
    const orders: RouterOrders = { workers: await fleet.start(), keysFile };
    const started = await BenchProcess.start("router", orders, [], "router");
    router = started.process;
    const answers: Answered[] = [];
    const begunMs = systemClock.now();
    const answered = (answer: Answered) => {
      answers.push(answer);
      const { askedMs, outcome, totalMs, text } = answer;
      deps.records?.add("faults", { t_ms: Math.round(askedMs - begunMs), outcome, total_ms: totalMs, text });
    };
    const running = askSessions(
      { ...options, address: started.address, key: key.text, tokens: 24, documentBytes: 4_096 },
      { answered, signal: asking.signal },
    );
    await systemClock.sleep(warmupMs, deps.signal);
    const reports: FaultReport[] = [];
    for (const [nth, fault] of options.faults.entries()) {
      const report = await strike(fault, nth, { options, fleet, router, answers, deps });
      deps.say(`${fault}: ${phases.map((phase) => summary(phase, report.phases[phase])).join("; ")}`);
      reports.push(report);
    }
    asking.abort(new Error("the bench is over"));
    await running;
    return reports;
  } finally {
    asking.abort(new Error("the bench is over"));
    await Promise.all([router?.end(), fleet.end()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Scene {
  readonly options: FaultsOptions;
  readonly fleet: FaultyFleet;
  readonly router: BenchProcess;
  readonly answers: Answered[];
  readonly deps: Deps;
}

async function strike(fault: FaultName, nth: number, { options, fleet, router, answers, deps }: Scene): Promise<FaultReport> {
  const phaseMs = options.phaseSeconds * 1_000;
  const target = nth % options.workers;
  const before = (await router.take<RouterFigures>()).figures;
  const sinceMs = systemClock.now();
  await systemClock.sleep(phaseMs, deps.signal);
  const struckMs = systemClock.now();
  fleet.strike(target, fault);
  await systemClock.sleep(phaseMs, deps.signal);
  await fleet.heal(target, fault);
  const healedMs = systemClock.now();
  await systemClock.sleep(phaseMs, deps.signal);
  const untilMs = systemClock.now();
  await systemClock.sleep(Math.max(restMs, options.deadlineMs + 250), deps.signal);
  const after = (await router.take<RouterFigures>()).figures;
  const within = (from: number, to: number) =>
    figuresOf(
      answers.filter(({ askedMs }) => askedMs >= from && askedMs < to),
      options,
    );
  return {
    fault,
    phases: {
      before: within(sinceMs, struckMs),
      during: within(struckMs, healedMs),
      after: within(healedMs, untilMs),
    },
    hedges: after.hedges - before.hedges,
    retries: after.retries - before.retries,
    continued: after.continued - before.continued,
    breakers_opened: after.opened - before.opened,
  };
}

function figuresOf(answers: readonly Answered[], { deadlineMs }: FaultsOptions): PhaseFigures {
  const outcomes: Record<string, number> = {};
  for (const { outcome } of answers) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const times = answers.flatMap(({ text, totalMs }) => (text ? [totalMs] : []));
  const round = (value: number) => (Number.isNaN(value) ? 0 : Math.round(value * 10) / 10);
  return {
    triggers: answers.length,
    outcomes,
    failures: answers.filter(({ outcome, totalMs }) => (outcome === "failed" || outcome === "lost") && totalMs < deadlineMs).length,
    expired: outcomes["expired"] ?? 0,
    p50_ms: round(percentile(times, 0.5)),
    p95_ms: round(percentile(times, 0.95)),
  };
}

function summary(phase: Phase, { triggers, failures, expired, p95_ms }: PhaseFigures): string {
  return `${phase} ${failures} of ${triggers} failed, ${expired} late, p95 ${p95_ms} ms`;
}

/** The workers, and what is done to them. */
class FaultyFleet {
  readonly #options: FaultsOptions;
  readonly #workers: { process: BenchProcess; readonly port: number }[] = [];

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** Addresses. */
  async start(): Promise<string[]> {
    const addresses: string[] = [];
    for (let nth = 0; nth < this.#options.workers; nth++) {
      const { process, address } = await this.#run(nth, 0);
      this.#workers.push({ process, port: Number(address.split(":").at(-1)) });
      addresses.push(address);
    }
    return addresses;
  }

  strike(nth: number, fault: FaultName): void {
    this.#at(nth).process.signal(fault === "kill" ? "SIGKILL" : fault === "freeze" ? "SIGSTOP" : "SIGUSR2");
  }

  /** A killed worker is started again where it was. */
  async heal(nth: number, fault: FaultName): Promise<void> {
    const worker = this.#at(nth);
    if (fault === "kill") worker.process = (await this.#run(nth, worker.port)).process;
    else worker.process.signal(fault === "freeze" ? "SIGCONT" : "SIGUSR2");
  }

  async end(): Promise<void> {
    // A frozen process hears nothing else.
    for (const { process } of this.#workers) process.signal("SIGCONT");
    await Promise.all(this.#workers.map(({ process }) => process.end()));
  }

  #at(nth: number) {
    return this.#workers[nth] as { process: BenchProcess; readonly port: number };
  }

  #run(nth: number, port: number) {
    const orders: FaultWorkerOrders = { name: `w${nth}`, slots: this.#options.slots, port };
    return BenchProcess.start("worker", orders, [], "faults");
  }
}
