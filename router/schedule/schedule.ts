// schedule: who asks, what is remembered of the session and a fleet snapshot in, a Placement out; or a Hold, when the best place has
// no credit yet and waiting for it costs less than what is free; or Late, when no worker can answer in time. Pure. The session's
// lease comes first while its worker's predicted wait stays short: its holder, else its owner by hash among those that hold no
// more than their share of sessions. Else the least cost, of wait, uncached prompt and booked work (cost.ts).
import type { Random } from "../../lib/random.ts";
import type { Asking, FleetView, Hold, Lane, Late, Placement, Prediction, Remembered, WorkerView } from "../completion.ts";
import { hasRoom, prefillMs, slotWaitMs, tokenMs } from "./cost.ts";
import { hashOf, weightOf } from "./rendezvous.ts";

export interface ScheduleOptions {
  /** How many times the mean number of sessions a worker may come to hold by hash. */
  readonly boundedLoad: number;
  /** Share of a worker's slots up to which speculative and batch work may fill it. */
  readonly spareShare: number;
  /** Predicted wait up to which a session stays with its holder, whatever is free elsewhere. */
  readonly patienceMs: number;
  /** A worker that joins an older fleet takes a share of its slots that grows to all of them over this time. */
  readonly rampMs: number;
  /** Times a prediction must fit into what is left: it is a mean, and half of all take longer. */
  readonly margin: number;
}

export const scheduleDefaults: ScheduleOptions = {
  boundedLoad: 1.1,
  spareShare: 0.5,
  patienceMs: 20,
  rampMs: 10_000,
  margin: 1.25,
};

export interface Moment {
  readonly now: number;
  readonly random: Random;
}

/** Workers of a roster that serve one model, of one pool or of any; the same as long as the roster is. */
interface Serving {
  readonly at: readonly number[];
  readonly hashes: readonly number[];
  readonly named: ReadonlyMap<string, number>;
  /** Of workers that are away. */
  readonly away: readonly number[];
  readonly bytesPerToken: number;
  readonly oldestMs: number;
  readonly costs: Float64Array;
}

const rosters = new WeakMap<object, Map<string, Serving>>();
/** Lanes that take what nobody waits for. */
const spare: ReadonlySet<Lane> = new Set(["speculative", "batch"]);
/** Costs so near each other are equal: predictions are no better. */
const equal = { ms: 1, share: 0.02 } as const;
/** A Hold is thought over this often, while something else is free. */
const againMs = 10;

/** What was found out about one who asks. */
interface Looked {
  readonly serving: Serving;
  readonly holder: ReturnType<typeof holderOf>;
  /** Until an answer is of use. */
  readonly tokens: number;
  readonly freshTokens: (worker: WorkerView) => number;
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
  const placed = (worker: WorkerView, why: Placement["why"]): Placement => ({
    ...{ worker: worker.name, draftDepthHint: 0, why, freshTokens: Math.round(freshTokens(worker)) },
    freshMs: prefillMs(worker, freshTokens(worker), now) - prefillMs(worker, 0, now),
    lease: spare.has(lane) ? "none" : holder?.worker === worker ? holder.lease : "moved",
  });
  // A guess is worth what the session's KV saves: anywhere else it would compute a whole prompt that nobody may want.
  if (lane === "speculative")
    return owner && owner.free[lane] > 0 && idle(options, owner) ? placed(owner, "lease") : { againMs: never };
  const leftMs = (asking.dueMs - now) / options.margin;
  // What it takes at its holder without any wait: nearly always the least there is.
  const leastMs = owner ? prefillMs(owner, freshTokens(owner), now) + tokenMs(owner, now) * looked.tokens : 0;
  const startByMs = asking.dueMs - leastMs * options.margin;
  if (fleet.free[lane] === 0) {
    if (leastMs <= leftMs) return { againMs: leftMs - leastMs + 1, startByMs };
    return isBusy(owner) ? { lateByMs: leastMs - leftMs } : { againMs: never };
  }
  if (owner && lane !== "batch") {
    const slotMs = slotWaitMs(owner, lane, asking.ahead(owner.name), greedy);
    const waitMs = slotMs + prefillMs(owner, 0, now);
    if (asking.waitedMs + waitMs <= options.patienceMs && slotMs + leastMs <= leftMs)
      return hasRoom(owner, lane, greedy)
        ? placed(owner, "lease")
        : { hold: owner.name, startByMs, againMs: Math.max(1, options.patienceMs - asking.waitedMs) };
  }
  const lowest = costs(options, asking, fleet, now, avoid, looked);
  if (lowest === never) return { againMs: never };
  const best = amongEquals(fleet.workers, serving, lowest * (1 + equal.share) + equal.ms, asking, moment.random);
  // One that stands idle is tried whatever is predicted: else a wrong prediction would never be put right.
  if (lowest > leftMs && isBusy(best)) return { lateByMs: lowest - leftMs };
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
  return { totalMs: tried, waitMs: totalMs - ownMs - pace * tokens, prefillMs: ownMs, tokenMs: pace };
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
  return {
    serving,
    holder: holderOf(options, asking, remembered, fleet, serving, avoid),
    tokens: Math.min(fleet.answerTokens[asking.lane], asking.maxTokens),
    freshTokens: (worker) => {
      for (const { worker: name, freshBytes } of remembered.warm)
        if (name === worker.name) return Math.max(1, freshBytes / serving.bytesPerToken);
      return all;
    },
  };
}

