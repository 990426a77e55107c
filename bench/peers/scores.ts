// scores: keys and answers of all typists in, the figures of one window out, by one rule for everybody: a trigger is answered when
// text that is of use came before the person's next key. One that was not is late if the person waited for `goalMs` or longer,
// and says nothing if they typed on before that, if the model had nothing to say, or if it was not asked: swallowed by a client's
// pause, or held not to be worth it by our gate's evidence (brown-out under load is late). Holds the figures of one window, and
// what is not answered yet.
import { percentile } from "../../sim/statistics.ts";

/** To text that is of use, at p95: what a developer counts as served by. */
export const goalMs = 100;

type Came =
  | { readonly kind: "text"; readonly ms: number }
  | { readonly kind: "nothing"; readonly why: string }
  | { readonly kind: "unasked" | "empty" | "gated" };

/** One trigger until it is decided. */
export interface Mark {
  askedMs: number;
  /** When the next key came. */
  retiredMs: number | undefined;
  /** What it came to, once its answer is there. */
  came: Came | undefined;
  counted: boolean;
}

export interface Scored {
  readonly keys: number;
  /** Triggers that were decided: answered or late. */
  readonly triggers: number;
  readonly latencyMs: readonly number[];
  readonly answered: number;
  readonly late: number;
  /** The person typed on before `goalMs`; the model had nothing to say; a pause swallowed it. */
  readonly typedOn: number;
  readonly empty: number;
  readonly unasked: number;
  /** Our router held that no text would be wanted here, whatever the load. */
  readonly gated: number;
  /** Keys that were typed along a text that stood there: what all of it is for. */
  readonly along: number;
  /** Of those late, by how their answer came out. */
  readonly lateBy: Readonly<Record<string, number>>;
}

const empty = () => ({
  keys: 0,
  answered: 0,
  late: 0,
  typedOn: 0,
  empty: 0,
  unasked: 0,
  gated: 0,
  along: 0,
  latencyMs: [] as number[],
  lateBy: {} as Record<string, number>,
});

export class Scores {
  #window = empty();
  /** The person typed on, and the answer is not there yet. */
  readonly #undecided = new Set<Mark>();

  take(): Scored {
    // Whoever lets requests pile up is not measured by those alone that came back.
    for (const mark of this.#undecided) {
      mark.came = { kind: "nothing", why: "unanswered" };
      this.decide(mark);
    }
    const { latencyMs, ...taken } = this.#window;
    this.#window = empty();
    return { ...taken, latencyMs, triggers: taken.answered + taken.late };
  }

  key(along: boolean): void {
    this.#window.keys += 1;
    if (along) this.#window.along += 1;
  }

  /** Called when something more is known of it. */
  decide(mark: Mark): void {
    const { came, retiredMs, askedMs } = mark;
    if (mark.counted) return;
    const window = this.#window;
    if (came?.kind === "text" && (retiredMs === undefined || askedMs + came.ms <= retiredMs)) {
      window.answered += 1;
      window.latencyMs.push(came.ms);
    } else if (came?.kind === "unasked") window.unasked += 1;
    else if (came?.kind === "empty") window.empty += 1;
    else if (came?.kind === "gated") window.gated += 1;
    else if (came && retiredMs !== undefined) {
      if (retiredMs - askedMs < goalMs) window.typedOn += 1;
      else {
        window.late += 1;
        const why = came.kind === "nothing" ? came.why : "text";
        window.lateBy[why] = (window.lateBy[why] ?? 0) + 1;
        // At least so long: nobody waited to see how long it was.
        window.latencyMs.push(retiredMs - askedMs);
      }
    } else {
      if (retiredMs !== undefined) this.#undecided.add(mark);
      return;
    }
    mark.counted = true;
    this.#undecided.delete(mark);
  }
}

/** Of two windows. */
export function added(a: Scored, b: Scored): Scored {
  const lateBy = { ...a.lateBy };
  for (const [why, count] of Object.entries(b.lateBy)) lateBy[why] = (lateBy[why] ?? 0) + count;
  return {
    ...{ keys: a.keys + b.keys, triggers: a.triggers + b.triggers, latencyMs: [...a.latencyMs, ...b.latencyMs] },
    ...{ answered: a.answered + b.answered, late: a.late + b.late, typedOn: a.typedOn + b.typedOn, empty: a.empty + b.empty },
    ...{ unasked: a.unasked + b.unasked, gated: a.gated + b.gated, along: a.along + b.along, lateBy },
  };
}

export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

const round = (value: number) => (Number.isFinite(value) ? Math.round(value * 10) / 10 : 0);

export function latencyOf(values: readonly number[]): Latency {
  return { p50: round(percentile(values, 0.5)), p95: round(percentile(values, 0.95)), p99: round(percentile(values, 0.99)) };
}
