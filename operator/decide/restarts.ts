// restarts: how often a pod's containers were restarted since a moment. A kubelet tells how often in all, and when a container last ended:
// one whose last end is older was not restarted since; of another all restarts count, as none is known to be older.
import { wallOf } from "../../lib/clock.ts";
import type { Json, KubeObject } from "../objects.ts";

export function restartsSince({ metadata, status }: KubeObject, sinceMs: number): number {
  const isYounger = (time: string | undefined) => time !== undefined && wallOf(time) >= sinceMs;
  return (status?.containerStatuses ?? [])
    .filter((each: Json) => isYounger(metadata.creationTimestamp) || isYounger(each.lastState?.terminated?.finishedAt))
    .reduce((all: number, each: Json) => all + Number(each.restartCount ?? 0), 0);
}
