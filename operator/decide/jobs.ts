// jobs: how a Job ended, and what its pods said last.
import { wallOf } from "../../lib/clock.ts";
import type { Json, KubeObject } from "../objects.ts";

/** Its condition of that type, where it holds. */
export function isDone(job: KubeObject | undefined, type: "Complete" | "Failed"): Json {
  return (job?.status?.conditions ?? []).find((each: Json) => each.type === type && each.status === "True");
}

/** Containers that ended, of pods that did or did not. */
export const ended = (pods: readonly KubeObject[]): Json[] =>
  pods
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .map(({ state, lastState }: Json) => state?.terminated ?? lastState?.terminated);

/** Of the one that ended last: each try has a pod of its own. */
export function lastWords(pods: readonly KubeObject[]): string {
  const spoke = ended(pods).filter((each) => each?.message);
  const at = ({ finishedAt }: Json) => (finishedAt === undefined ? 0 : wallOf(finishedAt));
  const message = spoke.sort((one, other) => at(other) - at(one))[0]?.message as string | undefined;
  return message ? `: ${message.trimEnd().split("\n").at(-1)?.slice(0, 300)}` : "";
}
