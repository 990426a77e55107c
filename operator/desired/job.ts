// job: a Job that runs once, with its tries and its deadline, and a mark of what it was made from: its template cannot change, so one of
// another mark leaves before it is made anew.
import { durationMs } from "../api/fields.ts";
import type { Json, KubeObject } from "../objects.ts";
import { given, own, podSecurity } from "./parts.ts";

const specAnnotation = "slipstream.dev/spec";

interface Wanted {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly deadline: string;
  readonly retries: number;
  /** Another mark is another Job. */
  readonly mark: readonly unknown[];
}

export function once(
  { cache }: { readonly cache: KubeObject },
  { name, labels, deadline, retries, mark }: Wanted,
  pod: Json,
): KubeObject {
  const body = {
    backoffLimit: retries,
    activeDeadlineSeconds: Math.ceil(durationMs(deadline) / 1_000),
    template: {
      metadata: { labels: { "app.kubernetes.io/name": "slipstream", "app.kubernetes.io/managed-by": "slipstream", ...labels } },
      spec: given({
        ...pod,
        restartPolicy: "Never",
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: podSecurity,
      }),
    },
  };
  const annotations = { [specAnnotation]: short(JSON.stringify(mark)) };
  return { ...own("Job", cache, name, { labels, annotations }), spec: body };
}

/** Of one that is there, and not on its way out. */
export function isOtherThan(wanted: KubeObject, live: KubeObject | undefined): boolean {
  if (wanted.kind !== "Job" || !live || live.metadata.deletionTimestamp !== undefined) return false;
  return live.metadata.annotations?.[specAnnotation] !== wanted.metadata.annotations?.[specAnnotation];
}

/** FNV-1a: enough to see a change. */
export function short(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash.toString(16);
}
