// accepted: may the pool be built at all? An ordered list of questions, each with its reason; the first that fails is told.
import { askedEngine, engineName, engineOf, keyInWords } from "../api/built-engine.ts";
import type { ReasonWord } from "../api/conditions.ts";
import type { PoolSeen } from "../pool.ts";

type Question = (seen: PoolSeen) => { readonly reason: ReasonWord; readonly message: string } | undefined;

const gpuClassIsThere: Question = ({ spec, gpuClass }) =>
  spec.gpu && !gpuClass ? { reason: "GPUClassMissing", message: `there is no GPUClass "${spec.gpu.classRef}"` } : undefined;

const gpuClassOffersMode: Question = ({ spec, gpuClass }) => {
  if (!spec.gpu || !gpuClass) return undefined;
  const offered = spec.gpu.mode === "DRA" ? gpuClass.dra : gpuClass.devicePlugin;
  const field = spec.gpu.mode === "DRA" ? "dra" : "devicePlugin";
  return offered === undefined
    ? { reason: "GPUClassMode", message: `GPUClass "${spec.gpu.classRef}" has no ${field}, which gpu.mode ${spec.gpu.mode} needs` }
    : undefined;
};

const named = ({ spec }: PoolSeen) =>
  [
    { what: "model", ...spec.model },
    { what: "speculative.draft", ...spec.speculative.draft },
  ].flatMap(({ what, cacheRef, revision }) => (cacheRef === undefined ? [] : [{ what, cacheRef, revision }]));

const cachesAreThere: Question = (seen) => {
  const missing = named(seen).find(({ cacheRef }) => !seen.caches.has(cacheRef));
  return (
    missing && { reason: "ModelCacheMissing", message: `${missing.what}.cacheRef: there is no ModelCache "${missing.cacheRef}"` }
  );
};

const revisionsAgree: Question = (seen) => {
  const other = named(seen).find(({ cacheRef, revision }) => seen.caches.get(cacheRef)?.spec.revision !== revision);
  return (
    other && {
      reason: "ModelRevisionDiffers",
      message: `${other.what}.revision is ${other.revision}; ModelCache "${other.cacheRef}" holds ${seen.caches.get(other.cacheRef)?.spec.revision}`,
    }
  );
};

const engineIsThere: Question = (seen) => {
  const key = askedEngine(seen.spec);
  const cacheRef = seen.spec.model?.cacheRef ?? "";
  const cache = seen.caches.get(cacheRef);
  if (!key || !cache || engineOf(seen.spec, cache.spec)) return undefined;
  return { reason: "EngineMissing", message: `engines of ModelCache "${cacheRef}" name none for ${keyInWords(key)}` };
};

const severalNodesCanBe: Question = ({ spec, servesLeaderWorkerSets }) =>
  spec.parallelism.nodes > 1 && !servesLeaderWorkerSets
    ? { reason: "LeaderWorkerSetMissing", message: "parallelism.nodes is above 1, and the cluster does not know LeaderWorkerSets" }
    : undefined;

const questions: readonly Question[] = [
  ...[gpuClassIsThere, gpuClassOffersMode, cachesAreThere, revisionsAgree, engineIsThere, severalNodesCanBe],
];

export function refusal(seen: PoolSeen): ReturnType<Question> {
  for (const ask of questions) {
    const said = ask(seen);
    if (said) return said;
  }
  return undefined;
}

/** The first model that is not where pods find it yet, or the engine that is built of it. */
export function modelNotReady(seen: PoolSeen): ReturnType<Question> {
  for (const { what, cacheRef } of named(seen)) {
    const ready = seen.caches.get(cacheRef)?.ready;
    if (ready?.status === "True") continue;
    const reason = (ready?.reason ?? "Downloading") as ReasonWord;
    return { reason, message: `${what}: ModelCache "${cacheRef}" is not ready: ${ready?.message ?? "not looked at yet"}` };
  }
  return engineNotReady(seen);
}

function engineNotReady({ spec, caches }: PoolSeen): ReturnType<Question> {
  const cache = caches.get(spec.model?.cacheRef ?? "");
  const engine = cache && engineOf(spec, cache.spec);
  if (!engine) return undefined;
  const name = engineName(cache.spec, engine);
  const said = (cache.object.status?.engines ?? []).find((each: { name: string }) => each.name === name);
  if (said?.state === "Ready") return undefined;
  const reason = said?.state === "Failed" ? "EngineBuildFailed" : "BuildingEngine";
  return { reason, message: `the engine for ${keyInWords(engine)} is not ready: ${said?.message ?? "not looked at yet"}` };
}
