// scaling: the nouns of deciding how many workers a pool shall have. What routers say each second, what is there, what a spec allows
// and what was remembered go in; how many, why, from which figures and what to remember come out. Plain data, all of it.
import type { ReasonWord } from "./api/conditions.ts";
import type { Judged } from "./pool.ts";

/** What all routers together said of the pool's own lane in one second. */
export interface LoadSecond {
  /** Its end, wall-clock. */
  readonly atMs: number;
  /** In system: placed nowhere yet, and with a worker. */
  readonly queued: number;
  readonly inFlight: number;
  readonly arrivals: number;
  /** Of those: turned away for load before any worker was asked; absent: none. */
  readonly shed?: number;
  /** Workers that routers could place on: what was in flight was spread over them. */
  readonly workers: number;
  /** 95 of 100 first texts came within it, as routers measured; undefined: there was none. */
  readonly firstTextP95Ms?: number | undefined;
}

/** What holds a GPU for the pool now, or held up one that starts. */
export interface Supply {
  /** Serve. */
  readonly ready: number;
  /** Since when each worker starts that does not serve yet. */
  readonly startingSinceMs: readonly number[];
  /** Take nothing new and end. */
  readonly leaving: number;
  /** When workers began to serve, and how long after their pod was made: those of late, the newest last. */
  readonly starts: readonly { readonly readyMs: number; readonly tookMs: number }[];
  /** Workers of two revisions are there. */
  readonly rollingOut: boolean;
}

/** What the spec of a pool allows; times in ms. */
export interface ScalingRules {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** For the first useful text at the router, at p95: the network's share is taken off. */
  readonly targetMs: number;
  /** Generations that a worker runs at once. */
  readonly slots: number;
  readonly headroom: "Auto" | number;
  readonly seasonality: "None" | "Daily" | "Weekly";
  readonly schedules: readonly Schedule[];
  readonly holdMs: number;
  readonly step: number;
  readonly spareReplicas: number;
  /** A worker that starts for longer is not counted on. */
  readonly startDeadlineMs: number;
}

export interface Schedule {
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly durationMs: number;
  readonly minReplicas: number;
}

export interface ScalingSeen {
  readonly nowMs: number;
  /** When this operator began to lead: for one cold start after it nothing leaves. */
  readonly ledSinceMs: number;
  /** Whole seconds, oldest first: all since `memory` was written, as far as they are known. Those known already do no harm. */
  readonly seconds: readonly LoadSecond[];
  readonly supply: Supply;
  readonly rules: ScalingRules;
  /** Workers that are wanted now, as the status says; undefined: this is the first decision. */
  readonly wanted: number | undefined;
  /** As a decision before returned it; undefined, or another release's: nothing is remembered. */
  readonly memory: string | undefined;
}

/** The figures that a decision is made from, for people: each 0 where it is not known. */
export interface ScalingInputs {
  /** Triggers a second now, and as expected when a worker that is asked for now would serve. */
  readonly loadRps: number;
  readonly forecastRps: number;
  /** Triggers a second that a worker serves within the target. */
  readonly sloCapacityRps: number;
  /** Headroom in standard deviations of the load. */
  readonly headroomBeta: number;
  readonly queued: number;
  readonly coldStartP90Ms: number;
  /** First useful text at p95 with the workers there are, as the model has it. */
  readonly predictedP95Ms: number;
  /** The same with one worker less. */
  readonly predictedOneLessMs: number;
}

export interface ScalingVerdict {
  readonly wanted: number;
  readonly reason: ReasonWord;
  /** A sentence with the figures. */
  readonly message: string;
  readonly inputs: ScalingInputs;
  /** ScalingActive, and CapacityAvailable where workers do not come. */
  readonly conditions: readonly Judged[];
  /** To be kept in status, and given back next time. */
  readonly memory: string;
  /** The memory holds what no later second brings back: to be written now. Else a minute may pass. */
  readonly remember: boolean;
}
