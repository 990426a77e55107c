// router: `slipstream bench router`: what a router costs and adds. A client (this process), a router and workers that keep time
// are processes of their own on loopback; generations come at a fixed rate, most through the router and every so often one
// straight to a worker's link, in the same run: added is the difference of their quantiles.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { systemClock } from "../../lib/clock.ts";
import { createKey } from "../../lib/keys/key.ts";
import { keyLine } from "../../lib/keys/key-ring.ts";
import { systemRandom } from "../../lib/random.ts";
import { percentile } from "../../sim/statistics.ts";
import { BenchProcess } from "../keys/process.ts";
import type { Records } from "../records/records.ts";
import { callers, type Way } from "./callers.ts";
import { Direct, type Times } from "./direct.ts";
import { doubtsOf, type MachineShare, machineMeter, sharesOf } from "./machine.ts";
import type { RouterFigures, RouterOrders } from "./router-process.ts";
import type { ScheduleFigures, ScheduleOrders } from "./worker-process.ts";

export interface RouterBenchOptions {
  readonly ways: readonly Way[];
  /** Generations a second. */
  readonly rates: readonly number[];
  readonly seconds: number;
  readonly tokens: number;
  readonly documentBytes: number;
  readonly workers: number;
  /** Where to write a profile of the router's CPU. */
  readonly profile?: string;
}

