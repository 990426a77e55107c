// wire: the router made: settings and the outside (clock, chance, bus, links) in, a router that runs triggers out. This file and
// wire-fleet.ts, which makes the way to the workers, are the only ones that say `new` for a room. The gRPC and HTTP servers
// (main.ts), `slipstream up` and the simulation all start here.
import { setMaxListeners } from "node:events";
import { Cache } from "./cache/cache.ts";
import type { Report } from "./completion.ts";
import { ContextRoom } from "./context/context.ts";
import { Explain } from "./explain/explain.ts";
import { endingOf, Feedback } from "./feedback/feedback.ts";
import { Outbox } from "./feedback/outbox.ts";
import { MemorySpool } from "./feedback/spool.ts";
import { Gate } from "./gate/gate.ts";
import { Admission, Ingress, Quotas } from "./ingress/ingress.ts";
import type { Rooms } from "./path.ts";
import { Peers } from "./peers/peers.ts";
import { Policy, type Route } from "./policy/policy.ts";
import { PromptRoom } from "./prompt/prompt.ts";
import { Reuse } from "./reuse/reuse.ts";
import type { Router, RouterDeps, WireOptions } from "./router.ts";
import { runner } from "./running.ts";
import { busyShare, Settle } from "./settle/settle.ts";
import { Stream } from "./stream/stream.ts";
import { Value } from "./value/value.ts";
import { wireFleet } from "./wire-fleet.ts";

