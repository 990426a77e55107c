// router: what a router is made of, what it is given and by which settings: the nouns of wiring. Made by wire.ts, served by
// service.ts, session-service.ts and the pages.
import type { Bus } from "../lib/bus/bus.ts";
import type { Clock } from "../lib/clock.ts";
import type { KeyRing } from "../lib/keys/key-ring.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { Tracing } from "../lib/tracing/tracing.ts";
import type { RouterConfig } from "./config.ts";
import type { Resolver } from "./discovery/discovery.ts";
import type { Connect } from "./dispatch/dispatch.ts";
import type { Explain } from "./explain/explain.ts";
import type { FarewellOptions } from "./farewell.ts";
import type { Feedback, Spool, Unadmitted } from "./feedback/feedback.ts";
import type { Ingress } from "./ingress/ingress.ts";
import type { RouterMetrics } from "./metrics.ts";
import type { Rooms } from "./path.ts";
import type { Peers } from "./peers/peers.ts";
import type { Policy } from "./policy/policy.ts";
import type { Run } from "./running.ts";

export interface RouterDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: RouterMetrics;
  readonly bus: Bus;
  /** Where outcomes wait; absent: in memory. */
  readonly spool?: Spool;
  /** Absent: no names are looked up. */
  readonly resolver?: Resolver;
  readonly connect: Connect;
  /** API keys as they are now; absent: everyone is the default tenant. */
  readonly keys?: () => KeyRing;
  /** Aborts when sessions are to connect anew: they are told and ended. Another one when that was taken back. */
  readonly draining?: () => AbortSignal;
  /** Where traces go; absent: nothing is traced. */
  readonly tracing?: Pick<Tracing, "send">;
  /** For measurements: is given the rooms before the first trigger. */
  readonly measured?: (rooms: Rooms) => void;
}

export type WireOptions = Pick<
  RouterConfig,
  | "name"
  | "policy"
  | "workers"
  | "workersDns"
  | "workersDnsEveryMs"
  | "settleMs"
  | "autoDeadlineMs"
  | "invokedDeadlineMs"
  | "chatDeadlineMs"
  | "documentBytesMax"
  | "documentsMax"
  | "sessionsMax"
  | "resumeTtlMs"
  | "resumeBytes"
  | "connectionAgeMaxMs"
  | "connectionNoticeMs"
  | "graceMs"
  | "queueMax"
  | "queueBytes"
  | "resultCacheBytes"
  | "warmBytes"
  | "explainMax"
  | "keepText"
  | "otlpSlowMs"
  | "otlpShare"
  | "leastConfidence"
>;

export interface Router {
  readonly rooms: Rooms;
  readonly ingress: Ingress;
  readonly feedback: Feedback;
  readonly explain: Explain;
  readonly policy: Policy;
  readonly peers: Peers;
  readonly bus: Pick<Bus, "connected">;
  /** Outcomes that the bus has not stored yet. */
  readonly outcomesWaiting: () => number;
  readonly clock: Clock;
  readonly log: Log;
  /** Of streams that begin now. */
  readonly draining: AbortSignal;
  readonly random: Random;
  readonly metrics: RouterMetrics;
  readonly farewells: FarewellOptions;
  readonly run: Run;
  /** Counts a call that ingress refused as the outcome it is. */
  refused(call: Unadmitted, thrown: unknown): void;
  /** Names that `model` of a tenant's call may have now. */
  models(tenant: string): readonly string[];
  /** What it still waits for before it can serve; empty: ready. */
  missing(): readonly string[];
  /** Resolves when the last outcomes are where they can be. */
  close(): Promise<void>;
}
