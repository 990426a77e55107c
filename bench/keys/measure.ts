// measure: one stand in, the figures of one window of it out. docs/operations/bench-keys.md says what each figure means.
import { mean, percentile } from "../../sim/statistics.ts";
import type { Window } from "./stand.ts";
import { type ValueFigures, valueFigures } from "./value.ts";
import { coldOf, type WasteCause, wasteBy, wasteKept } from "./waste.ts";

export { wasteCauses } from "./waste.ts";

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

export interface Figures {
  readonly sessions: number;
  readonly seconds: number;
  readonly load_share: number;
  readonly keys: number;
  readonly triggers: number;
  readonly generations: number;
  /** Asked ahead of the person, of idle workers. */
  readonly generations_ahead: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly answered_without_generation_share: number;
  /** Triggers that got text, of all. */
  readonly answered_share: number;
  /** Triggers whose text came before the next key. */
  readonly fresh_share: number;
  readonly waste_share: number;
  /** The same of what keys asked for, and of what was asked ahead of them; and how much that is of all. */
  readonly waste_share_of_keys: number;
  readonly waste_share_ahead: number;
  readonly ahead_token_share: number;
  /** What `waste_share` is made of: shares of all tokens that add up to it. */
  readonly waste_by: Readonly<Record<WasteCause, number>>;
  /** Of it, prompt tokens that the document's next generation found where they were computed: wasted, and not computed twice. */
  readonly waste_kept_share: number;
  /** Prompts of which more than half was computed, and those of them whose text reached nobody. */
  readonly cold_prompts: { readonly all: number; readonly wasted: number };
  readonly tokens_per_trigger: number;
  /** By the router's own metrics: engine time and tokens by what became of their text. */
  readonly value: ValueFigures;
  readonly abort_ms: Quantiles;
  /** Before that: from the router's Cancel to the engine's abort. */
  readonly abort_issued_ms: Quantiles;
  readonly recomputed_tokens_per_key: { readonly mean: number; readonly p95: number; readonly p99: number };
  readonly first_text_ms: { readonly p50: number; readonly p95: number };
  readonly typed_ahead_ms_p99: number;
  readonly typed_ahead_client_ms_p99: number;
  readonly router_added_ms: Quantiles;
  readonly router_loop_delay_ms_p99: number;
  readonly router_cpu_share: number;
  readonly router_cpu_ms_per_trigger: number;
  readonly router_cpu_ms_per_generation: number;
  readonly router_rss_mib: number;
  /** Of all keys, those that followed text that stood there. */
  readonly agreement_measured: number;
  /** The same of those keys that text stood before. */
  readonly agreement_where_text: number;
  /** What clients saw that a router must never do: a second answer, text after it, parts that do not make the whole. */
  readonly violations: number;
}

const round = (value: number, digits = 3) => (Number.isFinite(value) ? Math.round(value * 10 ** digits) / 10 ** digits : 0);
const quantiles = (values: readonly number[]): Quantiles => ({
  p50: round(percentile(values, 0.5)),
  p99: round(percentile(values, 0.99)),
});

export function figuresOf(window: Window, sessions: number, violations: readonly string[]): Figures {
  const { client, router, workers, reached } = window;
  const costs = workers.flatMap((worker) => worker.costs);
  const tokens = (of: typeof costs) => of.reduce((sum, { recomputed, completion }) => sum + recomputed + completion, 0);
  const waste = (of: typeof costs) => round(tokens(of.filter(({ id }) => !reached.has(id))) / Math.max(1, tokens(of)), 4);
  const all = Math.max(1, tokens(costs));
  const asked = costs.filter(({ lane }) => lane !== "speculative");
  const ahead = costs.filter(({ lane }) => lane === "speculative");
  const known = (client.outcomes["typed_ahead"] ?? 0) + (client.outcomes["cached"] ?? 0) + (client.outcomes["joined"] ?? 0);
  // A key that no worker computed for recomputed nothing.
  const recomputed = asked.map((cost) => cost.recomputed);
  const perKey = [...recomputed, ...Array.from({ length: Math.max(0, client.keys - asked.length) }, () => 0)];
  const { cpuMs } = router.spent;
  const before = quantiles(router.beforeMs);
  const after = quantiles(router.afterMs);
  return {
    sessions,
    seconds: round(window.wallMs / 1_000, 1),
    load_share: round(window.loadShare),
    keys: client.keys,
    triggers: client.triggers,
    generations: asked.length,
    generations_ahead: ahead.length,
    outcomes: client.outcomes,
    answered_without_generation_share: round(known / Math.max(1, client.triggers)),
    answered_share: round((known + (client.outcomes["generated"] ?? 0)) / Math.max(1, client.triggers)),
    fresh_share: round(client.fresh / Math.max(1, client.triggers)),
    waste_share: waste(costs),
    waste_share_of_keys: waste(asked),
    waste_share_ahead: waste(ahead),
    ahead_token_share: round(tokens(ahead) / all),
    waste_by: rounded(wasteBy(window)),
    waste_kept_share: round(wasteKept(window), 4),
    cold_prompts: coldOf(window),
    tokens_per_trigger: round(tokens(costs) / Math.max(1, client.triggers), 1),
    value: valueFigures(window.value),
    abort_ms: quantiles(workers.flatMap((worker) => worker.abortMs)),
    abort_issued_ms: quantiles(issuedMs(window)),
    recomputed_tokens_per_key: {
      mean: round(mean(perKey), 1),
      p95: round(percentile(perKey, 0.95), 0),
      p99: round(percentile(perKey, 0.99), 0),
    },
    first_text_ms: { p50: round(percentile(client.firstTextMs, 0.5), 1), p95: round(percentile(client.firstTextMs, 0.95), 1) },
    typed_ahead_ms_p99: round(percentile(client.typedAheadMs, 0.99)),
    typed_ahead_client_ms_p99: round(percentile(client.typedAheadClientMs, 0.99)),
    // Of two parts of one way the sum of the quantiles is no less than the quantile of the sum nearly always.
    router_added_ms: { p50: round(before.p50 + after.p50), p99: round(before.p99 + after.p99) },
    router_loop_delay_ms_p99: round(router.loopDelayP99Ms),
    router_cpu_share: round(cpuMs / router.spent.wallMs),
    router_cpu_ms_per_trigger: round(cpuMs / Math.max(1, client.triggers)),
    router_cpu_ms_per_generation: round(cpuMs / Math.max(1, asked.length)),
    router_rss_mib: round(router.spent.rssMib, 0),
    agreement_measured: round(client.keysThatFollow / Math.max(1, client.keys)),
    agreement_where_text: round(client.keysThatFollow / Math.max(1, client.keysWithText)),
    violations: violations.length,
  };
}

/** From the router's Cancel to the engine's abort, of those that are told of by both. */
function issuedMs({ router, workers }: Window): number[] {
  const issued = new Map(router.cancels.map(({ id, atMs }) => [id, atMs]));
  return workers.flatMap(({ stops }) =>
    stops.flatMap(({ id, atMs }) => {
      const sinceMs = issued.get(id);
      return sinceMs === undefined ? [] : [atMs - sinceMs];
    }),
  );
}

const rounded = (by: Readonly<Record<WasteCause, number>>) =>
  Object.fromEntries(Object.entries(by).map(([cause, share]) => [cause, round(share, 4)])) as Record<WasteCause, number>;
