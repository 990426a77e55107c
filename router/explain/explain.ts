// explain: a trigger in when it begins and when it ends, and on request what became of it: its steps with their times and
// reasons, its ending, what it cost. By trigger or completion id, or the last few. Holds the newest `max` triggers, the living
// among them, and for longer the newest of each kind that somebody looks for; names and numbers of each, never code text.
import type { Clock } from "../../lib/clock.ts";
import type { SpanContext } from "../../lib/tracing/context.ts";
import type { Ending, Trigger, Usage } from "../completion.ts";
import { type RoomName, Trace } from "../trace.ts";

export { spansOf } from "./spans.ts";

export interface ExplainOptions {
  readonly max: number;
  /** Of each kind. */
  readonly notableMax: number;
  /** Until the first text, or until it was known that there is none. */
  readonly slowMs: number;
}

/** What somebody looks for, long after a busy router's newest triggers are others: slow, went wrong, retired. */
export const notable = ["slow", "failed", "superseded"] as const;
export type Notable = (typeof notable)[number];
const wrong: ReadonlySet<Ending["outcome"]> = new Set(["failed", "refused", "expired"]);

/** What is told of one trigger, as JSON. Times in ms from its receipt. */
export interface Explanation {
  readonly trigger: string;
  readonly completion: string | null;
  readonly trace: string | null;
  readonly tenant: string;
  readonly session: string;
  readonly lane: string;
  readonly kind: string;
  readonly language: string;
  readonly stateless: boolean;
  readonly unix_ms: number;
  /** "under_way" until it ends. */
  readonly outcome: Ending["outcome"] | "under_way";
  readonly reason: string | null;
  readonly finish: string | null;
  readonly detail: string | null;
  readonly total_ms: number;
  readonly deadline_ms: number;
  readonly text_utf16: number;
  readonly worker: string | null;
  readonly model: string | null;
  readonly usage: Usage | null;
  readonly steps: readonly { readonly room: RoomName; readonly at_ms: number; readonly took_ms: number; readonly what: string }[];
}

type Kept = Pick<
  Ending,
  "outcome" | "reason" | "finish" | "detail" | "code" | "usage" | "worker" | "model" | "completionId" | "textUtf16"
>;

/** One trigger's entry: its own figures, so that the trigger and its document can go. */
export class Told extends Trace {
  readonly of: Pick<
    Trigger,
    "id" | "tenant" | "session" | "lane" | "kind" | "language" | "stateless" | "receivedMs" | "deadlineMs"
  >;
  ending: Kept | undefined;
  endedMs = 0;
  /** Absent: there was none. */
  firstTextMs: number | undefined;

  constructor(of: Told["of"], context?: SpanContext) {
    super(context);
    this.of = of;
  }
}

/** What is known of a trigger that ingress refused. */
type Refused = Pick<Trigger, "id" | "tenant" | "session"> & { readonly lane?: Trigger["lane"] };

export class Explain {
  readonly #options: ExplainOptions;
  readonly #clock: Clock;
  readonly #all: Ring;
  readonly #notable: Readonly<Record<Notable, Ring>>;

