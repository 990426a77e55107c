// report: what a run of this bench counted in, its figures and their page out. Pure.
import { quantile } from "../../lib/structures/quantiles.ts";
import type { OutcomeBatch } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import type { Pair } from "./pairs.ts";
import type { Calls } from "./roamer.ts";

/** When NATS was not there, as far as routers saw it. */
export interface Away {
  readonly fromMs: number;
  /** The server runs again. */
  readonly backMs: number;
  /** Both routers are on it again. */
  readonly toMs: number;
  /** Both routers said so meanwhile. */
  readonly degraded: boolean;
}

interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface FleetReport {
  readonly triggers: number;
  /** By the client's own count. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly supersede: {
    /** Keys that came to the other router while the older one's text was being decoded, with NATS there. */
    readonly pairs: number;
    /** Of them, those whose older text was decoded to its end. */
    readonly missed: number;
    /** From the newer key's arrival to the engine's being told to stop; to its having stopped; what of it is the engine's step. */
    readonly abort_ms: Spread | null;
    /** Of that, until the older one's router had heard of it. */
    readonly told_ms: Spread | null;
    readonly stopped_ms: Spread | null;
    readonly engine_ms: Spread | null;
    /** The same keys while NATS was away, which nobody could retire. */
    readonly pairs_while_away: number;
  };
  readonly nats: { readonly away_ms: number; readonly joined_after_ms: number; readonly degraded_said: boolean };
  readonly stream: {
    readonly outcomes: number;
    readonly distinct_triggers: number;
    /** Every trigger has its outcome there, once, and nothing else has one. */
    readonly equal: boolean;
    /** Batches of each router in the order of their numbers. */
    readonly in_order: boolean;
  };
}

export function reportOf({
  calls,
  away,
  pairs,
  batches,
}: {
  calls: Calls;
  away: Away;
  pairs: readonly Pair[];
  batches: readonly OutcomeBatch[];
}): FleetReport {
  const there = pairs.filter(({ atMs }) => atMs < away.fromMs || atMs > away.toMs);
  const stopped = there.flatMap(({ toldMs, abortMs, stoppedMs }) =>
    toldMs === undefined || abortMs === undefined || stoppedMs === undefined ? [] : [{ toldMs, abortMs, stoppedMs }],
  );
  const ids = batches.flatMap(({ outcomes }) => outcomes.map(({ triggerId }) => triggerId));
  const distinct = new Set(ids);
  return {
    triggers: calls.asked.size,
    outcomes: Object.fromEntries([...calls.outcomes].sort()),
    failed: calls.outcomes.get("failed") ?? 0,
    failures: calls.failures,
    supersede: {
      pairs: there.length,
      missed: there.length - stopped.length,
      abort_ms: spread(stopped.map(({ abortMs }) => abortMs)),
      told_ms: spread(stopped.map(({ toldMs }) => toldMs)),
      stopped_ms: spread(stopped.map(({ stoppedMs }) => stoppedMs)),
      engine_ms: spread(stopped.map(({ abortMs, stoppedMs }) => stoppedMs - abortMs)),
      pairs_while_away: pairs.length - there.length,
    },
    nats: {
      away_ms: Math.round(away.backMs - away.fromMs),
      joined_after_ms: Math.round(away.toMs - away.backMs),
      degraded_said: away.degraded,
    },
    stream: {
      outcomes: ids.length,
      distinct_triggers: distinct.size,
      equal: ids.length === calls.asked.size && [...calls.asked].every((id) => distinct.has(id)),
      in_order: inOrder(batches),
    },
  };
}

function inOrder(batches: readonly OutcomeBatch[]): boolean {
  const last = new Map<string, bigint>();
  for (const { router, batchId } of batches) {
    if (batchId < (last.get(router) ?? 0n)) return false;
    last.set(router, batchId);
  }
  return true;
}

function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const [p50, p99, max] = [quantile(values, 0.5), quantile(values, 0.99), Math.max(...values)].map(
    (ms) => Math.round(ms * 100) / 100,
  );
  return { p50, p99, max } as Spread;
}

export function pageOf(report: FleetReport): string {
  const { supersede, nats, stream, outcomes } = report;
  const ms = (name: string, of: Spread | null) =>
    `  ${name.padEnd(46)} ${of ? `p50 ${of.p50} · p99 ${of.p99} · max ${of.max} ms` : "none"}`;
  const ends = Object.entries(outcomes)
    .map(([outcome, count]) => `${outcome} ${count}`)
    .join(", ");
  return `${[
    `${report.triggers} triggers: ${ends}`,
    ...report.failures.map((failure) => `  ${failure}`),
    "",
    `the next key at the other router, ${supersede.pairs} times while the older text was decoded (${supersede.missed} ran to the end):`,
    ms("arrival → engine told to stop the older one", supersede.abort_ms),
    ms("  of that until its router had heard of it", supersede.told_ms),
    ms("arrival → engine has stopped", supersede.stopped_ms),
    ms("  of that the engine's own step", supersede.engine_ms),
    "",
    `NATS was killed and away for ${nats.away_ms} ms: ${report.failed} triggers failed; routers ${nats.degraded_said ? "said so" : "did NOT say so"} and were back ${nats.joined_after_ms} ms after it`,
    `outcomes on the stream: ${stream.outcomes} of ${report.triggers} triggers, ${stream.distinct_triggers} distinct: ${stream.equal ? "every trigger exactly once" : "NOT every trigger once"}${stream.in_order ? ", in order" : ", NOT in order"}`,
  ].join("\n")}\n`;
}
