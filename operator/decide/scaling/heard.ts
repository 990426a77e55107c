// heard: seconds of load in, the memory with them folded in out. A second that is known already changes nothing. What is learned is
// learned from whole minutes, as windows of the SLO are: how workers answer, what is usual, and how much headroom it takes.
import type { LoadSecond, ScalingRules } from "../../scaling.ts";
import { coldStartMs } from "./cold-start.ts";
import { learned } from "./curve.ts";
import { nextBeta } from "./headroom.ts";
import { type Memory, noMinute } from "./memory.ts";
import { expectedAt, minuteOver } from "./season.ts";

const minuteMs = 60_000;
/** Seconds that are kept one by one. */
const keptMax = 60;
/** After a longer silence the seconds before it say nothing of now. */
const silenceMs = 5_000;
/** More than that share of triggers turned away for load is no accident. */
const shedShare = 0.02;
/** Who is turned away occupies nothing: counted in, workers that are far too few would look as if they were enough. */
const occupiedMs = (inFlight: number, served: number) => (served <= 0 ? undefined : (1_000 * inFlight) / served);
/**
 * Workers for all that came in the minute under way, by what those there were served of it; 0: hardly anything is turned away. Never more
 * than the load of now asks for: what is turned away within some seconds of a crowd that goes again is none.
 */
export function workersUnshed({ minute }: Memory, loadRps: number): number {
  const { seconds, arrivals, shed, workers } = minute;
  const served = arrivals - shed;
  if (seconds < tenSeconds || workers === 0 || served <= 0 || shed <= shedShare * arrivals) return 0;
  return Math.ceil(Math.min((workers / seconds) * (arrivals / served), loadRps / (served / workers)));
}

/** A minute of which less was heard teaches nothing. */
const heardMin = 45;

export function heard(before: Memory, seconds: readonly LoadSecond[], rules: ScalingRules): Memory {
  let memory = before;
  let fresh: LoadSecond[] = [];
  for (const second of seconds) {
    const lastMs = fresh.at(-1)?.atMs ?? memory.atMs;
    if (second.atMs <= lastMs) continue;
    if (Math.floor(second.atMs / minuteMs) > Math.floor(lastMs / minuteMs)) {
      memory = turned(added(memory, fresh), second.atMs, rules);
      fresh = [];
    }
    fresh.push(second);
  }
  return added(memory, fresh);
}

/** Seconds of one minute. */
function added(memory: Memory, seconds: readonly LoadSecond[]): Memory {
  const last = seconds.at(-1);
  if (!last) return memory;
  let arrivals = [...memory.arrivals];
  let atMs = memory.atMs;
  const minute = { ...memory.minute };
  for (const second of seconds) {
    if (second.atMs - atMs > silenceMs) arrivals = [];
    atMs = second.atMs;
    arrivals.push(second.arrivals);
    minute.seconds += 1;
    minute.arrivals += second.arrivals;
    minute.shed += second.shed ?? 0;
    minute.workers += second.workers;
    minute.inFlight += second.inFlight;
    minute.queued += second.queued;
    minute.each += (second.arrivals * second.inFlight) / Math.max(1, second.workers);
    if (second.firstTextP95Ms === undefined) continue;
    minute.measured += second.arrivals;
    minute.p95Ms += second.firstTextP95Ms * second.arrivals;
  }
  return { ...memory, atMs, minute, queued: last.queued, arrivals: arrivals.slice(-keptMax) };
}

/** A minute is over, and another begins. */
function turned(memory: Memory, atMs: number, rules: ScalingRules): Memory {
  const { seconds, arrivals, shed, inFlight, queued, each, measured, p95Ms } = memory.minute;
  const passed = Math.floor(atMs / minuteMs) - Math.floor(memory.atMs / minuteMs);
  const [foreseenRps = -1] = memory.foreseen;
  const foreseen = foreseenRps < 0 ? undefined : foreseenRps;
  const next = { ...memory, minute: noMinute, foreseen: memory.foreseen.slice(passed) };
  if (seconds < heardMin) return next;
  const rps = arrivals / seconds;
  const weekly = rules.seasonality === "Weekly";
  // What is turned away has no first text: of many that are, those that have one say nothing of how soon it comes.
  const isShed = shed > shedShare * arrivals;
  const seen = measured === 0 ? undefined : isShed ? Math.max(p95Ms / measured, rules.targetMs) : p95Ms / measured;
  // Only where nothing waited do times tell how workers answer: else it is the queue that is seen.
  const isCalm = queued < 0.02 * inFlight;
  const b = each / Math.max(1, arrivals);
  const season = minuteOver(memory.season, memory.atMs, rps, foreseen, weekly);
  return {
    ...next,
    curve: isCalm
      ? learned(memory.curve, { b, occupiedMs: occupiedMs(inFlight, arrivals - shed), firstTextP95Ms: isShed ? undefined : seen })
      : memory.curve,
    season,
    beta: nextBeta(memory.beta, { rps, foreseen, p95Ms: seen, targetMs: rules.targetMs }),
    foreseen: withForecast(next.foreseen, Math.ceil(coldStartMs(memory, rules) / minuteMs), (ahead) => {
      const { rps: expected } = expectedAt(season, atMs + ahead * minuteMs, weekly);
      return rules.seasonality === "None" ? rps : (expected ?? rps);
    }),
  };
}

/** Says what will come when a worker that is asked for now would serve. */
function withForecast(foreseen: readonly number[], ahead: number, of: (ahead: number) => number): number[] {
  const made = foreseen.slice(0, ahead);
  while (made.length < ahead) made.push(-1);
  made.push(Number(of(ahead).toPrecision(4)));
  return made;
}

const tenSeconds = 10;

/**
 * Triggers a second now: of the ten-second stretches of the last minute the one in the middle. What lasts for half a minute counts; a
 * reconnect of ten seconds would ask for workers that come when it is long over.
 */
export function loadNow({ arrivals }: Memory): number {
  const stretches: number[] = [];
  for (let end = arrivals.length; end >= tenSeconds || (end > 0 && stretches.length === 0); end -= tenSeconds) {
    const of = arrivals.slice(Math.max(0, end - tenSeconds), end);
    stretches.push(of.reduce((sum, each) => sum + each, 0) / of.length);
  }
  stretches.sort((a, b) => a - b);
  return stretches[Math.floor(stretches.length / 2)] ?? 0;
}
