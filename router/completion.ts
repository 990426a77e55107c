// completion: the nouns that travel along the router's path (pipeline.ts): here those of text under way, and given on from their
// own files what was asked, what a model is sent, where it is placed and how it ended. All are made once and never changed; the
// one thing that ends work is the trigger's signal, whose reason is a Retired that says how it ended.
import type { Bill } from "./bill.ts";
import type { Finish, Usage } from "./ending.ts";
import type { Trigger } from "./trigger.ts";

export { type Bill, type Cost, type Fate, fates } from "./bill.ts";
export { type Ending, type Finish, noUsage, type Outcome, outcomes, type Reason, type Report, type Usage } from "./ending.ts";
export type {
  Asking,
  Booking,
  FleetView,
  Hold,
  Late,
  Placement,
  Prediction,
  Remembered,
  SharedBeginning,
  Speculation,
  Spent,
  WorkerView,
} from "./placement.ts";
export type { Context, Prompt, Segment, ServedModel } from "./rendered.ts";
export type { Milestones } from "./trace.ts";
export {
  type Indent,
  type Kind,
  type Lane,
  lanes,
  noLanes,
  type Origin,
  Retired,
  type Sampling,
  type Selected,
  type Shape,
  type Snippet,
  type Trigger,
} from "./trigger.ts";

/** A generated piece of text on its way to the editor. */
export interface Delta {
  readonly text: string;
  readonly tokens: number;
  readonly confidence?: number;
  /** With a generation's first delta: what its prompt cost. */
  readonly prompt?: Pick<Usage, "promptTokens" | "cachedTokens" | "recomputedTokens">;
}

/** What queue and dispatch need of a trigger: one generation may serve several, and outlive the one that asked first. */
export type Work = Pick<Trigger, "session" | "document" | "tenant" | "lane" | "shape" | "sampling" | "deadlineMs" | "signal"> & {
  /** When the last of its readers has no more use for it: it is not started for later. */ readonly due?: () => number;
  /** For the worker's own spans. */ readonly traceparent?: string;
  /** Who pays for it. */ readonly bill?: Bill;
};

/** A generation under way that several triggers may read, each from its beginning. */
export interface Flight {
  readonly model: string;
  /** So far, as the model wrote it. */
  readonly text: string;
  /** Nothing more will come. */
  readonly over: boolean;
  readonly bill?: Bill | undefined;
  /** Name of the worker that runs it; "" until it is placed. */
  worker: string;
  /** Somebody wants it until then. */
  wanted(untilMs: number): void;
  /** Joins now, reads later. The generation ends when its last reader leaves. */
  read(signal: AbortSignal): AsyncGenerator<Delta, Generated>;
  /** What a reader that has left may book of its cost: all of it for the last one, once. */
  book(usage: Usage): Usage;
}

/** How a worker ended a generation. */
export interface Generated {
  readonly finish: Finish;
  readonly usage: Usage;
  readonly worker: string;
}

/** A generation as the editor gets it: cut, trimmed, and what it cost. */
export interface Shaped extends Pick<Generated, "finish" | "usage"> {
  readonly text: string;
  /** Mean probability of the first tokens, where the engine tells it. */
  readonly confidence?: number;
  /** The model was too unsure: nothing was shown. */
  readonly withheld?: true;
  /** Nothing was left of it: it stands in the document already. */
  readonly duplicate?: true;
}
