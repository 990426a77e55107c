// holder: who asks and what is remembered of its session in, the worker that holds it out: by its lease, else by hash among those
// that hold no more than their share of sessions; and whether other routers would look for it there. Pure.
import type { Asking, FleetView, Placement, Remembered, WorkerView } from "../completion.ts";
import { hashOf, weightOf } from "./rendezvous.ts";
import type { ScheduleOptions } from "./schedule.ts";
import { type Serving, servingOf } from "./serving.ts";

/** The session's worker: who holds its lease, else its owner by hash that holds less than its bound of sessions. */
export function holderOf(
  options: Pick<ScheduleOptions, "boundedLoad">,
  asking: Pick<Asking, "session">,
  { lease, home }: Pick<Remembered, "lease" | "home">,
  { workers, rosters }: FleetView,
  serving: Serving,
  avoid: ReadonlySet<string>,
): { readonly worker: WorkerView; readonly lease: Placement["lease"] } | undefined {
  // Who will leave serves on whom it holds, and takes nobody else.
  const usable = (worker: WorkerView) => !worker.draining && !avoid.has(worker.name);
  const stays = (worker: WorkerView) => usable(worker) && !worker.leaving;
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
    if (weight <= withinWeight || !stays(worker)) continue;
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

/** Who has a session when the one that holds it is gone. */
export function successorOf(
  options: Pick<ScheduleOptions, "boundedLoad">,
  who: Pick<Asking, "session" | "model" | "pool">,
  fleet: FleetView,
): { readonly worker: string; readonly lease: Placement["lease"] } | undefined {
  const next = holderOf(options, who, { lease: undefined }, fleet, servingOf(fleet, who), new Set());
  return next && { worker: next.worker.name, lease: next.lease };
}

/** Where other routers look for a session: its owner by hash, also one that this router alone avoids or has lost the link to. */
function homeOf(session: number, workers: readonly WorkerView[], { at, hashes, away }: Serving): string | undefined {
  let [home, most]: [string | undefined, number] = [undefined, -1];
  for (let i = 0; i < at.length; i++) {
    const worker = workers[at[i] as number] as WorkerView;
    const weight = weightOf(session, hashes[i] as number);
    if (weight > most && !worker.draining && !worker.leaving) [home, most] = [worker.name, weight];
  }
  return away.some((hash) => weightOf(session, hash) > most) ? undefined : home;
}

/** Of those that may the one that a name's hash weighs most. */
export function heaviest(
  name: number,
  workers: readonly WorkerView[],
  { at, hashes }: Serving,
  may: (worker: WorkerView) => boolean,
): WorkerView | undefined {
  let [heaviest, most]: [WorkerView | undefined, number] = [undefined, -1];
  for (let i = 0; i < at.length; i++) {
    const weight = weightOf(name, hashes[i] as number);
    if (weight <= most) continue;
    const worker = workers[at[i] as number] as WorkerView;
    if (may(worker)) [heaviest, most] = [worker, weight];
  }
  return heaviest;
}

/** Sessions a slot that a worker may hold, this one counted. */
function bound(options: Pick<ScheduleOptions, "boundedLoad">, workers: readonly WorkerView[], serving: Serving): number {
  let [leases, slots] = [1, 0];
  for (const at of serving.at) {
    const worker = workers[at] as WorkerView;
    if (worker.draining || worker.leaving) continue;
    leases += worker.leases;
    slots += worker.slots;
  }
  return (options.boundedLoad * leases) / Math.max(1, slots);
}
