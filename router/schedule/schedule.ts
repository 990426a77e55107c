// schedule: who asks, what is remembered of the session and a fleet snapshot in, a Placement out; or a Hold, when the best place has
// no credit yet and waiting for it costs less than what is free; or Late, when no worker can answer in time. Pure. The session's
// lease comes first while its worker's predicted wait stays short: its holder, else its owner by hash among those that hold no
// more than their share of sessions. Else the least cost, of wait, uncached prompt and booked work (cost.ts).
import type { Random } from "../../lib/random.ts";
import type {
  Asking,
  FleetView,
  Hold,
  Lane,
  Late,
  Placement,
  Prediction,
  Remembered,
  SharedBeginning,
  WorkerView,
} from "../completion.ts";
import { hasRoom, prefillMs, slotWaitMs, tokenMs } from "./cost.ts";
import { heaviest, holderOf } from "./holder.ts";
import { type Serving, servingOf } from "./serving.ts";
import { isMostOf, sharing } from "./sharing.ts";

export { successorOf } from "./holder.ts";
export { hashOf, weightOf } from "./rendezvous.ts";

export interface ScheduleOptions {
  /** How many times the mean number of sessions a worker may come to hold by hash. */
  readonly boundedLoad: number;
  /** Share of a worker's slots up to which speculative and batch work may fill it. */
  readonly spareShare: number;
  /** Predicted wait up to which a session stays with its holder, whatever is free elsewhere. */
  readonly patienceMs: number;
  /** A worker that joins an older fleet takes a share of its slots that grows to all of them over this time. */
  readonly rampMs: number;
  /**
   * Times that an uncached prompt counts when a worker is chosen: it keeps that worker from everyone else for as long, and is in
   * vain if the person types on. Twice as much after `coldDoublesMs` of waiting, and so on: the next key is the nearer.
   */
  readonly coldWeight: number;
  readonly coldDoublesMs: number;
  /** A guess that would compute more of a prompt is not asked. */
  readonly guessTokensMax: number;
  /** Workers that a beginning that many share is brought to on purpose. */
  readonly replicasMax: number;
  /** Times a prediction must fit into what is left: it is a mean, and half of all take longer. */
  readonly margin: number;
}

export const scheduleDefaults: ScheduleOptions = {
  boundedLoad: 1.1,
  spareShare: 0.5,
  patienceMs: 20,
  rampMs: 10_000,
  coldWeight: 2,
  coldDoublesMs: 100,
  guessTokensMax: 64,
  replicasMax: 8,
  margin: 1.25,
};

export interface Moment {
  readonly now: number;
  readonly random: Random;
}

/** Lanes that take what nobody waits for. */
const spare: ReadonlySet<Lane> = new Set(["speculative", "batch"]);
/** Costs so near each other are equal: predictions are no better. */
const equal = { ms: 1, share: 0.02 } as const;
/** Who has waited for longer is a second try, which waits without end. */
const coldWaitedMs = 1_000;
/** A Hold is thought over this often, while something else is free. */
const againMs = 10;

/** What was found out about one who asks. */
interface Looked {
  readonly serving: Serving;
  readonly holder: ReturnType<typeof holderOf>;
  /** Until an answer is of use. */
  readonly tokens: number;
  readonly freshTokens: (worker: WorkerView) => number;
  readonly shared: () => SharedBeginning | undefined;
}