  constructor(options: ExplainOptions, deps: { clock: Clock }) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#all = new Ring(options.max);
    const max = options.max < 1 ? 0 : options.notableMax;
    this.#notable = { slow: new Ring(max), failed: new Ring(max), superseded: new Ring(max) };
  }

  begin(trigger: Trigger, context?: SpanContext): Told {
    const { id, tenant, session, lane, kind, language, stateless, receivedMs, deadlineMs } = trigger;
    const told = new Told({ id, tenant, session, lane, kind, language, stateless, receivedMs, deadlineMs }, context);
    this.#all.keep(told);
    return told;
  }

  ended(told: Told, ending: Ending): void {
    told.ending = kept(ending);
    told.endedMs = this.#clock.now();
    const { outcome, reason = "", finish = "" } = ending;
    const words = [outcome, reason === outcome ? "" : reason, finish === "" ? "" : `finish ${finish}`];
    told.note("feedback", told.endedMs, words.filter((word) => word !== "").join(", "));
    if (outcome === "superseded") this.#notable.superseded.keep(told);
    else if (wrong.has(outcome)) this.#notable.failed.keep(told);
    // What is asked ahead, and what nobody waits for within a key's time, may take what it takes.
    const { lane, kind, receivedMs } = told.of;
    const waits = lane === "inline" && (kind === "auto" || kind === "invoked") && outcome !== "superseded";
    if (waits && (told.firstTextMs ?? told.endedMs) - receivedMs > this.#options.slowMs) this.#notable.slow.keep(told);
  }

  /** What ingress refused never reached the path. */
  refused({ id, tenant, session, lane = "inline" }: Refused, ending: Ending): void {
    const receivedMs = this.#clock.now();
    const unknown = { kind: "auto", language: "", stateless: false } as const;
    const told = new Told({ id, tenant, session, lane, ...unknown, receivedMs, deadlineMs: receivedMs });
    this.#all.keep(told);
    told.note("ingress", receivedMs, ending.detail ?? ending.reason ?? "refused");
    this.ended(told, ending);
  }

  /** The newest trigger of this id, or the one whose text has it as its completion id. */
  find(id: string): Explanation | undefined {
    for (const ring of [this.#all, ...Object.values(this.#notable)])
      for (const told of ring.newestFirst())
        if (told.of.id === id || told.ending?.completionId === id) return this.#explanation(told);
    return undefined;
  }

  /** Newest first, all or those of a kind. */
  last(count: number, kind?: Notable): Explanation[] {
    const found: Explanation[] = [];
    for (const told of (kind === undefined ? this.#all : this.#notable[kind]).newestFirst()) {
      if (found.length >= count) break;
      found.push(this.#explanation(told));
    }
    return found;
  }

  #explanation(told: Told): Explanation {
    const { id, tenant, session, lane, kind, language, stateless, receivedMs, deadlineMs } = told.of;
    const { ending } = told;
    const now = this.#clock.now();
    return {
      trigger: id,
      completion: ending?.completionId ?? null,
      trace: told.context?.traceId ?? null,
      tenant,
      session,
      lane,
      kind,
      language,
      stateless,
      unix_ms: Math.round(this.#clock.wall() - (now - receivedMs)),
      outcome: ending?.outcome ?? "under_way",
      reason: ending?.reason ?? null,
      finish: ending?.finish ?? null,
      detail: ending?.detail ?? null,
      total_ms: round((ending ? told.endedMs : now) - receivedMs),
      deadline_ms: round(deadlineMs - receivedMs),
      text_utf16: ending?.textUtf16 ?? 0,
      worker: ending?.worker || null,
      model: ending?.model || null,
      usage: ending?.usage ?? null,
      steps: told.steps.map(({ room, fromMs, toMs, what }) => ({
        room,
        at_ms: round(fromMs - receivedMs),
        took_ms: round((toMs ?? now) - fromMs),
        what: toMs === undefined ? "under way" : what,
      })),
    };
  }
}

class Ring {
  readonly #max: number;
  /** `#next` is the oldest once it is full. */
  readonly #held: Told[] = [];
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  keep(told: Told): void {
    if (this.#max < 1) return;
    this.#held[this.#next] = told;
    this.#next = (this.#next + 1) % this.#max;
  }

  *newestFirst(): Generator<Told> {
    const { length } = this.#held;
    for (let back = 1; back <= length; back++) yield this.#held[(this.#next - back + length) % length] as Told;
  }
}

const round = (ms: number) => Math.round(ms * 100) / 100;

/** An ending without its error, whose cause may hold anything, and without text. */
function kept({ outcome, reason, finish, detail, code, usage, worker, model, completionId, textUtf16 }: Ending): Kept {
  return {
    outcome,
    usage,
    ...(reason && { reason }),
    ...(finish && { finish }),
    ...(detail === undefined ? {} : { detail }),
    ...(code && { code }),
    ...(worker === undefined ? {} : { worker }),
    ...(model === undefined ? {} : { model }),
    ...(completionId === undefined ? {} : { completionId }),
    ...(textUtf16 === undefined ? {} : { textUtf16 }),
  };
}
