// pool: the verdict on a WorkerPool: how many workers, of which revision, who leaves for that, and what holds. Reads top to bottom.
import { durationMs } from "../api/fields.ts";
import type { SpeculationVerdict } from "../moves.ts";
import type { KubeObject } from "../objects.ts";
import { labels, type PoolSeen, type PoolVerdict, type Share, warmGate } from "../pool.ts";
import { modelNotReady, refusal } from "./accepted.ts";
import { decideByBatch } from "./by-batch.ts";
import { leave } from "./leaves.ts";
import { poolConditions } from "./pool-conditions.ts";
import { type Rolled, rollOut } from "./rolling.ts";
import type { Revision } from "./rollout.ts";
import { type Sized, sizeOf } from "./sizing.ts";
import { bornMs, isLeaving, isWorker, supplyOf } from "./supply.ts";
import { conditionOf, isEnding, isReady, isTrue, worstTrouble } from "./trouble.ts";

export function decidePool(seen: PoolSeen, revision: string, speculation: SpeculationVerdict): PoolVerdict {
  const { spec, pods, wallMs } = seen;
  const refused = refusal(seen);
  const model = refused ? undefined : modelNotReady(seen);
  const workers = pods.filter(isWorker);
  const revisions = revisionsOf(seen.workloads, workers);
  const sized = sizeOf(seen, supply(seen, workers, revisions)); //                         1 how many
  const { wanted } = sized;
  // Pods that would wait for a model hold GPUs for nothing: a new revision begins when its model is there.
  const waits = model !== undefined && !revisions.some(({ name }) => name === revision);
  const rolled = waits ? standing(revisions, wanted) : rolledOut(seen, { revision, revisions, workers, sized }); // 2 of which revision
  const { shares, leaving } = leave(seen, rolled.shares, workers); //                      3 who leaves first
  const alive = workers.filter((pod) => !isEnding(pod));
  const staying = alive.filter((pod) => !isLeaving(pod));
  const deadlineMs = durationMs(spec.startup.deadline);
  const age = (pod: KubeObject) => wallMs - bornMs(pod);
  const unready = staying.filter((pod) => !isReady(pod));
  const late = unready.filter((pod) => age(pod) >= deadlineMs);
  const counts = {
    pods: alive.length,
    ready: alive.filter(isReady).length,
    warm: staying.filter((pod) => isTrue(pod, warmGate)).length,
    starting: unready.length - late.length,
    draining: workers.length - staying.length,
    updated: staying.filter(({ metadata }) => metadata.labels?.[labels.revision] === revision).length,
  };
  const isRolling = rolled.status !== undefined || revisions.some(({ name, pods: has }) => name !== revision && has > 0);
  const lengths = decideByBatch(seen, {
    isCalm: !refused && !model && !isRolling && isHeard(sized) && wanted > 0 && counts.ready >= wanted && counts.updated >= wanted,
    ...{ isAborted: rolled.status?.way === "Aborted", isOn: speculation.on },
  });
  const next = Math.min(...unready.map((pod) => deadlineMs - age(pod)).filter((ms) => ms > 0));
  const before = Number(seen.pool.status?.scaling?.desired ?? Number.NaN);
  return {
    halted: refused !== undefined,
    ...{ wanted, revision, shares, leaving, counts, speculation, lengths },
    retired: rolled.retired,
    warmed: refused ? [] : staying.filter((pod) => isWarmed(pod, seen)),
    conditions: poolConditions(seen, {
      ...{ refused, model, wanted, revisions, revision, counts, late, speculation },
      ...{ sized: sized.conditions, rollout: rolled.status, staying: staying.length },
      trouble: worstTrouble(pods.filter((pod) => !isReady(pod) && !isLeaving(pod))),
    }),
    scaling: sized,
    rollout: rolled.status,
    decided:
      before === wanted
        ? undefined
        : { from: Number.isNaN(before) ? 0 : before, to: wanted, reason: sized.reason, message: sized.message },
    againMs: Number.isFinite(next) ? next : undefined,
  };
}

function supply(seen: PoolSeen, workers: readonly KubeObject[], revisions: readonly Revision[]) {
  const alive = workers.filter((pod) => !isEnding(pod)).length;
  const asked = revisions.reduce((all, { replicas }) => all + replicas, 0);
  return supplyOf(workers, Math.max(0, asked - alive), seen.wallMs, revisions.filter(({ pods }) => pods > 0).length > 1);
}

const standing = (revisions: readonly Revision[], wanted: number): Rolled => ({
  shares: revisions.map(({ name, replicas }): Share => ({ revision: name, replicas: Math.min(replicas, wanted) })),
  ...{ retired: [], status: undefined },
});

function rolledOut(
  seen: PoolSeen,
  {
    revision,
    revisions,
    workers,
    sized,
  }: { revision: string; revisions: readonly Revision[]; workers: readonly KubeObject[]; sized: Sized },
): Rolled {
  const predictedOneLessMs = isHeard(sized) ? sized.verdict?.inputs.predictedOneLessMs : undefined;
  return rollOut({ ...{ seen, revision, revisions, workers, predictedOneLessMs }, wanted: sized.wanted });
}

/** Routers report its load. */
const isHeard = ({ verdict }: Sized) => verdict?.conditions.every(({ reason }) => reason !== "MetricsStale") === true;

function revisionsOf(workloads: readonly KubeObject[], workers: readonly KubeObject[]): Revision[] {
  return [...workloads]
    .filter((each) => !isEnding(each))
    .sort(
      (a, b) =>
        (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "") ||
        a.metadata.name.localeCompare(b.metadata.name),
    )
    .map(({ metadata, spec }) => {
      const name = metadata.labels?.[labels.revision] ?? "";
      const own = workers.filter((pod) => pod.metadata.labels?.[labels.revision] === name);
      return { name, replicas: Number(spec?.replicas ?? 1), ready: own.filter(isReady).length, pods: own.length };
    });
}

/** Its containers are ready, the worker itself said on the bus that it serves (where there is a bus), and nobody has been told. */
function isWarmed(pod: KubeObject, { heard, setting }: PoolSeen): boolean {
  if (isTrue(pod, warmGate) || conditionOf(pod, "ContainersReady")?.status !== "True") return false;
  return !setting.bus || heard.has(pod.metadata.name);
}
