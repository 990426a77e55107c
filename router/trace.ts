// trace: what became of one trigger, step by step: which room, from when, how long, and why, in words. Kept by explain, and
// made into spans where tracing is on; so no code text is in it, and it keeps no document alive. At most `stepsMax` steps.
import type { SpanContext } from "../lib/tracing/context.ts";
import type { Bill } from "./bill.ts";

/** When things happened on the way, filled in by the path; read by timing, metrics and explanations. */
export interface Milestones {
  settledMs?: number;
  queuedMs?: number;
  placedMs?: number;
  /** Whom it was sent to last. */
  worker?: string;
  firstTextMs?: number;
  /** Of the generation whose text it reads. */
  bill?: Bill | undefined;
}

export type RoomName =
  | "ingress"
  | "reuse"
  | "settle"
  | "gate"
  | "context"
  | "prompt"
  | "cache"
  | "queue"
  | "schedule"
  | "dispatch"
  | "stream"
  | "feedback";

export interface Step {
  readonly room: RoomName;
  /** Monotonic. */
  readonly fromMs: number;
  /** Until it has ended: undefined, and no words. */
  toMs: number | undefined;
  what: string;
  /** Of the span, where it has been told to a worker already. */
  readonly spanId?: string;
}

/** Retries are few; what comes after this many says nothing new. */
const stepsMax = 64;

export class Trace {
  readonly #steps: Step[] = [];
  /** Where tracing is on: the trigger's own span. */
  readonly context: SpanContext | undefined;

  constructor(context?: SpanContext) {
    this.context = context;
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** A room begins; what is returned ends it, in words. */
  begin(room: RoomName, fromMs: number, spanId?: string): (toMs: number, what: string) => void {
    const step: Step = { room, fromMs, toMs: undefined, what: "", ...(spanId === undefined ? {} : { spanId }) };
    if (this.#steps.length < stepsMax) this.#steps.push(step);
    return (toMs, what) => {
      step.toMs = toMs;
      step.what = what;
    };
  }

  /** A room that took no time worth telling. */
  note(room: RoomName, atMs: number, what: string): void {
    this.begin(room, atMs)(atMs, what);
  }
}
