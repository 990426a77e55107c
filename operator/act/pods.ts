// pods: what is told to pods and their workers: that they count as ready, that they shall leave, that they may stay after all. What is
// told to a pod stands in its annotations, so that another operator goes on where this one was; the worker is told again each time.
import { create, toBinary } from "@bufbuild/protobuf";
import { inSpace, subjects } from "../../lib/bus/subjects.ts";
import { type Clock, writtenTime } from "../../lib/clock.ts";
import { LeaveRequestSchema } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import type { Cluster, Json, KubeObject } from "../objects.ts";
import { costAnnotation, type LeavingPods, labels, leavingAnnotation, letGoCost, warmGate } from "../pool.ts";

export type Tell = (subject: string, message: Uint8Array) => void;

interface Deps {
  readonly cluster: Pick<Cluster, "patchPodConditions" | "annotatePod">;
  readonly clock: Clock;
  readonly tell?: Tell;
}

/** Some times the pause between two runs: an operator that is gone for longer leaves a worker that serves. */
const ttlMs = 20_000;

export class Pods {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  warmed(pod: KubeObject): Promise<void> {
    return this.#gate(pod, "True", "WarmedUp");
  }

  /** Yields each pod before it is changed. */
  async *leaving(pods: LeavingPods | undefined, graceMs: number): AsyncGenerator<KubeObject> {
    if (!pods) return;
    const { cluster, clock } = this.#deps;
    for (const pod of pods.begin) {
      yield pod;
      await cluster.annotatePod(pod, { [leavingAnnotation]: writtenTime(clock.wall()) });
      // Nobody new shall find it; one that never served is shown as that already.
      if (hasGate(pod)) await this.#gate(pod, "False", "Leaving");
    }
    for (const pod of pods.letGo) {
      yield pod;
      await cluster.annotatePod(pod, { [costAnnotation]: letGoCost });
    }
    for (const pod of pods.stay) {
      yield pod;
      await cluster.annotatePod(pod, { [leavingAnnotation]: null, [costAnnotation]: null });
      this.#tell(pod, 0, 0);
    }
    for (const pod of pods.told) {
      this.#tell(pod, ttlMs, graceMs);
      // The operator may have been killed between the two.
      if (pods.begin.includes(pod) || !hasGate(pod)) continue;
      yield pod;
      await this.#gate(pod, "False", "Leaving");
    }
  }

  #gate(pod: KubeObject, status: "True" | "False", reason: string): Promise<void> {
    const lastTransitionTime = writtenTime(this.#deps.clock.wall());
    return this.#deps.cluster.patchPodConditions(pod, [{ type: warmGate, status, reason, lastTransitionTime }]);
  }

  #tell(pod: KubeObject, ttl: number, graceMs: number): void {
    this.#deps.tell?.(...leaveRequest(pod, this.#deps.clock.wall(), ttl, graceMs));
  }
}

/** In the space of the pod's namespace. */
function leaveRequest({ metadata }: KubeObject, wallMs: number, ttl: number, graceMs: number): [string, Uint8Array] {
  const { name, namespace = "" } = metadata;
  const pool = metadata.labels?.[labels.pool] ?? "";
  const message = create(LeaveRequestSchema, { worker: name, pool, unixMs: BigInt(Math.round(wallMs)), ttlMs: ttl, graceMs });
  return [inSpace(namespace, subjects.leave(name)), toBinary(LeaveRequestSchema, message)];
}

const hasGate = ({ status }: KubeObject): boolean =>
  (status?.conditions ?? []).some(({ type, status: holds }: Json) => type === warmGate && holds === "True");
