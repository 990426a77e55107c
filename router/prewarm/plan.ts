// plan: what is to be computed ahead, and where. Pure. Of a worker that will leave: its sessions, the last used first, whose prompt is
// remembered. Of beginnings that many share: those of which a worker would be among the first to be asked, by the hash that decides
// where such prompts go (decision 0024): as many of them as hold it now, one at least.
import type { Beginning } from "./beginnings.ts";
import type { Recent } from "./recent.ts";

export interface PlanOptions {
  readonly sessionsMax: number;
  readonly beginningsMax: number;
  /** Of beginnings that are sent to one worker. */
  readonly beginningBytesMax: number;
}

/** Whose KV is worth moving: who typed last types next. */
export function sessionsToMove(
  { sessionsMax }: Pick<PlanOptions, "sessionsMax">,
  held: Iterable<string>,
  recent: (session: string) => Recent | undefined,
): Recent[] {
  const moves: Recent[] = [];
  for (const session of held) {
    if (moves.length >= sessionsMax) break;
    const last = recent(session);
    if (last) moves.push(last);
  }
  return moves;
}

export interface Holding {
  /** Workers that were sent it of late, and stay. */
  readonly holders: (beginning: Beginning) => readonly string[];
  /** How much a beginning is a worker's, by hash. */
  readonly weight: (beginning: string, worker: string) => number;
}

/** What a worker that has just joined should hold, the most asked for first. */
export function beginningsFor(
  { beginningsMax, beginningBytesMax }: Pick<PlanOptions, "beginningsMax" | "beginningBytesMax">,
  worker: { readonly name: string; readonly pool: string; readonly models: readonly { readonly name: string }[] },
  hottest: readonly Beginning[],
  { holders, weight }: Holding,
): Beginning[] {
  const chosen: Beginning[] = [];
  let bytes = 0;
  for (const beginning of hottest) {
    const { name, prompt } = beginning;
    if (chosen.length >= beginningsMax) break;
    if (prompt.pool !== undefined && prompt.pool !== worker.pool) continue;
    if (!worker.models.some((model) => model.name === prompt.model) || bytes + prompt.bytes > beginningBytesMax) continue;
    const others = holders(beginning);
    if (others.includes(worker.name)) continue;
    const own = weight(name, worker.name);
    if (others.filter((other) => weight(name, other) > own).length >= Math.max(1, others.length)) continue;
    chosen.push(beginning);
    bytes += prompt.bytes;
  }
  return chosen;
}
