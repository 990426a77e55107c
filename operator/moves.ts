// moves: the nouns of changing what serves: which workers leave, how a revision takes the place of another, whether tokens are guessed,
// and who gets GPUs that are too few. Plain data: what is seen in, what is decided out.
import type { ReasonWord } from "./api/conditions.ts";

/** One worker, as far as leaving is concerned. */
export interface WorkerSeen {
  readonly name: string;
  readonly isReady: boolean;
  readonly bornMs: number;
  /** Since when routers place nothing on it; undefined: it stays. */
  readonly leavingSinceMs?: number | undefined;
  /** Generations that routers have with it; undefined: nobody said. */
  readonly inFlight?: number | undefined;
  /** What its KV cache is worth: sessions that live there, or blocks that are reused; more is worth more. */
  readonly kvValue: number;
}

/** Two phases: a worker is drained, and released when nothing is in flight or its time is over. */
export interface Leaving {
  /** Routers place nothing new on these from now on. */
  readonly drain: readonly string[];
  /** They drain, and are wanted again. */
  readonly recall: readonly string[];
  /** They may go: lowest deletion cost first, then so many replicas fewer. */
  readonly release: readonly string[];
}

export interface RolloutSeen {
  readonly strategy: "Auto" | "Surge" | "HandOff";
  /** GPUs for one more worker; undefined: not known, as where nodes are added on demand. */
  readonly freePlaces: number | undefined;
  readonly ready: number;
  /** First useful text at p95 with one worker less (ScalingInputs); undefined: no figures. */
  readonly predictedOneLessMs: number | undefined;
  readonly targetMs: number;
}

/** Surge: a new worker before an old one leaves. HandOff: leases first, then the old one's GPU. Wait: neither may be now. */
export interface RolloutWay {
  readonly way: "Surge" | "HandOff" | "Wait";
  readonly reason: ReasonWord;
  readonly message: string;
}

/** What one revision's workers do, of late; undefined: too little is known of it. */
export interface RevisionFigures {
  readonly p95Ms?: number | undefined;
  /** Triggers that had text from it, whose deadline passed with it, and generations that it ended badly; absent: nobody says. */
  readonly texts?: number | undefined;
  readonly expired?: number | undefined;
  readonly failed?: number | undefined;
  readonly acceptance?: number | undefined;
  /** Of its containers, since the canary began. */
  readonly restarts: number;
  /** Its pods; absent: one. */
  readonly pods?: number | undefined;
}

export interface CanarySeen {
  readonly nowMs: number;
  /** When all its workers served. */
  readonly sinceMs: number;
  readonly holdMs: number;
  readonly abortOn: readonly ("SLOMissed" | "AcceptanceLow" | "Restarts" | "Failures")[];
  readonly targetMs: number;
  readonly minAcceptance: number | undefined;
  readonly fresh: RevisionFigures;
  readonly old: RevisionFigures;
}

export interface CanaryVerdict {
  readonly verdict: "hold" | "promote" | "abort";
  readonly reason: ReasonWord;
  readonly message: string;
}

export interface SpeculationSeen {
  readonly nowMs: number;
  /** Share of guessed tokens that were right of late; undefined: none was guessed, or nobody said. */
  readonly acceptance: number | undefined;
  readonly minAcceptance: number | undefined;
  /** Generations that a worker runs at once, of late. */
  readonly running: number | undefined;
  readonly disableAboveBatch: number | undefined;
  /** As the verdict before returned it. */
  readonly memory: string | undefined;
}

export interface SpeculationVerdict {
  readonly on: boolean;
  /** It is another than before: worth an event, with the message. */
  readonly changed: boolean;
  readonly reason: ReasonWord;
  readonly message: string;
  readonly memory: string;
}

/** A pool that asks for GPUs of one class. */
export interface Claim {
  readonly pool: string;
  readonly tier: "Inline" | "Chat" | "Batch";
  /** GPUs of one worker. */
  readonly gpus: number;
  readonly minReplicas: number;
  readonly wanted: number;
}
