// cost: what a router takes of a processor for one generation of streamed tokens, and what it adds to it, in real time: ours
// (bench/router) and every peer in turn, round after round, before workers that keep time. Open loop: a generation is due when it is
// due. Auth is on where a router can ask: a key that every request shows.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../lib/clock.ts";
import { percentile } from "../../sim/statistics.ts";
import { BenchProcess } from "../keys/process.ts";
import type { Program } from "../programs.ts";
import { benchRouter } from "../router/router.ts";
import { HttpEndpoint, keptAlive } from "./http-endpoint.ts";
import { busyMax, busyMeter, calm } from "./machine.ts";
import { PeerProcess } from "./peer-process.ts";
import type { PeerName } from "./peer-table.ts";
import type { ScheduledOrders } from "./scheduled-process.ts";
import type { State } from "./state.ts";

/** Of one round, or the medians of all. */
export interface Cost {
  readonly cpu_ms_per_generation: number;
  readonly added_p50_ms: number;
  readonly added_p99_ms: number;
  readonly rss_mib: number;
  readonly auth: boolean;
  readonly busy: number;
}

export interface CostOptions {
  readonly rounds: number;
  readonly rate: number;
  readonly seconds: number;
  readonly documentBytes: number;
}

interface Deps {
  readonly program: (name: PeerName) => Program | undefined;
  readonly state: State;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

const schedule = { workers: 4, firstMs: 20, everyMs: 3, tokens: 16 } as const;
/** Of every five generations one goes to a worker itself. */
const directEvery = 5;
const warmupSeconds = 2;
const attemptsMax = 2;
const key = "bench-key";
const asks: ReadonlySet<PeerName> = new Set(["smg cache_aware", "envoy least_request"]);
const measuredPeers: readonly PeerName[] = ["smg cache_aware", "vllm-router cache_aware", "envoy least_request"];

/** By name; "slipstream" is a session of an editor, "slipstream (Generate)" a message a token. */
export async function measureCost(options: CostOptions, deps: Deps): Promise<Map<string, Cost>> {
  const found = new Map<string, Cost[]>();
  const add = (name: string, nth: number, cost: Cost) => {
    const all = found.get(name) ?? [];
    all.push(cost);
    found.set(name, all);
    const { cpu_ms_per_generation: cpu, added_p50_ms: p50, added_p99_ms: p99, busy } = cost;
    deps.say(
      `cost, round ${nth + 1} of ${options.rounds}, ${name}: ${cpu} ms CPU a generation, adds p50 ${p50} p99 ${p99} ms; machine ${(100 * busy).toFixed(0)} % busy${busy > busyMax ? ", NOT VALID" : ""}`,
    );
  };
  for (let nth = 0; nth < options.rounds; nth++) {
    const once = async (name: string, measure: () => Promise<Cost>) =>
      add(name, nth, await deps.state.once({ kind: "cost", name, nth, ...options }, () => quietly(measure, deps)));
    await once("slipstream", () => ours("session", options, deps));
    await once("slipstream (Generate)", () => ours("generate", options, deps));
    for (const name of measuredPeers) {
      const program = deps.program(name);
      if (program) await once(name, () => theirs(name, program, options, deps));
    }
  }
  return new Map([...found].map(([name, costs]) => [name, median(costs)]));
}

/** When others leave the machine; once more where they came back. */
async function quietly(measure: () => Promise<Cost>, { say, signal }: Deps): Promise<Cost> {
  for (let attempt = 1; ; attempt++) {
    await calm({ clock: systemClock, say, signal });
    const cost = await measure();
    if (cost.busy <= busyMax || attempt === attemptsMax) return cost;
    say(`the machine was ${(100 * cost.busy).toFixed(0)} % busy, more than ${100 * busyMax} %: once more`);
  }
}

async function ours(way: "session" | "generate", options: CostOptions, { signal }: Deps): Promise<Cost> {
  const { rate, seconds, documentBytes } = options;
  const [row] = await benchRouter(
    { ways: [way], rates: [rate], seconds, tokens: schedule.tokens, documentBytes, workers: schedule.workers },
    { say: () => {}, signal },
  );
  if (!row) throw signal.reason;
  const { router, workers, client, others } = row.machine;
  return {
    cpu_ms_per_generation: row.cpu_ms_per_generation,
    ...{ added_p50_ms: row.added_total_ms.p50, added_p99_ms: row.added_total_ms.p99 },
    ...{ rss_mib: row.router_rss_mib, auth: true, busy: round(router + workers + client + others) },
  };
}

async function theirs(name: PeerName, { path }: Program, options: CostOptions, { signal }: Deps): Promise<Cost> {
  const folder = mkdtempSync(join(tmpdir(), "slipstream-cost-"));
  const orders: ScheduledOrders = { ...schedule, key };
  const { process: workers, addresses } = await BenchProcess.start("scheduled", orders, [], "peers");
  const agent = keptAlive();
  let peer: PeerProcess | undefined;
  try {
    const ports = addresses.map((address) => Number(address.split(":").at(-1)));
    const auth = asks.has(name);
    const asked = { program: path, workers: ports, model: "scheduled", folder, ...(auth && { key }) };
    peer = await PeerProcess.start(name, asked, signal);
    const through = new HttpEndpoint({ port: peer.port, model: "scheduled", key }, { agent });
    const straight = ports.map((port) => new HttpEndpoint({ port, model: "scheduled" }, { agent }));
    await send({ ...options, seconds: warmupSeconds }, through, straight, signal);
    const meter = busyMeter();
    peer.spent();
    const sent = await send(options, through, straight, signal);
    const { cpuMs, rssMib } = peer.spent();
    const of = (share: number) => percentile(sent.through, share) - percentile(sent.straight, share);
    return {
      cpu_ms_per_generation: round(cpuMs / Math.max(1, sent.through.length)),
      ...{ added_p50_ms: round(of(0.5)), added_p99_ms: round(of(0.99)), rss_mib: round(rssMib, 0), auth, busy: round(meter()) },
    };
  } finally {
    agent.destroy();
    await peer?.end();
    await workers.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Sent {
  readonly through: number[];
  readonly straight: number[];
}

async function send(
  { rate, seconds, documentBytes }: CostOptions,
  through: HttpEndpoint,
  straight: readonly HttpEndpoint[],
  signal: AbortSignal,
): Promise<Sent> {
  const sent: Sent = { through: [], straight: [] };
  const line = "const before = compute(first, second, third);\n";
  const body = line.repeat(Math.ceil(documentBytes / line.length));
  const startMs = systemClock.now();
  const running = new Set<Promise<void>>();
  const ask = (endpoint: HttpEndpoint, nth: number, times: number[]) => {
    const session = `s${nth % Math.max(8, rate)}`;
    const sinceMs = systemClock.now();
    const over = endpoint
      .complete(
        { prompt: `// ${session}\n${body}const v${nth} = `, maxTokens: schedule.tokens, stop: [], session },
        signal,
        () => {},
      )
      .then(() => void times.push(systemClock.now() - sinceMs))
      .catch(() => {})
      .finally(() => running.delete(over));
    running.add(over);
  };
  for (let due = 0; due < rate * seconds; ) {
    await systemClock.sleep(1, signal);
    for (const until = ((systemClock.now() - startMs) * rate) / 1_000; due < rate * seconds && due < until; due++) {
      ask(through, due, sent.through);
      if (due % directEvery === 0) ask(straight[(due / directEvery) % straight.length] as HttpEndpoint, due, sent.straight);
    }
  }
  await Promise.race([Promise.all(running), systemClock.sleep(10_000, signal)]);
  return sent;
}

const round = (value: number, digits = 3) => (Number.isFinite(value) ? Math.round(value * 10 ** digits) / 10 ** digits : 0);

function median(costs: readonly Cost[]): Cost {
  const valid = costs.filter(({ busy }) => busy <= busyMax);
  const used = valid.length > 0 ? valid : costs;
  const of = (name: "cpu_ms_per_generation" | "added_p50_ms" | "added_p99_ms" | "rss_mib" | "busy") =>
    round(
      percentile(
        used.map((cost) => cost[name]),
        0.5,
      ),
    );
  return {
    ...{ cpu_ms_per_generation: of("cpu_ms_per_generation"), added_p50_ms: of("added_p50_ms"), added_p99_ms: of("added_p99_ms") },
    ...{ rss_mib: of("rss_mib"), busy: of("busy"), auth: used[0]?.auth ?? false },
  };
}
