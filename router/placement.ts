// placement: the nouns of choosing a worker: who asks for one, what the fleet looks like and remembers, what was chosen. Made once
// and never changed, like those of completion.ts, which gives them on.
import type { Prompt, ServedModel } from "./rendered.ts";
import type { Lane, Trigger } from "./trigger.ts";

/** A generation that wants a worker, as schedule sees it. */
export interface Asking extends Pick<Trigger, "session" | "document" | "lane"> {
  readonly model: string;
  /** The pool that may serve it; absent: any with the model. */
  readonly pool?: string;
  readonly prompt: Pick<Prompt, "bytes" | "blocks">;
  /** Tokens that it may have. */
  readonly maxTokens: number;
  /** When the last of its readers has no more use for it. */
  readonly dueMs: number;
  /** Since it began to wait for a worker. */
  readonly waitedMs: number;
  /** Its tenant has more than its share of the slots while others are about: a slot of each worker stays free for them. */
  readonly greedy: boolean;
  /** How many that come before it wait for this worker too. */
  readonly ahead: (worker: string) => number;
}

/** What the fleet remembers of a session: who holds its lease, and what of a prompt would have to be computed where. */
export interface Remembered {
  readonly lease: string | undefined;
  /** The roster by which it was seen to be where the session's hash says; absent: others know where it is, or need not. */
  readonly home?: number;
  /** Workers that were sent a prompt of this document of late, and the bytes of the new one that they have not seen. */
  readonly warm: readonly { readonly worker: string; readonly freshBytes: number }[];
  /** The longest beginning of the new prompt that other sessions' had too; looked up when it is asked for. */
  readonly shared?: () => SharedBeginning | undefined;
}

/** A long beginning of a prompt that prompts of other sessions have in common. */
export interface SharedBeginning {
  /** The same for all that have it, on every router. */
  readonly name: string;
  readonly bytes: number;
  /** Workers that were sent it of late. */
  readonly holders: readonly string[];
}

/** Which worker. How deep it drafts is its own to decide. */
export interface Placement {
  readonly worker: string;
  /** Why this one, for explanations; "replica": the first to bring a shared beginning there. */
  readonly why: "lease" | "shared" | "replica" | "least_cost";
  /**
   * What becomes of the session's lease: kept where it is, or taken here: by hash ("home"), or as an exception, because its owner
   * by hash has its share of sessions ("overflowed") or is not the best place now ("moved").
   */
  readonly lease: "kept" | "home" | "moved" | "overflowed" | "none";
  /** Prompt tokens that it will have to compute, by what this router sent there. */
  readonly freshTokens: number;
  /** What that takes there, apart from what comes before it. */
  readonly freshMs: number;
}

/** Not yet: nothing is free, or the best place has no credit and waiting for it costs less than what is free. */
export interface Hold {
  /** The worker that is waited for, where it is one alone. */
  readonly hold?: string;
  /** When that should be thought over again, whatever happens; Infinity: never. */
  readonly againMs: number;
  /** When it must have begun to be in time, where it has a deadline to be refused by. */
  readonly startByMs?: number;
}

/** Never: no worker can answer before it is due, by so much. */
export interface Late {
  readonly lateByMs: number;
}

/** How long an answer takes from now, and the part of it that is waiting for a slot and that is computing the prompt. */
export interface Prediction {
  readonly totalMs: number;
  readonly waitMs: number;
  readonly prefillMs: number;
  /** Of one token after another. */
  readonly tokenMs: number;
  /** Half of the worker's slots and more stand empty. */
  readonly atEase: boolean;
}

/** What a generation turned out to cost, as the worker counted it. */
export interface Spent {
  readonly decodeMs: number;
  readonly engineMs: number;
  readonly completionTokens: number;
}

/** One worker as the router sees it now. */
export interface WorkerView {
  readonly name: string;
  readonly pool: string;
  readonly models: readonly ServedModel[];
  readonly slots: number;
  readonly draining: boolean;
  /** It will drain: of sessions it takes only those whose lease it has, until they are moved. */
  readonly leaving: boolean;
  /** Generations this router may still submit, per lane, own bookings already counted. */
  readonly free: Readonly<Record<Lane, number>>;
  /** Own outstanding generations, and of each lane; what the worker last said of its engine, and when. */
  readonly outstanding: number;
  readonly held: Readonly<Record<Lane, number>>;
  readonly loadMs: number;
  readonly running: number;
  readonly prefillTokensPerSecond: number;
  readonly stepMs: number;
  readonly prefillBacklogTokens: number;
  /** Prompt tokens that own generations sent since then will have to compute. */
  readonly bookedTokens: number;
  /** Milliseconds from token to token of late, and when that was measured; 0: not known. */
  readonly tokenMs: number;
  readonly pacedMs: number;
  /** How long a generation of the lane was outstanding of late; 0: not known yet. */
  readonly serviceMs: Readonly<Record<Lane, number>>;
  /** Sessions whose lease it holds. */
  readonly leases: number;
  readonly joinedMs: number;
  readonly speculation?: Speculation;
}

/** What a worker says of its drafts of the last minute. `why` is "" where its engine does not decide itself. */
export interface Speculation {
  readonly sources: readonly string[];
  readonly why: string;
  readonly acceptance: number;
  /** The first drafted token first. */
  readonly positions: readonly { readonly drafted: number; readonly accepted: number }[];
}

/** All workers at one moment, by name; never changed after it is made. */
export interface FleetView {
  readonly workers: readonly WorkerView[];
  /** The same object as long as the same workers serve the same models, in the same order: what is derived from it can be kept. */
  readonly roster: object;
  /** Which roster this is, counted. */
  readonly rosters: number;
  /** Workers whose link is being made anew, with what they serve: other routers may still place sessions there by hash. */
  readonly away: readonly { readonly name: string; readonly pool: string; readonly models: readonly { readonly name: string }[] }[];
  /** Of all workers together. */
  readonly free: Readonly<Record<Lane, number>>;
  readonly slots: { readonly all: number; readonly used: number };
  /** Tokens of an answer that was of use, of late; 0: not known. */
  readonly answerTokens: Readonly<Record<Lane, number>>;
}

/** A worker's credit taken for one generation; given back when the worker says that it ended. */
export interface Booking {
  readonly placement: Pick<Placement, "worker" | "why">;
  /** `spent`: what the worker said it cost, where it did. */
  readonly release: (spent?: Spent) => void;
}