interface Deps {
  readonly records?: Records;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

export interface RouterRow {
  readonly way: Way;
  readonly rate: number;
  readonly generations: number;
  readonly not_generated: number;
  /** Of the router's process, user and system, over the generations it carried. */
  readonly cpu_ms_per_generation: number;
  /** Of one core. */
  readonly cpu_share: number;
  /** Resident set of the router's process when the row ended. */
  readonly router_rss_mib: number;
  readonly first_ms: { readonly router: Quantiles; readonly direct: Quantiles };
  readonly total_ms: { readonly router: Quantiles; readonly direct: Quantiles };
  readonly added_first_ms: Quantiles;
  readonly added_total_ms: Quantiles;
  readonly router_loop_delay_ms_p99: number;
  /** How late this process and the workers' came to their own work. */
  readonly client_loop_delay_ms_p99: number;
  readonly worker_late_ms_max: number;
  readonly outcome_events: number;
  readonly hedges: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly machine: MachineShare;
  /** Why its figures say nothing of the router; empty: they do. */
  readonly invalid: readonly string[];
}

const schedule = { firstMs: 20, everyMs: 3 } as const;
const warmupSeconds = 2;
/** A router's code is compiled in its first thousands of generations: at a low rate a few seconds would measure just that. */
const compiling = { rate: 400, seconds: 8 } as const;
/** One generation of so many goes straight to a worker. */
const directEvery = 5;
/** So that a session has its answer before it asks again, also where that is late. */
const sessionEveryMs = 1_000;
const sessionsMax = 1_000;
const settleMs = 1_000;

export async function benchRouter(options: RouterBenchOptions, deps: Deps): Promise<readonly RouterRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "slipstream-bench-"));
  const key = createKey(systemRandom());
  const keysFile = join(folder, "keys");
  writeFileSync(keysFile, `${keyLine("bench", key, undefined)}\n`, { mode: 0o600 });
  const processes: BenchProcess[] = [];
  const rows: RouterRow[] = [];
  try {
    const { tokens, workers: count, profile } = options;
    const orders: ScheduleOrders = { workers: count, ...schedule, tokens };
    const workers = await BenchProcess.start("worker", orders, [], "router");
    processes.push(workers.process);
    const flags = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
    const routerOrders: RouterOrders = { workers: workers.addresses, keysFile };
    const router = await BenchProcess.start("router", routerOrders, flags, "router");
    processes.push(router.process);
    const made = { address: router.address, key: key.text, addresses: workers.addresses };
    const parts = { router: router.process, workers: workers.process, ...made };
    for (const way of options.ways) {
      await warmed({ ...options, way, ...compiling }, parts, deps.signal);
      for (const rate of options.rates) {
        deps.signal.throwIfAborted();
        rows.push(await measured({ ...options, way, rate }, parts, deps));
      }
    }
    return rows;
  } finally {
    await Promise.all(processes.map((each) => each.end()));
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Run extends RouterBenchOptions {
  readonly way: Way;
  readonly rate: number;
}

interface Parts {
  readonly router: BenchProcess;
  readonly workers: BenchProcess;
  readonly address: string;
  readonly key: string;
  readonly addresses: readonly string[];
}

function asker({ way, rate, tokens, documentBytes }: Run, { address, key }: Parts): ReturnType<(typeof callers)[Way]> {
  const sessions = Math.min(sessionsMax, Math.max(8, Math.ceil((rate * sessionEveryMs) / 1_000)));
  return callers[way]({ address, key, sessions, tokens, documentBytes });
}

async function warmed(run: Run, parts: Parts, signal: AbortSignal): Promise<void> {
  const asking = asker(run, parts);
  const direct = new Direct(parts.addresses);
  try {
    await systemClock.sleep(settleMs, signal);
    await send(run, run.seconds, asking, direct, signal);
  } finally {
    asking.close();
    direct.close();
  }
}

async function measured(run: Run, parts: Parts, { say, signal, records }: Deps): Promise<RouterRow> {
  const { way, rate, seconds } = run;
  const asking = asker(run, parts);
  const direct = new Direct(parts.addresses);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  try {
    await systemClock.sleep(settleMs, signal);
    await send(run, warmupSeconds, asking, direct, signal);
    const before = await parts.router.take<RouterFigures>();
    await parts.workers.take<ScheduleFigures>();
    delay.enable();
    const machine = machineMeter();
    const times = await send(run, seconds, asking, direct, signal, records);
    delay.disable();
    const after = await parts.router.take<RouterFigures>();
    const workers = await parts.workers.take<ScheduleFigures>();
    const row = rowOf(run, times, {
      ...{ before: before.figures, after: after.figures, spent: after.spent, workers: workers.figures },
      machine: machine({ router: after.spent.cpuMs, workers: workers.spent.cpuMs }),
      clientDelayMs: delay.percentile(99) / 1e6,
    });
    say(
      `${way} at ${rate}/s: ${row.cpu_ms_per_generation} ms CPU a generation, adds p50 ${row.added_total_ms.p50} p99 ${row.added_total_ms.p99} ms; ${sharesOf(row.machine)}`,
    );
    if (row.invalid.length > 0) say(`  not valid: ${row.invalid.join("; ")}`);
    return row;
  } finally {
    asking.close();
    direct.close();
  }
}

interface Sent {
  readonly router: Times[];
  readonly direct: Times[];
  missed: number;
}

/** Open loop: a generation is due when it is due, whatever became of those before. */
async function send(
  run: Run,
  seconds: number,
  asking: ReturnType<(typeof callers)[Way]>,
  direct: Direct,
  signal: AbortSignal,
  records?: Records,
): Promise<Sent> {
  const { rate, tokens, documentBytes } = run;
  const sent: Sent = { router: [], direct: [], missed: 0 };
  const text = "x".repeat(documentBytes);
  const running = new Set<Promise<void>>();
  const track = (work: Promise<void>) => {
    const tracked = work.finally(() => running.delete(tracked));
    running.add(tracked);
  };
  const startMs = systemClock.now();
  const count = Math.round(rate * seconds);
  for (let due = 0; due < count; ) {
    await systemClock.sleep(1, signal);
    for (const until = ((systemClock.now() - startMs) * rate) / 1_000; due < count && due < until; due++) {
      const nth = asked++;
      const t_ms = Math.round(systemClock.now() - startMs);
      track(
        asking.ask(nth).then((times) => {
          records?.add(`${run.way} ${rate}`, {
            ...{ t_ms, outcome: times ? "generated" : "none" },
            ...{ first_text_ms: times?.firstMs, total_ms: times?.totalMs },
          });
          if (times) sent.router.push(times);
          else sent.missed += 1;
        }),
      );
      if (due % directEvery === 0) track(direct.generate(text, tokens).then((times) => void sent.direct.push(times)));
    }
  }
  await Promise.race([Promise.all(running), systemClock.sleep(10_000, signal)]);
  return sent;
}

/** Over all runs: no name is typed twice. */
let asked = 0;

const round = (value: number, digits = 3) => (Number.isFinite(value) ? Math.round(value * 10 ** digits) / 10 ** digits : 0);
const quantiles = (values: readonly number[]): Quantiles => ({
  p50: round(percentile(values, 0.5)),
  p99: round(percentile(values, 0.99)),
});
const less = (a: Quantiles, b: Quantiles): Quantiles => ({ p50: round(a.p50 - b.p50), p99: round(a.p99 - b.p99) });

function rowOf(
  { way, rate, tokens }: Run,
  { router, direct, missed }: Sent,
  figures: {
    readonly before: RouterFigures;
    readonly after: RouterFigures;
    readonly spent: { readonly cpuMs: number; readonly wallMs: number; readonly rssMib: number };
    readonly workers: ScheduleFigures;
    readonly machine: MachineShare;
    readonly clientDelayMs: number;
  },
): RouterRow {
  const of = (times: readonly Times[], which: keyof Times) => quantiles(times.map((each) => each[which]));
  const first = { router: of(router, "firstMs"), direct: of(direct, "firstMs") };
  const total = { router: of(router, "totalMs"), direct: of(direct, "totalMs") };
  const { before, after, spent, machine } = figures;
  const floorMs = schedule.firstMs + (tokens - 1) * schedule.everyMs;
  return {
    machine,
    invalid: doubtsOf({ asked: router.length + missed, answered: router.length, direct: total.direct.p50, floorMs }, machine),
    ...{ way, rate, generations: router.length, not_generated: missed },
    cpu_ms_per_generation: round(spent.cpuMs / Math.max(1, router.length)),
    cpu_share: round(spent.cpuMs / spent.wallMs),
    router_rss_mib: round(spent.rssMib, 0),
    first_ms: first,
    total_ms: total,
    added_first_ms: less(first.router, first.direct),
    added_total_ms: less(total.router, total.direct),
    router_loop_delay_ms_p99: round(after.loopDelayP99Ms),
    client_loop_delay_ms_p99: round(figures.clientDelayMs),
    worker_late_ms_max: round(figures.workers.lateMs),
    outcome_events: after.eventsSent - before.eventsSent,
    hedges: after.hedges - before.hedges,
    outcomes: Object.fromEntries(
      Object.entries(after.outcomes).map(([name, count]) => [name, count - (before.outcomes[name] ?? 0)]),
    ),
  };
}
