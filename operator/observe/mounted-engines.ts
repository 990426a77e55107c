// mounted-engines: which of a cache's built engines are in use: the folders of its claim that pods mount, and that workloads of any
// revision would mount in the next pod they make. The cache's spec may name others by now.
import { enginesClaimName } from "../api/built-engine.ts";
import type { Json, KubeObject } from "../objects.ts";
import type { Stores } from "./observe.ts";

export function mountedEngines(stores: Pick<Stores, "all">, { metadata: { namespace, name } }: KubeObject): ReadonlySet<string> {
  const claim = enginesClaimName(name);
  const users = (["Pod", "Deployment", "LeaderWorkerSet"] as const).flatMap((kind) => stores.all(kind));
  const mounted = users.filter(({ metadata }) => metadata.namespace === namespace).flatMap(podSpecs);
  return new Set(mounted.flatMap((spec) => foldersOf(spec, claim)));
}

/** None of a pod that has ended: it mounts nothing again. */
function podSpecs({ kind, spec, status }: KubeObject): Json[] {
  if (kind === "Pod") return status?.phase === "Succeeded" || status?.phase === "Failed" ? [] : [spec];
  if (kind === "Deployment") return [spec?.template?.spec];
  const { leaderTemplate, workerTemplate } = spec?.leaderWorkerTemplate ?? {};
  return [leaderTemplate?.spec, workerTemplate?.spec];
}

function foldersOf(spec: Json, claim: string): string[] {
  const volumes = (spec?.volumes ?? []).filter((each: Json) => each.persistentVolumeClaim?.claimName === claim);
  const names = new Set(volumes.map((each: Json) => each.name));
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
    .flatMap((each: Json) => each.volumeMounts ?? [])
    .flatMap((each: Json) => (names.has(each.name) && each.subPath ? [each.subPath] : []));
}
