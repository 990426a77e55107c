// load-window: what routers report of a pool's load in, each on its own beat; whole seconds of all of them together out. A router counts
// with its last word until it has been silent for a while; a second in which nobody spoke is none. Bounded by seconds and reports.
import type { LaneLoad } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import type { LoadSecond } from "../scaling.ts";

export interface Said {
  readonly atMs: number;
  readonly router: string;
  readonly workers: number;
  readonly lane: Pick<LaneLoad, "queued" | "inFlight" | "arrivals" | "shed" | "finished" | "firstTextP95Ms"> | undefined;
}

/** A beat and a half late: a router that is slow for a moment is not gone. */
const silenceMs = 2_500;
/** Two hundred routers, for as long as their words count. */
const recentMax = 1_000;

export class LoadWindow {
  readonly #secondsMax: number;
  #recent: Said[] = [];
  #seconds: LoadSecond[] = [];
  /** End of the last second that was summed up. */
  #endMs = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly secondsMax: number }) {
    this.#secondsMax = options.secondsMax;
  }

  take(said: Said): void {
    this.#sum(said.atMs);
    this.#recent = [...this.#recent.slice(1 - recentMax), said];
  }

  /** Whole seconds up to now, oldest first. */
  seconds(wallMs: number): readonly LoadSecond[] {
    this.#sum(wallMs);
    return this.#seconds;
  }

  #sum(wallMs: number): void {
    const last = Math.floor(wallMs / 1_000) * 1_000;
    // After a long silence there is nothing to sum up in between; a clock that was set back begins anew.
    const from = last < this.#endMs ? last : Math.max(this.#endMs + 1_000, last - 5_000);
    for (let end = from; end <= last; end += 1_000) {
      const within = this.#recent.filter(({ atMs }) => atMs > end - 1_000 && atMs <= end);
      if (within.length > 0) this.#seconds.push(second(end, within, latest(this.#recent, end)));
    }
    this.#endMs = last;
    this.#seconds = this.#seconds.slice(-this.#secondsMax);
    this.#recent = this.#recent.filter(({ atMs }) => atMs > last - silenceMs - 1_000);
  }
}

function latest(reports: readonly Said[], end: number): Said[] {
  const known = new Map<string, Said>();
  for (const said of reports) if (said.atMs <= end && said.atMs > end - silenceMs) known.set(said.router, said);
  return [...known.values()];
}

function second(end: number, within: readonly Said[], known: readonly Said[]): LoadSecond {
  const sum = (of: readonly Said[], field: "queued" | "inFlight" | "arrivals" | "shed") =>
    of.reduce((all, { lane }) => all + (lane?.[field] ?? 0), 0);
  const timed = within.flatMap(({ lane }) => (lane && lane.finished > 0 && lane.firstTextP95Ms > 0 ? [lane] : []));
  const finished = timed.reduce((all, lane) => all + lane.finished, 0);
  return {
    atMs: end,
    queued: sum(known, "queued"),
    inFlight: sum(known, "inFlight"),
    arrivals: sum(within, "arrivals"),
    shed: sum(within, "shed"),
    // Every router sees all of them, some a moment later.
    workers: Math.max(0, ...known.map(({ workers }) => workers)),
    firstTextP95Ms:
      finished === 0 ? undefined : timed.reduce((all, lane) => all + lane.firstTextP95Ms * lane.finished, 0) / finished,
  };
}
