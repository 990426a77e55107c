// costs: how long generations occupied a slot while so many ran at once, by Little's law, in; what a pass over a batch with drafts of a
// length takes out. While a pass is bound by reading the weights a token more is nearly free, and as tokens fill the GPU each costs: where
// that begins is measured, not known. A pass of b generations with k drafts each carries b × (1 + k) tokens, so what a pool with one length
// shows at all its loads says of other lengths what they cost at fewer. What reads a generation's cache is laid to its tokens too.
import type { LoadSecond } from "../../scaling.ts";

/** Of minutes in which about so many ran at once, by half powers of two; what is long ago counts less. */
export interface Occupied {
  readonly served: number;
  /** Generations in a slot, summed up over seconds, and how many ran at once in the mean, as often as some were served. */
  readonly inFlight: number;
  readonly atOnce: number;
}

/** Time of a pass over so many generations, each with that many drafts; in ms of a slot, whose share of a pass is the same for all. */
export type PassMs = (batch: number, length: number) => number;

/** Up to 2 ** 10 generations at once. */
export const stepsMax = 21;
/** A minute of which less was heard teaches nothing. */
const heardMin = 45;
/** Fewer are chance. */
const servedMin = 100;

/** By the estimates of docs/operations/gpu-profiles.md: a head 0.3 to 0.6 ms beside 5 to 15, a small model 0.8 to 1.2 beside 4 to 7. */
const draftShares: Readonly<Record<string, number>> = { DraftModel: 0.18, EAGLE3: 0.06, MTP: 0.06, NGram: 0, Suffix: 0 };
/** Of a pass that only reads the weights: one that drafts a token. */
export const draftShareOf = (method: string): number => draftShares[method] ?? 0.18;

/** With the seconds of a minute; only where nothing waited do times tell how workers answer. */
export function withMinute(known: readonly Occupied[], seconds: readonly LoadSecond[], keeps: number): readonly Occupied[] {
  const sum = (of: (second: LoadSecond) => number) => seconds.reduce((all, second) => all + of(second), 0);
  const [inFlight, workers, queued] = [sum((each) => each.inFlight), sum((each) => each.workers), sum((each) => each.queued)];
  const served = sum(({ arrivals, shed = 0 }) => arrivals - shed);
  const isTold = seconds.length >= heardMin && workers > 0 && inFlight > 0 && served > 0 && queued < 0.02 * inFlight;
  const atOnce = isTold ? inFlight / workers : 0;
  const step = Math.min(stepsMax - 1, Math.round(2 * Math.log2(Math.max(1, atOnce))));
  return Array.from({ length: isTold ? Math.max(known.length, step + 1) : known.length }, (_, at) => {
    const before = known[at] ?? { served: 0, inFlight: 0, atOnce: 0 };
    const more = isTold && at === step ? { served, inFlight, atOnce: atOnce * served } : { served: 0, inFlight: 0, atOnce: 0 };
    const added = (of: keyof Occupied) => Number((before[of] * keeps + more[of]).toPrecision(5));
    return { served: added("served"), inFlight: added("inFlight"), atOnce: added("atOnce") };
  });
}

interface Point {
  readonly tokens: number;
  readonly ms: number;
  readonly weight: number;
}

/** All of it seen while drafts had that one length; undefined: too little was. */
export function passesOf(occupied: readonly Occupied[], length: number, draftShare: number): PassMs | undefined {
  const seen = occupied
    .filter(({ served }) => served >= servedMin)
    .map(({ served, inFlight, atOnce }) => ({
      ...{ tokens: (atOnce / served) * (1 + length), ms: (1_000 * inFlight) / served, weight: served },
    }));
  const rising = neverFalling(seen);
  const [first] = rising;
  if (!first) return undefined;
  const draftMs = (draftShare * first.ms) / (1 + length * draftShare);
  const passes = rising.map((point) => ({ ...point, ms: point.ms - length * draftMs }));
  return (batch, drafts) => at(passes, batch * (1 + drafts)) + drafts * draftMs;
}

/** Most generations at once in the mean of minutes; of more at once nobody knows what a pass takes. */
export const mostSeen = (occupied: readonly Occupied[]): number =>
  Math.max(1, ...occupied.filter(({ served }) => served >= servedMin).map(({ served, atOnce }) => atOnce / served));

/** No pass takes longer than one of more tokens: neighbours that say otherwise are taken together. */
function neverFalling(points: readonly Point[]): readonly Point[] {
  const kept: Point[] = [];
  for (const point of points) {
    let last = point;
    for (let before = kept.at(-1); before && before.ms > last.ms; before = kept.at(-1)) {
      kept.pop();
      const weight = before.weight + last.weight;
      const mean = (of: "tokens" | "ms") => (before[of] * before.weight + last[of] * last.weight) / weight;
      last = { tokens: mean("tokens"), ms: mean("ms"), weight };
    }
    kept.push(last);
  }
  return kept;
}

/** Fewer tokens than were ever seen are no cheaper, and of more each costs as if the GPU were full: nobody has seen otherwise. */
function at(points: readonly Point[], tokens: number): number {
  const above = points.findIndex((point) => point.tokens >= tokens);
  const [high, low] = [points[above], points[above < 0 ? points.length - 1 : above - 1]];
  if (!low) return high?.ms ?? 0;
  if (!high) return low.ms * (tokens / low.tokens);
  return low.ms + ((high.ms - low.ms) * (tokens - low.tokens)) / (high.tokens - low.tokens);
}