export function place(
  options: ScheduleOptions,
  asking: Asking,
  remembered: Remembered,
  fleet: FleetView,
  moment: Moment,
  avoid: ReadonlySet<string> = new Set(),
): Placement | Hold | Late {
  const { lane, greedy } = asking;
  const { now } = moment;
  const looked = look(options, asking, remembered, fleet, avoid);
  const { holder, serving, freshTokens } = looked;
  const owner = holder?.worker;
  const placed = (worker: WorkerView, why: Placement["why"]): Placement => {
    const fresh = freshTokens(worker);
    const freshMs = prefillMs(worker, fresh, now) - prefillMs(worker, 0, now);
    const lease = spare.has(lane) ? "none" : holder?.worker === worker ? holder.lease : "moved";
    return { worker: worker.name, why, freshTokens: Math.round(fresh), freshMs, lease };
  };
  // A guess is worth what the session's KV saves: anywhere else it would compute a whole prompt that nobody may want.
  if (lane === "speculative") {
    // A preload wants no more than a token: its prompt is what it is for.
    const worth = owner && (asking.maxTokens <= 1 || freshTokens(owner) <= options.guessTokensMax);
    return worth && owner.free[lane] > 0 && idle(options, owner) ? placed(owner, "lease") : { againMs: never };
  }
  const leftMs = (asking.dueMs - now) / options.margin;
  // What it takes at its holder without any wait: nearly always the least there is.
  const leastMs = owner ? prefillMs(owner, freshTokens(owner), now) + tokenMs(owner, now) * looked.tokens : 0;
  const startByMs = asking.dueMs - leastMs * options.margin;
  if (fleet.free[lane] === 0) {
    if (leastMs <= leftMs) return { againMs: leftMs - leastMs + 1, startByMs };
    return isBusy(owner) ? { lateByMs: leastMs - leftMs } : { againMs: never };
  }
  const shared =
    remembered.lease === undefined && lane !== "batch" ? sharer(options, asking, fleet, moment, avoid, looked) : undefined;
  if (shared && shared.costMs <= leftMs)
    return hasRoom(shared.worker, lane, greedy)
      ? placed(shared.worker, shared.why)
      : { hold: shared.worker.name, startByMs, againMs };
  if (owner && lane !== "batch") {
    const slotMs = slotWaitMs(owner, lane, asking.ahead(owner.name), greedy);
    const waitMs = slotMs + prefillMs(owner, 0, now);
    if (asking.waitedMs + waitMs <= options.patienceMs && slotMs + leastMs <= leftMs)
      return hasRoom(owner, lane, greedy)
        ? placed(owner, "lease")
        : { hold: owner.name, startByMs, againMs: Math.max(1, options.patienceMs - asking.waitedMs) };
  }
  // As it is weighed; and by time alone where that would be too late.
  let lowest = costs(options, asking, fleet, now, avoid, looked, coldWeight(options, asking));
  if (lowest > leftMs) lowest = costs(options, asking, fleet, now, avoid, looked);
  if (lowest === never) return { againMs: never };
  const best = amongEquals(fleet.workers, serving, lowest * (1 + equal.share) + equal.ms, asking, moment.random);
  // One that stands idle is tried whatever is predicted: else a wrong prediction would never be put right. So is one at its ease for
  // what its own prompt alone makes late: else it would be refused key after key, and the first try leaves it resident.
  const onceMs = idle(options, best) ? prefillMs(best, freshTokens(best), now) - prefillMs(best, 0, now) : 0;
  if (lowest - onceMs > leftMs && isBusy(best)) return { lateByMs: lowest - leftMs };
  return hasRoom(best, lane, greedy)
    ? placed(best, best === owner ? "lease" : "least_cost")
    : { hold: best.name, startByMs, againMs };
}

/** How long an answer would take from now where it would be quickest, whoever has a credit; nothing where no worker serves it. */
export function predict(
  options: ScheduleOptions,
  asking: Asking,
  remembered: Remembered,
  fleet: FleetView,
  now: number,
): Prediction | undefined {
  const looked = look(options, asking, remembered, fleet, none);
  const { serving, tokens, freshTokens } = looked;
  const totalMs = costs(options, asking, fleet, now, none, looked);
  if (totalMs === never) return undefined;
  const worker = fleet.workers[serving.at[serving.costs.indexOf(totalMs)] as number] as WorkerView;
  const ownMs = prefillMs(worker, freshTokens(worker), now) - prefillMs(worker, 0, now);
  const pace = tokenMs(worker, now);
  const tried = isBusy(worker) ? totalMs * options.margin : 0;
  return {
    totalMs: tried,
    waitMs: totalMs - ownMs - pace * tokens,
    prefillMs: ownMs,
    tokenMs: pace,
    atEase: idle(options, worker),
  };
}

const never = Number.POSITIVE_INFINITY;
const none: ReadonlySet<string> = new Set();
const isBusy = (worker: WorkerView | undefined) => worker !== undefined && Math.max(worker.outstanding, worker.running) > 0;

function look(
  options: ScheduleOptions,
  asking: Asking,
  remembered: Remembered,
  fleet: FleetView,
  avoid: ReadonlySet<string>,
): Looked {
  const serving = servingOf(fleet, asking);
  const all = asking.prompt.bytes / serving.bytesPerToken;
  let found: { readonly shared: SharedBeginning | undefined } | undefined;
  const shared = () => {
    found ??= { shared: remembered.shared?.() };
    return found.shared;
  };
  return {
    ...{ serving, shared },
    holder: holderOf(options, asking, remembered, fleet, serving, avoid),
    tokens: Math.min(fleet.answerTokens[asking.lane], asking.maxTokens),
    freshTokens: (worker) => {
      for (const { worker: name, freshBytes } of remembered.warm)
        if (name === worker.name) return Math.max(1, freshBytes / serving.bytesPerToken);
      const beginning = shared();
      if (!beginning?.holders.includes(worker.name)) return all;
      return Math.max(1, (asking.prompt.bytes - beginning.bytes) / serving.bytesPerToken);
    },
  };
}

