// live-history: frames in, points for plots out, for the console's page and the terminal alike: what was counted between two frames, a
// second, and quantiles of the last few. A router that began anew leaves a gap. Holds the last `pointsMax` points; nothing is kept
// anywhere else.
import { type LiveFrame, quantileOf } from "./live.ts";

/** A value of each line at one moment; null: nothing to be said. */
export interface Point {
  readonly at: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** A second, by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly queued: Readonly<Record<string, number>>;
  readonly waitMs: number;
  /** Prompt tokens computed, over the keys of the window. */
  readonly computedPerKey: number | null;
  readonly reuse: number | null;
  readonly accepted: number | null;
  /** Shares of what was spent in the window. */
  readonly spent: Readonly<Record<string, number>> | null;
}

/** Seconds over which a quantile or a share is taken: fewer say too little, more hide when it began. */
export const windowFrames = 15;

export class History {
  readonly #pointsMax: number;
  readonly #boundsMs: readonly number[];
  readonly #frames: LiveFrame[] = [];
  readonly points: Point[] = [];

  constructor(options: { pointsMax: number; boundsMs: readonly number[] }) {
    this.#pointsMax = options.pointsMax;
    this.#boundsMs = options.boundsMs;
  }

  add(frame: LiveFrame): void {
    const before = this.#frames.at(-1);
    // Counters went back: another process, or the frame was known already.
    if (before && (frame.at <= before.at || isOlder(frame, before))) {
      if (frame.at <= before.at) return;
      this.#frames.length = 0;
    }
    this.#frames.push(frame);
    if (this.#frames.length > windowFrames + 1) this.#frames.shift();
    this.points.push(this.#point(frame, before && this.#frames.length > 1 ? before : undefined));
    if (this.points.length > this.#pointsMax) this.points.shift();
  }

  #point(frame: LiveFrame, before: LiveFrame | undefined): Point {
    const seconds = before ? (frame.at - before.at) / 1_000 : 1;
    const first = this.#frames[0] ?? frame;
    const counts = frame.firstText.map((count, i) => count - (first.firstText[i] ?? 0));
    const keys = sum(since(frame.outcomes, first.outcomes));
    const prompt = {
      cached: frame.promptTokens.cached - first.promptTokens.cached,
      computed: frame.promptTokens.computed - first.promptTokens.computed,
    };
    const drafts = {
      accepted: frame.drafts.accepted - first.drafts.accepted,
      rejected: frame.drafts.rejected - first.drafts.rejected,
    };
    const spent = since(frame.spent, first.spent);
    const all = sum(spent);
    const quantile = (q: number) => quantileOf(counts, this.#boundsMs, q);
    return {
      at: frame.at,
      ...{ p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
      outcomes: before ? scaled(since(frame.outcomes, before.outcomes), 1 / seconds) : {},
      queued: frame.queued,
      waitMs: frame.waitMs,
      computedPerKey: keys > 0 ? prompt.computed / keys : null,
      reuse: shareOf(prompt.cached, prompt.cached + prompt.computed),
      accepted: shareOf(drafts.accepted, drafts.accepted + drafts.rejected),
      spent: all > 0 ? scaled(spent, 1 / all) : null,
    };
  }
}

function isOlder(frame: LiveFrame, before: LiveFrame): boolean {
  return sum(frame.outcomes) < sum(before.outcomes) || sum(frame.firstText) < sum(before.firstText);
}

const shareOf = (part: number, whole: number) => (whole > 0 ? part / whole : null);
const sum = (of: readonly number[] | Readonly<Record<string, number>>) => Object.values(of).reduce((all, each) => all + each, 0);
const since = (now: Readonly<Record<string, number>>, then: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(now).map(([name, value]) => [name, Math.max(0, value - (then[name] ?? 0))]));
const scaled = (of: Readonly<Record<string, number>>, times: number) =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [name, value * times]));
