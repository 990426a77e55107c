// leaves: how many workers of each revision there shall be in, how many there may be now out: who is taken away takes nothing new first,
// and is let go when nothing is under way with it any more; only then its workload wants one less, and takes that one.
import { durationMs } from "../api/fields.ts";
import type { WorkerSeen } from "../moves.ts";
import type { KubeObject } from "../objects.ts";
import { costAnnotation, type LeavingPods, labels, letGoCost, type PoolSeen, type Share, warmGate } from "../pool.ts";
import { decideLeaving } from "./leaving.ts";
import { bornMs, isLeaving, leavingSinceMs } from "./supply.ts";
import { conditionOf, isEnding, isReady, isTrue } from "./trouble.ts";

export interface Leaves {
  readonly shares: readonly Share[];
  readonly leaving: LeavingPods;
}

const nobody: LeavingPods = { begin: [], stay: [], letGo: [], told: [] };

/** Without a bus nobody can be asked: pods end by their own grace period then. */
export function leave(seen: PoolSeen, shares: readonly Share[], workers: readonly KubeObject[]): Leaves {
  if (!seen.setting.bus) return { shares, leaving: nobody };
  const all = shares.map((share) => ofRevision(seen, share, workers));
  const pods = (of: keyof LeavingPods) => all.flatMap((each) => each[of]);
  return {
    shares: all.map(({ share }) => share),
    leaving: { begin: pods("begin"), stay: pods("stay"), letGo: pods("letGo"), told: pods("told") },
  };
}

function ofRevision(seen: PoolSeen, share: Share, workers: readonly KubeObject[]): LeavingPods & { readonly share: Share } {
  const pods = workers.filter((pod) => pod.metadata.labels?.[labels.revision] === share.revision && !isEnding(pod));
  const { drain, recall, release } = decideLeaving({
    ...{ nowMs: seen.wallMs, wanted: share.replicas, drainMs: durationMs(seen.spec.drain.timeout) },
    workers: pods.map((pod) => (seen.spec.parallelism.nodes > 1 ? inOrder(seen, pod) : workerOf(seen, pod))),
  });
  const named = (names: readonly string[]) => pods.filter(({ metadata }) => names.includes(metadata.name));
  const [begin, stay, over] = [named(drain), named(recall), named(release)];
  // Its low cost must be known before the number falls, or another may be taken in its place.
  const gone = over.filter(({ metadata }) => metadata.annotations?.[costAnnotation] === letGoCost);
  return {
    share: { ...share, replicas: Math.max(share.replicas, pods.length - gone.length) },
    ...{ begin, stay, letGo: over.filter((pod) => !gone.includes(pod)) },
    told: [...pods.filter((pod) => isLeaving(pod) && !stay.includes(pod)), ...begin],
  };
}

function workerOf({ says }: PoolSeen, pod: KubeObject): WorkerSeen {
  const said = says.get(pod.metadata.name);
  return {
    ...{ name: pod.metadata.name, bornMs: bornMs(pod), leavingSinceMs: leavingSinceMs(pod), kvValue: said?.kvBlocksUsed ?? 0 },
    isReady: isLeaving(pod) ? works(pod) : isReady(pod),
    // What it said before it was asked says nothing of what came meanwhile.
    inFlight: said?.leaving ? said.outstanding : undefined,
  };
}

/** Groups of pods are numbered, and the last number goes, whatever it is worth. */
function inOrder(seen: PoolSeen, pod: KubeObject): WorkerSeen {
  const worker = workerOf(seen, pod);
  const index = Number(pod.metadata.labels?.["leaderworkerset.sigs.k8s.io/group-index"] ?? 0);
  return { ...worker, isReady: true, kvValue: -index, inFlight: worker.isReady ? worker.inFlight : 0 };
}

/** Who leaves is shown as not ready, so that nobody new finds it; its containers say whether it works, its gate whether it ever did. */
const works = (pod: KubeObject): boolean => isTrue(pod, "ContainersReady") && conditionOf(pod, warmGate) !== undefined;
