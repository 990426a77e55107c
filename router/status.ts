// status: the router as a person wants to see it now: links, workers, queue, outcomes and latency. Served as JSON on the admin
// port, drawn by the status page and by `slipstream status`. Figures come from the router's own metrics; no code text.
import type { Registry } from "../lib/metrics.ts";
import type { FilesState } from "../lib/watched-files.ts";
import type { Speculation } from "./completion.ts";
import type { PeerView } from "./peers/peers.ts";
import type { PolicyState } from "./policy/policy.ts";
import type { Router } from "./router.ts";
import { type ValueRow, type Sample as ValueSample, valueRows } from "./value-status.ts";

export interface Status {
  readonly version: string;
  readonly router: string;
  readonly ready: boolean;
  readonly missing: readonly string[];
  readonly uptimeS: number;
  readonly links: { readonly ready: number; readonly all: number };
  readonly workers: readonly {
    readonly name: string;
    readonly pool: string;
    readonly models: readonly string[];
    readonly slots: number;
    readonly outstanding: number;
    readonly running: number;
    readonly draining: boolean;
    readonly prefillTokensPerSecond: number;
    readonly stepMs: number;
    /** Absent: the engine does not speculate, or does not say. */
    readonly speculation?: Speculation;
    /** Sessions whose beginnings it holds. */
    readonly leases: number;
    /** Left alone for a while, as its generations end badly. */
    readonly barred: boolean;
  }[];
  readonly queued: number;
  /** Share of all slots that stood idle of late while something waited for one. */
  readonly idleShare: number;
  readonly policy: PolicyState;
  /** Signals between routers; away: each serves by what it sees itself, and outcomes wait. */
  readonly bus: { readonly connected: boolean; readonly routers: readonly PeerView[]; readonly outcomesWaiting: number };
  readonly outcomes: Readonly<Record<string, number>>;
  /** Of inline triggers since the start, interpolated from the histogram; null before the first. */
  readonly firstTextMs: { readonly p50: number | null; readonly p95: number | null };
  readonly promptTokens: { readonly cached: number; readonly recomputed: number };
  /** What became of the engine time spent, by pool, by tenant and by language. */
  readonly value: readonly ValueRow[];
  /** Keys and certificates: whether what is used is what their files say. */
  readonly files: readonly FilesState[];
}

interface Sample extends ValueSample {
  readonly metricName?: string;
}

export async function statusOf(
  router: Router,
  options: {
    name: string;
    version: string;
    startedMs: number;
    files: readonly FilesState[];
    /** What it waits for, and that it drains. */
    missing: readonly string[];
  },
  registry: Registry,
): Promise<Status> {
  const samples = async (name: string): Promise<readonly Sample[]> =>
    (await registry.getSingleMetric(`slipstream_router_${name}`)?.get())?.values ?? [];
  const outcomes: Record<string, number> = {};
  for (const { labels, value } of await samples("outcomes_total"))
    outcomes[String(labels["outcome"])] = (outcomes[String(labels["outcome"])] ?? 0) + value;
  const kv = new Map((await samples("prompt_tokens_total")).map(({ labels, value }) => [labels["kv"], value]));
  const firstText = (await samples("first_text_seconds")).filter(({ labels }) => labels["lane"] === "inline");
  const value = await valueRows(samples);
  return {
    value,
    version: options.version,
    router: options.name,
    ready: options.missing.length === 0,
    missing: options.missing,
    uptimeS: Math.round((router.clock.now() - options.startedMs) / 1000),
    links: router.rooms.dispatch.links,
    workers: router.rooms.fleet
      .snapshot()
      .workers.map(
        ({ name, pool, models, slots, outstanding, running, draining, prefillTokensPerSecond, stepMs, speculation, leases }) => ({
          name,
          leases,
          barred: router.rooms.dispatch.bars(name),
          pool,
          models: models.map((model) => model.name),
          slots,
          outstanding,
          running,
          draining,
          prefillTokensPerSecond: Math.round(prefillTokensPerSecond),
          stepMs: Math.round(stepMs * 100) / 100,
          ...(speculation && { speculation: { ...speculation, acceptance: Math.round(speculation.acceptance * 100) / 100 } }),
        }),
      ),
    queued: router.rooms.queue.length,
    idleShare: Math.round(router.rooms.queue.idleShare * 1_000) / 1_000,
    policy: router.policy.state,
    bus: { connected: router.bus.connected, routers: router.peers.others, outcomesWaiting: router.outcomesWaiting() },
    outcomes,
    firstTextMs: { p50: bucketQuantile(firstText, 0.5), p95: bucketQuantile(firstText, 0.95) },
    promptTokens: { cached: kv.get("cached") ?? 0, recomputed: kv.get("recomputed") ?? 0 },
    files: options.files,
  };
}

/** A quantile in ms from cumulative buckets in seconds, linear within a bucket; past the last finite one, that one's bound. */
function bucketQuantile(samples: readonly Sample[], q: number): number | null {
  const buckets = samples
    .filter(({ metricName }) => metricName?.endsWith("_bucket"))
    .map(({ labels, value }) => ({ le: Number(labels["le"] === "+Inf" ? Number.POSITIVE_INFINITY : labels["le"]), value }));
  const total = buckets.at(-1)?.value ?? 0;
  if (total === 0) return null;
  let [below, floor] = [0, 0];
  for (const { le, value } of buckets) {
    if (value >= q * total) {
      if (!Number.isFinite(le)) break;
      return Math.round((floor + ((le - floor) * (q * total - below)) / (value - below)) * 10_000) / 10;
    }
    [below, floor] = [value, le];
  }
  return floor * 1_000;
}
