// engines: what became of each engine that a ModelCache names: its Job in, how far it is out. One that came as an image is there.
import { wallOf } from "../../lib/clock.ts";
import { type BuiltEngine, engineName, keyInWords } from "../api/built-engine.ts";
import type { KubeObject } from "../objects.ts";
import { type CacheSeen, type EngineJudged, type Judged, labels } from "../pool.ts";
import { isDone, lastWords } from "./jobs.ts";
import { worstTrouble } from "./trouble.ts";

export function decideEngines(seen: CacheSeen, filesAreThere: boolean): EngineJudged[] {
  return seen.spec.engines.map((engine) => {
    const name = engineName(seen.spec, engine);
    const [state, message] = judge(seen, engine, name, filesAreThere);
    return { name, engine, state, message };
  });
}

const isOf =
  (name: string) =>
  ({ metadata }: KubeObject): boolean =>
    metadata.labels?.[labels.engine] === name;

function judge(seen: CacheSeen, engine: BuiltEngine, name: string, filesAreThere: boolean): [EngineJudged["state"], string] {
  if (engine.prebuilt !== undefined) return ["Ready", "an image, which the kubelet pulls once a node"];
  if (!seen.engineClasses.has(engine.gpuClassRef)) return ["Waiting", `there is no GPUClass "${engine.gpuClassRef}"`];
  const job = [...seen.children.values()].find((child) => child.kind === "Job" && isOf(name)(child));
  const done = isDone(job, "Complete");
  if (done) return ["Ready", `built${took(job)}`];
  const own = seen.pods.filter(isOf(name)).filter(({ status }) => status?.phase !== "Succeeded");
  const failed = isDone(job, "Failed");
  if (failed) return ["Failed", `${failed.message ?? "the Job failed"}${lastWords(own)}`];
  if (!job && !filesAreThere) return ["Waiting", "the model's files are not there yet"];
  const trouble = worstTrouble(own);
  if (trouble && trouble.reason !== "CrashLoop") return ["Building", trouble.message];
  const tries = Number(job?.status?.failed ?? 0);
  const again = tries > 0 ? `, try ${tries + 1} of ${engine.retries + 1}${lastWords(own)}` : "";
  return ["Building", `it is being built${since(job, seen.wallMs)}${again}`];
}

/** By the minute: a message that changes each second would be written each second. */
function since(job: KubeObject | undefined, wallMs: number): string {
  const minutes = job?.status?.startTime === undefined ? 0 : Math.floor((wallMs - wallOf(job.status.startTime)) / 60_000);
  return minutes > 0 ? ` since ${minutes} min` : "";
}

function took(job: KubeObject | undefined): string {
  const { startTime, completionTime } = job?.status ?? {};
  if (startTime === undefined || completionTime === undefined) return "";
  return ` in ${Math.max(1, Math.round((wallOf(completionTime) - wallOf(startTime)) / 60_000))} min`;
}

/** undefined: the spec names none. */
export function enginesCondition(engines: readonly EngineJudged[]): Judged | undefined {
  if (engines.length === 0) return undefined;
  const worst = engines.find(({ state }) => state === "Failed") ?? engines.find(({ state }) => state !== "Ready");
  if (!worst)
    return {
      type: "EnginesReady",
      status: "True",
      reason: "Complete",
      message: `${engines.length} of ${engines.length} are there`,
    };
  const ready = engines.filter(({ state }) => state === "Ready").length;
  return {
    type: "EnginesReady",
    status: "False",
    reason: worst.state === "Failed" ? "EngineBuildFailed" : "BuildingEngine",
    message: `${ready} of ${engines.length} are there; ${keyInWords(worst.engine)}: ${worst.message}`,
  };
}