/** What each serving worker costs, into `serving.costs`; the lowest of all. */
function costs(
  options: ScheduleOptions,
  { lane, greedy, ahead }: Asking,
  { workers }: FleetView,
  now: number,
  avoid: ReadonlySet<string>,
  { serving, tokens, freshTokens }: Looked,
): number {
  const { at, costs } = serving;
  let lowest = never;
  for (let i = 0; i < at.length; i++) {
    const worker = workers[at[i] as number] as WorkerView;
    costs[i] = never;
    if (worker.draining || (avoid.size > 0 && avoid.has(worker.name))) continue;
    if (lane === "batch" && !idle(options, worker)) continue;
    if (cold(options, worker, serving, now)) continue;
    const before = hasRoom(worker, lane, greedy) ? 0 : ahead(worker.name);
    const cost =
      slotWaitMs(worker, lane, before, greedy) + prefillMs(worker, freshTokens(worker), now) + tokenMs(worker, now) * tokens;
    costs[i] = cost;
    if (cost < lowest) lowest = cost;
  }
  return lowest;
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

/** The session's worker: who holds its lease, else its owner by hash that holds less than its bound of sessions. */
function holderOf(
  options: ScheduleOptions,
  asking: Asking,
  { lease, home }: Remembered,
  { workers, rosters }: FleetView,
  serving: Serving,
  avoid: ReadonlySet<string>,
): { readonly worker: WorkerView; readonly lease: Placement["lease"] } | undefined {
  const usable = (worker: WorkerView) => !worker.draining && !avoid.has(worker.name);
  const held = lease === undefined ? undefined : workers[serving.named.get(lease) ?? -1];
  if (held && usable(held) && (home === undefined || home === rosters)) return { worker: held, lease: "kept" };
  const session = hashOf(asking.session);
  const isHome = (worker: WorkerView) => homeOf(session, workers, serving) === worker.name;
  // Workers came or went since: is it still where others look for it?
  if (held && usable(held)) return { worker: held, lease: isHome(held) ? "home" : "moved" };
  let [first, within]: (WorkerView | undefined)[] = [];
  let [firstWeight, withinWeight] = [-1, -1];
  const most = bound(options, workers, serving);
  for (let i = 0; i < serving.at.length; i++) {
    const worker = workers[serving.at[i] as number] as WorkerView;
    const weight = weightOf(session, serving.hashes[i] as number);
    if (weight <= withinWeight || !usable(worker)) continue;
    if (weight > firstWeight) [first, firstWeight] = [worker, weight];
    // A session for each slot crowds nobody.
    if (worker.leases < Math.max(1, most) * worker.slots) [within, withinWeight] = [worker, weight];
  }
  const worker = within ?? first;
  if (!worker) return undefined;
  if (worker !== first) return { worker, lease: "overflowed" };
  // Most often nobody is away or avoided, and the first is the owner for everyone.
  const sure = serving.away.length === 0 && avoid.size === 0;
  return { worker, lease: sure || isHome(worker) ? "home" : "moved" };
}

/** Where other routers look for a session: its owner by hash, also one that this router alone avoids or has lost the link to. */
function homeOf(session: number, workers: readonly WorkerView[], { at, hashes, away }: Serving): string | undefined {
  let [home, most]: [string | undefined, number] = [undefined, -1];
  for (let i = 0; i < at.length; i++) {
    const worker = workers[at[i] as number] as WorkerView;
    const weight = weightOf(session, hashes[i] as number);
    if (weight > most && !worker.draining) [home, most] = [worker.name, weight];
  }
  return away.some((hash) => weightOf(session, hash) > most) ? undefined : home;
}

/** Sessions a slot that a worker may hold, this one counted. */
function bound(options: ScheduleOptions, workers: readonly WorkerView[], serving: Serving): number {
  let [leases, slots] = [1, 0];
  for (const at of serving.at) {
    const worker = workers[at] as WorkerView;
    if (worker.draining) continue;
    leases += worker.leases;
    slots += worker.slots;
  }
  return (options.boundedLoad * leases) / Math.max(1, slots);
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

function servingOf({ workers, roster, away }: FleetView, { model, pool }: Pick<Asking, "model" | "pool">): Serving {
  let models = rosters.get(roster);
  if (!models) {
    models = new Map();
    rosters.set(roster, models);
  }
  const key = pool === undefined ? model : `${pool}\n${model}`;
  let serving = models.get(key);
  if (!serving) {
    const serves = (worker: FleetView["away"][number]) =>
      (pool === undefined || worker.pool === pool) && worker.models.some(({ name }) => name === model);
    const at = workers.flatMap((worker, i) => (serves(worker) ? [i] : []));
    const of = at.map((i) => workers[i] as WorkerView);
    serving = {
      at,
      hashes: of.map(({ name }) => hashOf(name)),
      away: away.filter(serves).map(({ name }) => hashOf(name)),
      named: new Map(of.map(({ name }, i) => [name, at[i] as number])),
      bytesPerToken: of[0]?.models.find(({ name }) => name === model)?.bytesPerToken ?? 3,
      oldestMs: Math.min(...of.map(({ joinedMs }) => joinedMs)),
      costs: new Float64Array(at.length),
    };
    // Names of models and pools come from workers; a call that names another never gets here.
    models.set(key, serving);
  }
  return serving;
}