/** Who has it, of a prompt that is mostly a beginning which others have as well; and what that costs. */
function sharer(
  options: ScheduleOptions,
  asking: Asking,
  { workers }: FleetView,
  { now }: Moment,
  avoid: ReadonlySet<string>,
  { serving, tokens, freshTokens, shared }: Looked,
) {
  const { lane, greedy, ahead, prompt, waitedMs } = asking;
  const beginning = shared();
  if (!isMostOf(beginning, prompt.bytes)) return undefined;
  const slotMs = (worker: WorkerView) => slotWaitMs(worker, lane, hasRoom(worker, lane, greedy) ? 0 : ahead(worker.name), greedy);
  const costMs = (worker: WorkerView, weight: number) =>
    slotMs(worker) + prefillMs(worker, weight * freshTokens(worker), now) + tokenMs(worker, now) * tokens;
  const usable = (worker: WorkerView) =>
    !worker.draining && !worker.leaving && !avoid.has(worker.name) && !cold(options, worker, serving, now);
  const chosen = sharing(beginning, {
    holding: beginning.holders.flatMap((name) => {
      const worker = workers[serving.named.get(name) ?? -1];
      return worker && usable(worker) ? [worker] : [];
    }),
    next: (hash) => heaviest(hash, workers, serving, (worker) => !beginning.holders.includes(worker.name) && usable(worker)),
    waitMs: (worker) => (hasRoom(worker, lane, greedy) ? waitedMs + slotMs(worker) + prefillMs(worker, 0, now) : never),
    costMs: (worker) => costMs(worker, coldWeight(options, asking)),
    ...{ patienceMs: options.patienceMs, replicasMax: options.replicasMax },
  });
  return chosen && { ...chosen, costMs: costMs(chosen.worker, 1) };
}

/** What each serving worker costs, into `serving.costs`; the lowest of all. */
function costs(
  options: ScheduleOptions,
  { lane, greedy, ahead }: Asking,
  { workers }: FleetView,
  now: number,
  avoid: ReadonlySet<string>,
  { serving, tokens, freshTokens, holder }: Looked,
  weight = 1,
): number {
  const { at, costs } = serving;
  let lowest = never;
  for (let i = 0; i < at.length; i++) {
    const worker = workers[at[i] as number] as WorkerView;
    costs[i] = never;
    if (worker.draining || (worker.leaving && holder?.worker !== worker) || (avoid.size > 0 && avoid.has(worker.name))) continue;
    if (lane === "batch" && !idle(options, worker)) continue;
    if (cold(options, worker, serving, now)) continue;
    const before = hasRoom(worker, lane, greedy) ? 0 : ahead(worker.name);
    const cost =
      slotWaitMs(worker, lane, before, greedy) +
      prefillMs(worker, weight * freshTokens(worker), now) +
      tokenMs(worker, now) * tokens;
    costs[i] = cost;
    if (cost < lowest) lowest = cost;
  }
  return lowest;
}

function coldWeight(options: ScheduleOptions, { waitedMs }: Asking): number {
  return options.coldWeight * (1 + Math.min(waitedMs, coldWaitedMs) / options.coldDoublesMs);
}

/** Enough slots stand empty that the next key finds one, whoever uses the worker. */
function idle({ spareShare }: ScheduleOptions, { slots, outstanding, running }: WorkerView): boolean {
  return Math.max(outstanding, running) < slots * spareShare;
}

/** A worker that has just joined computes every prompt whole: it is given work little by little, if others are older. */
function cold({ rampMs }: ScheduleOptions, { joinedMs, slots, outstanding }: WorkerView, serving: Serving, now: number): boolean {
  const age = now - joinedMs;
  return age < rampMs && now - serving.oldestMs >= rampMs && outstanding >= Math.max(1, (slots * age) / rampMs);
}

/** Two of the cheapest by chance, and of these the one with less to do. */
function amongEquals(
  workers: readonly WorkerView[],
  { at, costs }: Serving,
  most: number,
  { lane, greedy }: Asking,
  random: Random,
): WorkerView {
  const equals: WorkerView[] = [];
  for (let i = 0; i < at.length; i++) if ((costs[i] as number) <= most) equals.push(workers[at[i] as number] as WorkerView);
  const one = () => equals[Math.floor(random.next() * equals.length)] as WorkerView;
  if (equals.length === 1) return equals[0] as WorkerView;
  const [a, b] = [one(), one()];
  const room = (worker: WorkerView) => (hasRoom(worker, lane, greedy) ? 1 : 0) - worker.outstanding / worker.slots;
  return room(b) > room(a) ? b : a;
}
