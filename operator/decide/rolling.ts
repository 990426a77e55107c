// rolling: two revisions of a pool in, by which way the younger takes the place of the elder out: a GPU that is free, one that is handed
// on, or first a few workers that are watched. Remembers in status only what cannot be seen: who was watched since when, and who failed.
import { wallOf, writtenTime } from "../../lib/clock.ts";
import { durationMs } from "../api/fields.ts";
import type { RevisionFigures } from "../moves.ts";
import type { KubeObject } from "../objects.ts";
import { labels, type PoolSeen, type RevisionDid, type RolloutStatus, type Share } from "../pool.ts";
import { decideCanary, isEnough } from "./canary.ts";
import { restartsSince } from "./restarts.ts";
import { type Revision, shareOut } from "./rollout.ts";
import { decideRolloutWay } from "./rollout-way.ts";
import { rulesOf } from "./sizing.ts";
import { conditionOf, isReady } from "./trouble.ts";

interface Rolling {
  readonly seen: PoolSeen;
  readonly revision: string;
  readonly wanted: number;
  readonly revisions: readonly Revision[];
  readonly workers: readonly KubeObject[];
  readonly predictedOneLessMs: number | undefined;
}

export interface Rolled {
  readonly shares: readonly Share[];
  readonly retired: readonly string[];
  readonly status: RolloutStatus | undefined;
}

export function rollOut(rolling: Rolling): Rolled {
  const { seen, revision, wanted, revisions } = rolling;
  const old = revisions.filter(({ name, pods }) => name !== revision && pods > 0);
  const before = rememberedOf(seen, revision);
  // Without an elder there is nothing to take the place of, and nothing to go back to.
  if (old.length === 0 || wanted === 0) return { ...spread(rolling, seen.spec.rollout), status: undefined };
  if (before?.way === "Aborted") return takenBack(rolling, before);
  const watched = watch(rolling, old, before);
  if (watched?.way === "Aborted") return takenBack(rolling, watched);
  const way = wayOf(rolling, before);
  const status = watched && !watched.promoted ? watched : { ...way, promoted: watched?.promoted ?? before?.promoted ?? false };
  const { shares, retired } = spread(rolling, boundsOf(rolling, way.way));
  return { retired, status, shares: watched && !watched.promoted ? capped(rolling, shares, canarySize(rolling)) : shares };
}

const spread = (
  { wanted, revision, revisions }: Rolling,
  bounds: Pick<PoolSeen["spec"]["rollout"], "maxSurge" | "maxUnavailable">,
) => shareOut({ ...bounds, wanted, newest: revision, revisions });

function rememberedOf({ pool }: PoolSeen, revision: string): RolloutStatus | undefined {
  const rollout = pool.status?.rollout;
  return rollout?.revision === revision ? { p95BeforeMs: undefined, since: undefined, ...rollout } : undefined;
}

const plain = (revision: string) => ({ revision, since: undefined, p95BeforeMs: undefined, promoted: false });

/** The elder has all again; the younger stays as a name, so that it is not tried for ever. */
function takenBack({ wanted, revision, revisions }: Rolling, status: RolloutStatus): Rolled {
  const elders = revisions.filter(({ name }) => name !== revision);
  const [last] = [...elders.filter(({ ready }) => ready > 0), ...elders].slice(-1);
  const serving = [...elders].reverse().find(({ ready }) => ready > 0) ?? last;
  const shares = revisions.map(({ name }) => ({ revision: name, replicas: name === serving?.name ? wanted : 0 }));
  return { shares, retired: [], status };
}

function wayOf(rolling: Rolling, before: RolloutStatus | undefined): RolloutStatus {
  const { seen, revision, revisions, predictedOneLessMs } = rolling;
  const { strategy } = seen.spec.rollout;
  const decided = decideRolloutWay({
    ...{ strategy, freePlaces: freePlaces(rolling, before), targetMs: rulesOf(seen).targetMs },
    ready: revisions.reduce((all, { ready }) => all + ready, 0),
    // Who asks for a hand-off where nobody measures has decided that himself.
    predictedOneLessMs: seen.setting.bus || strategy !== "HandOff" ? predictedOneLessMs : 0,
  });
  return { ...plain(revision), ...decided };
}

/** GPUs for one more than is wanted: by count where that is fixed, else by what the scheduler says of the one that waits. */
function freePlaces({ seen, wanted, revision, workers }: Rolling, before: RolloutStatus | undefined): number | undefined {
  const { classUse, spec } = seen;
  if (!spec.gpu) return undefined;
  if (classUse?.total !== undefined)
    return Math.floor((classUse.total - classUse.heldByOthers) / (spec.gpu.count * spec.parallelism.nodes)) - wanted;
  const isFresh = ({ metadata }: KubeObject) => metadata.labels?.[labels.revision] === revision;
  const waits = workers.some((pod) => isFresh(pod) && conditionOf(pod, "PodScheduled")?.reason === "Unschedulable");
  return waits || before?.way === "HandOff" ? 0 : undefined;
}

function boundsOf({ seen }: Rolling, way: RolloutStatus["way"]): Pick<PoolSeen["spec"]["rollout"], "maxSurge" | "maxUnavailable"> {
  const { maxSurge, maxUnavailable } = seen.spec.rollout;
  const isNone = (share: number | string) => share === 0 || share === "0%";
  if (way === "Surge" || isNone(maxSurge)) return { maxSurge, maxUnavailable };
  if (way === "HandOff") return { maxSurge: 0, maxUnavailable: isNone(maxUnavailable) ? 1 : maxUnavailable };
  // What may be missing by the spec may be so without a free GPU; else the one that waits goes on waiting.
  return isNone(maxUnavailable) ? { maxSurge, maxUnavailable } : { maxSurge: 0, maxUnavailable };
}

