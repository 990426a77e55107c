// cache: the verdict on a ModelCache: are the files where pods find them, and if not, why; and how far its engines are.
import { wallOf } from "../../lib/clock.ts";
import type { KubeObject } from "../objects.ts";
import { type CacheSeen, type CacheVerdict, type Judged, labels } from "../pool.ts";
import { decideEngines, enginesCondition } from "./engines.ts";
import { ended, isDone, lastWords } from "./jobs.ts";
import { worstTrouble } from "./trouble.ts";

export function decideCache(seen: CacheSeen): CacheVerdict {
  const ofFiles = ({ metadata }: KubeObject) => metadata.labels?.[labels.engine] === undefined;
  const children = new Map([...seen.children].filter(([, child]) => ofFiles(child)));
  const files = filesOf({ ...seen, children, pods: seen.pods.filter(ofFiles) });
  const engines = decideEngines(seen, files.status === "True");
  const more = enginesCondition(engines);
  return { conditions: [files, ...(more ? [more] : [])], engines };
}

/** Ready is about the files alone: pools that load them wait for no engine. */
function filesOf(seen: CacheSeen): Judged {
  const { spec, children } = seen;
  const jobs = [...children.values()].filter(({ kind, metadata }) => kind === "Job" && metadata.deletionTimestamp === undefined);
  if (spec.storage.mode === "Pod") return said("True", "AsExpected", "each pod downloads for itself before it starts");
  return spec.storage.mode === "Image" ? image(seen, jobs) : volume(seen, jobs[0]);
}

const said = (status: Judged["status"], reason: Judged["reason"], message: string): Judged => ({
  type: "Ready",
  status,
  reason,
  message,
});

function volume(seen: CacheSeen, job: KubeObject | undefined): Judged {
  if (isDone(job, "Complete")) return said("True", "Complete", `downloaded and proved; ${seen.spec.revision}`);
  const claim = [...seen.children.values()].find(({ kind }) => kind === "PersistentVolumeClaim");
  const failed = isDone(job, "Failed");
  const own = seen.pods.filter(({ status }) => status?.phase !== "Succeeded");
  if (failed)
    return said(
      "False",
      mismatch(own) ? "ChecksumMismatch" : "DownloadFailed",
      `${failed.message ?? "the Job failed"}${lastWords(own)}`,
    );
  const trouble = worstTrouble(own);
  if (trouble && trouble.reason !== "CrashLoop") {
    const pending = trouble.reason === "Unschedulable" && claim?.status?.phase !== "Bound";
    return said("False", pending ? "VolumePending" : trouble.reason, trouble.message);
  }
  const tries = Number(job?.status?.failed ?? 0);
  const since = job?.status?.startTime ? `, ${Math.round((seen.wallMs - wallOf(job.status.startTime)) / 1_000)} s` : "";
  const again = tries > 0 ? `, try ${tries + 1} of ${seen.spec.prefetch.retries + 1}${lastWords(own)}` : "";
  return said("False", "Downloading", `the model is being downloaded${tries > 0 ? again : minutes(since)}`);
}

/** By the minute: a message that changes each second would be written each second. */
function minutes(since: string): string {
  const seconds = Number(/\d+/.exec(since)?.[0] ?? 0);
  return seconds < 60 ? "" : ` since ${Math.floor(seconds / 60)} min`;
}

function image({ spec, nodes }: CacheSeen, jobs: readonly KubeObject[]): Judged {
  if (!spec.prefetch.perNode) return said("True", "AsExpected", "the kubelet pulls it once a node, by digest");
  const failed = jobs.find((job) => isDone(job, "Failed"));
  if (failed) return said("False", "DownloadFailed", `${failed.metadata.name}: the image could not be pulled`);
  const done = jobs.filter((job) => isDone(job, "Complete")).length;
  return done >= nodes.length
    ? said("True", "Complete", `pulled on ${done} nodes`)
    : // A node without it still works: its first pod waits for the pull.
      said("True", "Downloading", `pulled on ${done} of ${nodes.length} nodes`);
}

/** How `slipstream fetch` ends when what came is not what was said. */
const mismatchExit = 65;
const mismatch = (pods: readonly KubeObject[]) => ended(pods).some((each) => each?.exitCode === mismatchExit);
