// rollout: how the wanted workers are shared out between revisions at this moment. Shifts from old to new as new ones serve, never
// beyond maxSurge more pods, nor beyond maxUnavailable fewer that serve. Forgets nothing by a restart: it looks only at what is there.
import type { Share } from "../pool.ts";

export interface Revision {
  readonly name: string;
  /** Pods asked for now. */
  readonly replicas: number;
  readonly ready: number;
  readonly pods: number;
}

export interface Rollout {
  readonly wanted: number;
  readonly newest: string;
  readonly maxSurge: number | string;
  readonly maxUnavailable: number | string;
  /** Oldest first. */
  readonly revisions: readonly Revision[];
}

/** A share is of the wanted number: surge rounds up, unavailable down, as in a Deployment. */
function absolute(given: number | string, wanted: number, round: (value: number) => number): number {
  return typeof given === "number" ? given : round((Number.parseInt(given, 10) / 100) * wanted);
}

export function shareOut({ wanted, newest, maxSurge, maxUnavailable, revisions }: Rollout): { shares: Share[]; retired: string[] } {
  const old = revisions.filter(({ name }) => name !== newest);
  const fresh = revisions.find(({ name }) => name === newest);
  const surge = absolute(maxSurge, wanted, Math.ceil);
  // Shares may both round to nothing; then one may be missing, or nothing would ever move.
  const unavailable = Math.max(absolute(maxUnavailable, wanted, Math.floor), surge === 0 ? 1 : 0);
  let keep = Math.max(0, wanted - unavailable - (fresh?.ready ?? 0));
  const shares: Share[] = [];
  const retired: string[] = [];
  // The youngest of the old ones serve longest; those of it that do not serve are given up first.
  for (const each of [...old].reverse()) {
    const replicas = Math.min(each.replicas, each.ready, keep);
    keep -= replicas;
    if (replicas === 0 && each.replicas === 0 && each.pods === 0) retired.push(each.name);
    else shares.unshift({ revision: each.name, replicas });
  }
  const oldPods = shares.reduce((sum, { replicas }) => sum + replicas, 0);
  const room = Math.max(0, wanted + surge - oldPods);
  shares.push({ revision: newest, replicas: Math.min(wanted, room) });
  return { shares, retired };
}