const canarySize = ({ seen, wanted }: Rolling) =>
  Math.max(1, Math.ceil(((seen.spec.rollout.canary?.weight ?? 100) / 100) * wanted));

/** No more of the younger than are watched; the rest stays with who has it. */
function capped({ revision, revisions, wanted }: Rolling, shares: readonly Share[], most: number): Share[] {
  const fresh = Math.min(most, shares.find((each) => each.revision === revision)?.replicas ?? 0);
  const youngest = [...revisions].reverse().find(({ name }) => name !== revision)?.name;
  const rest = Math.max(0, wanted - Math.min(fresh, revisions.find(({ name }) => name === revision)?.ready ?? 0));
  return shares.map((share) => {
    if (share.revision === revision) return { ...share, replicas: fresh };
    return share.revision === youngest ? { ...share, replicas: Math.max(share.replicas, rest) } : share;
  });
}

/** undefined: nobody is watched. */
function watch(rolling: Rolling, old: readonly Revision[], before: RolloutStatus | undefined): RolloutStatus | undefined {
  const { seen, revision, revisions } = rolling;
  const { canary } = seen.spec.rollout;
  if (!canary || !old.some(({ ready }) => ready > 0)) return undefined;
  if (before?.promoted) return { ...before };
  const isWhole = (revisions.find(({ name }) => name === revision)?.ready ?? 0) >= canarySize(rolling);
  const since = isWhole ? (before?.since ?? writtenTime(seen.wallMs)) : undefined;
  const p95BeforeMs = before?.p95BeforeMs ?? seen.figures?.p95Ms;
  const { verdict, reason, message } = decideCanary({
    ...{ nowMs: seen.wallMs, sinceMs: since === undefined ? seen.wallMs : wallOf(since), holdMs: durationMs(canary.holdFor) },
    ...{ abortOn: canary.abortOn, targetMs: rulesOf(seen).targetMs },
    minAcceptance: seen.spec.speculative.minAcceptance === undefined ? undefined : Number(seen.spec.speculative.minAcceptance),
    ...beside(rolling, since, p95BeforeMs),
  });
  const status = { revision, reason, message, since, p95BeforeMs };
  if (verdict === "abort") return { ...status, way: "Aborted", promoted: false };
  return { ...status, way: "Canary", promoted: isWhole && verdict === "promote" };
}

/** The younger and the elder under the same load, since the younger is whole. */
function beside(rolling: Rolling, since: string | undefined, p95BeforeMs: number | undefined) {
  const { seen, revision } = rolling;
  const isFresh = ({ metadata }: KubeObject) => metadata.labels?.[labels.revision] === revision;
  const own = rolling.workers.filter(isFresh);
  const born = own.flatMap(({ metadata }) =>
    metadata.creationTimestamp === undefined ? [] : [wallOf(metadata.creationTimestamp)],
  );
  const beganMs = Math.min(seen.wallMs, ...born);
  const fresh = figuresOf(rolling, own, beganMs);
  const old = figuresOf(
    rolling,
    rolling.workers.filter((pod) => !isFresh(pod)),
    beganMs,
  );
  if (since === undefined) return { fresh, old };
  const did = didSince(rolling, wallOf(since));
  // Where no worker says its revision routers measure the pool: what changed since then is the younger's doing.
  if (did.size === 0) return { fresh: { ...fresh, p95Ms: seen.figures?.p95Ms }, old: { ...old, p95Ms: p95BeforeMs } };
  const others = [...did].filter(([name]) => name !== revision).map(([, each]) => each);
  return { fresh: { ...fresh, ...(did.get(revision) ?? nothingDone) }, old: { ...old, ...together(others) } };
}

/** Of the last minutes where they say enough of the younger, so that what it does by now counts; else of all the time since then. */
function didSince({ seen, revision }: Rolling, sinceMs: number): ReadonlyMap<string, RevisionDid> {
  const revisions = seen.figures?.revisions ?? (() => new Map<string, RevisionDid>());
  const lately = revisions(Math.max(sinceMs, seen.wallMs - latelyMs));
  return isEnough({ restarts: 0, ...(lately.get(revision) ?? nothingDone) }) ? lately : revisions(sinceMs);
}

const latelyMs = 180_000;
const nothingDone: RevisionDid = { texts: 0, p95Ms: undefined, expired: 0, failed: 0 };

function together(all: readonly RevisionDid[]): RevisionDid {
  const sum = (of: "texts" | "expired" | "failed") => all.reduce((total, each) => total + each[of], 0);
  const texts = sum("texts");
  const weighed = all.reduce((total, each) => total + each.texts * (each.p95Ms ?? 0), 0);
  return { texts, expired: sum("expired"), failed: sum("failed"), p95Ms: texts === 0 ? undefined : weighed / texts };
}

function figuresOf({ seen }: Rolling, pods: readonly KubeObject[], sinceMs: number): RevisionFigures {
  const said = pods.filter(isReady).flatMap(({ metadata }) => seen.says.get(metadata.name)?.acceptance ?? []);
  return {
    acceptance: said.length === 0 ? undefined : said.reduce((all, one) => all + one, 0) / said.length,
    restarts: pods.reduce((all, pod) => all + restartsSince(pod, sinceMs), 0),
    pods: pods.length,
  };
}
