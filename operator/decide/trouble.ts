// trouble: pods that do not serve in, the worst cause in a sentence out: what a person would find by describing every pod. An ordered
// list of causes, the one that others follow from first.
import type { ReasonWord } from "../api/conditions.ts";
import type { Json, KubeObject } from "../objects.ts";

export interface Trouble {
  readonly reason: ReasonWord;
  readonly message: string;
  readonly pods: readonly string[];
}

export const conditionOf = ({ status }: KubeObject, type: string): Json =>
  (status?.conditions ?? []).find((condition: Json) => condition.type === type);
export const isTrue = (object: KubeObject, type: string): boolean => conditionOf(object, type)?.status === "True";
export const isEnding = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;
export const isReady = (pod: KubeObject): boolean => isTrue(pod, "Ready") && !isEnding(pod);

type Cause = (pod: KubeObject) => { readonly reason: ReasonWord; readonly why: string } | undefined;

const statuses = ({ status }: KubeObject): Json[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];
const short = (text: string, max = 300) => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

const waiting =
  (reason: ReasonWord, words: readonly string[], what: string): Cause =>
  (pod) => {
    const found = statuses(pod).find(({ state }) => words.includes(state?.waiting?.reason));
    return (
      found && {
        reason,
        why: `container ${found.name} ${what}: ${short(found.state.waiting.message ?? found.state.waiting.reason)}`,
      }
    );
  };

const causes: readonly Cause[] = [
  (pod) =>
    pod.status?.reason === "Evicted" ? { reason: "Evicted", why: short(pod.status.message ?? "evicted by its node") } : undefined,
  (pod) =>
    pod.status?.reason === "NodeLost" || conditionOf(pod, "Ready")?.reason === "NodeLost"
      ? { reason: "NodeLost", why: `node ${pod.spec?.nodeName} does not answer` }
      : undefined,
  (pod) => {
    const killed = statuses(pod).find(
      ({ state, lastState }) => (state?.terminated ?? lastState?.terminated)?.reason === "OOMKilled",
    );
    return (
      killed && {
        reason: "OutOfMemory",
        why: `container ${killed.name} was killed for its memory, ${killed.restartCount ?? 0} restarts`,
      }
    );
  },
  waiting(
    "ImagePullFailed",
    ["ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull"],
    "cannot pull its image",
  ),
  waiting("ContainerConfigError", ["CreateContainerConfigError", "CreateContainerError", "RunContainerError"], "cannot be made"),
  (pod) => {
    const found = statuses(pod).find(
      ({ state, restartCount }) =>
        state?.waiting?.reason === "CrashLoopBackOff" || (state?.terminated?.exitCode > 0 && (restartCount ?? 0) > 0),
    );
    if (!found) return undefined;
    const last = found.state?.terminated ?? found.lastState?.terminated;
    const said = last?.message ? `: ${short(lastLine(last.message))}` : "";
    return {
      reason: "CrashLoop",
      why: `container ${found.name} ended ${found.restartCount ?? 1} times, last with ${last?.exitCode ?? "no"} status${said}`,
    };
  },
  (pod) => {
    const failed = statuses(pod).find(({ state }) => state?.terminated?.exitCode > 0);
    return (
      failed && {
        reason: "CrashLoop",
        why: `container ${failed.name} ended with ${failed.state.terminated.exitCode}: ${short(lastLine(failed.state.terminated.message ?? ""))}`,
      }
    );
  },
  (pod) => {
    const scheduled = conditionOf(pod, "PodScheduled");
    if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") return undefined;
    const message = short(scheduled.message ?? "no node fits");
    return { reason: /cannot allocate all claims|resourceclaim/i.test(message) ? "ClaimPending" : "Unschedulable", why: message };
  },
  waiting("VolumeMountFailed", ["ContainerCannotRun"], "cannot mount"),
];

const lastLine = (text: string) => text.trimEnd().split("\n").at(-1) ?? "";

/** The cause that most pods share among the gravest; undefined: nothing is known to be wrong. */
export function worstTrouble(pods: readonly KubeObject[]): Trouble | undefined {
  const alive = pods.filter((pod) => !isEnding(pod));
  for (const cause of causes) {
    const found = alive.flatMap((pod) => {
      const judged = cause(pod);
      return judged ? [{ ...judged, name: pod.metadata.name }] : [];
    });
    const [first] = found;
    if (!first) continue;
    const many = found.length === 1 ? `pod ${first.name}` : `${found.length} pods, ${first.name} among them`;
    return { reason: first.reason, message: `${many}: ${first.why}`, pods: found.map(({ name }) => name) };
  }
  return undefined;
}
