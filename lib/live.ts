// live: what a router tells of itself each second, as lines of JSON on its admin port (/live): made by router/console, drawn by
// console/live and `slipstream status --watch`. Counters grow from the router's start; figures of a moment are as they are. Names and
// numbers alone, never code text.

/** What it counts; kept for some minutes, so that who comes later sees what was. */
export interface LiveFrame {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** First texts of inline triggers, by the bounds of LiveHead; the last is beyond all of them. */
  readonly firstText: readonly number[];
  readonly outcomes: Readonly<Record<string, number>>;
  readonly queued: Readonly<Record<string, number>>;
  /** What an inline trigger that came now would wait for a worker. */
  readonly waitMs: number;
  readonly promptTokens: { readonly cached: number; readonly computed: number };
  readonly drafts: { readonly accepted: number; readonly rejected: number };
  /** Milliseconds of engine time by what became of the text; tokens where no engine says its time. */
  readonly spent: Readonly<Record<string, number>>;
  /** Seconds of the workers' slots: in use, idle though something waited (wanted), idle. */
  readonly slots: Readonly<Record<string, number>>;
}

export interface LiveWorker {
  readonly name: string;
  readonly pool: string;
  readonly models: readonly string[];
  readonly slots: number;
  readonly running: number;
  readonly leases: number;
  readonly draining: boolean;
  readonly barred: boolean;
  readonly prefillTokensPerSecond: number;
  readonly stepMs: number;
  readonly speculation?: {
    readonly sources: readonly string[];
    readonly why: string;
    readonly acceptance: number;
    readonly positions: readonly { readonly drafted: number; readonly accepted: number }[];
  };
}

export interface LiveTenant {
  readonly of: string;
  readonly engineMs: number;
  readonly tokens: number;
  readonly shares: Readonly<Record<string, number>>;
  readonly accepted: number;
}

/** As it is now. */
export interface LiveNow {
  readonly ready: boolean;
  readonly missing: readonly string[];
  readonly uptimeS: number;
  readonly links: { readonly ready: number; readonly all: number };
  readonly sessions: number;
  readonly workers: readonly LiveWorker[];
  readonly tenants: readonly LiveTenant[];
  readonly policy: { readonly path: string; readonly version: number; readonly problem?: string | undefined };
  readonly bus: {
    readonly connected: boolean;
    readonly routers: readonly { readonly router: string }[];
    readonly outcomesWaiting: number;
  };
  /** What is wrong with keys or certificates, a sentence each. */
  readonly problems: readonly string[];
}

/** The first line. */
export interface LiveHead {
  readonly router: string;
  readonly version: string;
  /** Another one after a restart: counters began anew. */
  readonly startedAt: number;
  readonly everyMs: number;
  /** Upper bounds in ms of all but the last of `firstText`. */
  readonly boundsMs: readonly number[];
  /** 95 % of first texts are to come within. */
  readonly targetMs: number;
}

export type LiveLine =
  | { readonly head: LiveHead }
  | { readonly past: readonly LiveFrame[] }
  | { readonly frame: LiveFrame; readonly now: LiveNow };

/** Linear within a bucket; beyond the last bound it is that bound, as no more is known. */
export function quantileOf(counts: readonly number[], boundsMs: readonly number[], q: number): number | null {
  const total = counts.reduce((sum, each) => sum + each, 0);
  if (total <= 0) return null;
  let below = 0;
  for (const [i, count] of counts.entries()) {
    const [floor, bound] = [boundsMs[i - 1] ?? 0, boundsMs[i]];
    if (count > 0 && below + count >= q * total)
      return bound === undefined ? floor : floor + ((bound - floor) * (q * total - below)) / count;
    below += count;
  }
  return boundsMs.at(-1) ?? null;
}