export function wireRouter(options: WireOptions, deps: RouterDeps): Router {
  const { clock, random, log, metrics, bus } = deps;
  const policy = new Policy({ path: options.policy, everyMs: 1_000, tenantsMax: 10_000 }, { clock, log, metrics });
  const { fleet, queue, dispatch, prewarm, discovery, place, predict, pools, poolOf } = wireFleet(options, {
    ...{ clock, random, log, metrics, bus, connect: deps.connect, resolver: deps.resolver },
    leased: (exception) => peers.lease(exception),
  });
  const peers: Peers = new Peers(
    {
      router: options.name,
      ...{ shards: 64, shardIdleMs: 300_000, loadEveryMs: 1_000, sessionsMax: 20_000, routersMax: 256 },
    },
    {
      clock,
      bus,
      metrics,
      superseded: (document, rank) => rooms.settle.superseded(document, rank),
      leased: (lease) => fleet.leaseElsewhere(lease),
      ...{ pools, poolOf, revisionOf: (worker) => fleet.revision(worker) },
    },
  );
  const quotas = new Quotas({ tenantsMax: 10_000 }, { clock, metrics, granted: (tenant) => policy.of(tenant).quotas });
  const value = new Value({ poolsMax: 32, tenantsMax: 50, languagesMax: 40 }, { metrics });
  const rooms: Rooms = {
    clock,
    quotas,
    reuse: new Reuse({ documentsMax: 20_000, textsMax: 8, ttlMs: 300_000 }, { clock }),
    gate: new Gate(
      { floor: 0.15, cap: 0.5, waitShareMax: 0.5, aheadInUseMax: 0.2, documentsMax: 20_000 },
      { inUse: (model) => fleet.inUse(model) },
    ),
    settle: new Settle(
      { pauseMaxMs: options.settleMs, sessionsMax: options.sessionsMax, router: options.name },
      {
        clock,
        metrics,
        taken: (trigger, rank) => peers.taken(trigger, rank),
        load: (model, tenant) => ({
          busy: Math.min(busyShare(fleet.snapshot(), model), queue.busyShare(tenant)),
          answerMs: queue.answerMs("inline", tenant),
        }),
      },
    ),
    context: new ContextRoom(
      { chunksMax: 6, scanUtf16Max: 64 << 10, scansBytes: 24 << 20, chosenBytes: 16 << 20, timeMs: 2, order: "kept" },
      { clock, excludes: (tenant, path) => policy.of(tenant).excludes(path) },
    ),
    prompt: new PromptRoom({}, { metrics }),
    cache: new Cache({ bytesMax: options.resultCacheBytes, entriesMax: 50_000, ttlMs: 600_000 }, { clock, metrics }),
    queue,
    fleet,
    ...{ place, predict },
    ...{ dispatch, prewarm },
    stream: new Stream({ linesMax: 12, leastConfidence: options.leastConfidence }),
    bill: (trigger, pool) => value.open(trigger, pool),
    retried: (when) => metrics.worker_retries_total.inc({ when }),
    failedAt: (worker, { lane }, { model }) => peers.failed(model, lane, worker),
    fallbacks: (tenant, model) => fallbacksOf(policy.of(tenant).route(model)?.fallback),
    shortened: (how) => metrics.shortened_total.inc({ how }),
    late: (lane) => metrics.queue_refused_total.inc({ lane, why: "late" }),
  };
  deps.measured?.(rooms);
  const spool = deps.spool ?? new MemorySpool({ bytesMax: 32 << 20, recordsMax: 20_000 });
  const outbox = new Outbox(
    { router: options.name, everyMs: 100, batchMax: 256, bytesMax: 512 << 10, unspooledMax: 64, retryMs: 500 },
    { clock, bus, spool, log, metrics },
  );
  const reported = (report: Report) => rooms.gate.observe(report, clock.now());
  const explain = new Explain({ max: options.explainMax, notableMax: 200, slowMs: options.otlpSlowMs }, { clock });
  const feedback = new Feedback(
    { completionsMax: 50_000, keepText: (tenant) => policy.of(tenant).keepText ?? options.keepText },
    { clock, random, log, outbox, metrics, reported, value, refused: (trigger, ending) => explain.refused(trigger, ending) },
  );
  const run = runner(
    rooms,
    { explains: options.explainMax > 0, tail: { slowMs: options.otlpSlowMs, share: options.otlpShare } },
    { clock, random, feedback, explain, peers, tracing: deps.tracing },
  );
  const ingress = new Ingress(
    {
      documentBytesMax: options.documentBytesMax,
      documentsMax: options.documentsMax,
      sessionsMax: options.sessionsMax,
      resumeTtlMs: options.resumeTtlMs,
      resumeBytes: options.resumeBytes,
      deadlines: { autoMs: options.autoDeadlineMs, invokedMs: options.invokedDeadlineMs, chatMs: options.chatDeadlineMs },
    },
    {
      ...{ clock, random, metrics, quotas, ...(deps.keys ? { keys: deps.keys } : {}) },
      admission: new Admission({
        quotas,
        terms: (tenant) => policy.of(tenant),
        serves: (name) => fleet.model(name) !== undefined,
      }),
    },
  );
  const draining = deps.draining ?? never();
  return {
    rooms,
    ingress,
    feedback,
    explain,
    policy,
    peers,
    bus,
    outcomesWaiting: () => outbox.waiting,
    clock,
    log,
    get draining() {
      return draining();
    },
    random,
    metrics,
    farewells: {
      connectionAgeMaxMs: options.connectionAgeMaxMs,
      noticeMs: Math.min(options.connectionNoticeMs, options.graceMs / 2),
    },
    run,
    refused: (call, thrown) => feedback.refused(call, endingOf(thrown)),
    models: (tenant) =>
      policy.of(tenant).models ??
      [...new Set(fleet.snapshot().workers.flatMap((worker) => worker.models.map((model) => model.name)))].sort(),
    missing: () => (dispatch.links.ready > 0 ? [] : ["worker"]),
    close: async () => {
      ingress.close();
      queue.close();
      discovery.close();
      prewarm.close();
      dispatch.close();
      policy.close();
      peers.close();
      await outbox.close();
    },
  };
}

/** Pools of the tiers after this one: fleets know pools and models. */
function fallbacksOf(route: Route | undefined): readonly string[] {
  return route ? [...route.pools, ...fallbacksOf(route.fallback)] : [];
}

/** A signal that every session may listen to, and that nobody aborts. */
function never(): () => AbortSignal {
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  return () => signal;
}
