// pool-status: what is seen of a pool and judged of it in, its status for people, for the scale subresource and for the operator that
// comes after this one out. Figures that move each second are kept apart from what is decided: they are written less often.
import { writtenTime } from "../../lib/clock.ts";
import { durationMs } from "../api/fields.ts";
import type { LengthsVerdict } from "../lengths.ts";
import type { Json } from "../objects.ts";
import { labels, type PoolFigures, type PoolSeen, type PoolVerdict } from "../pool.ts";
import type { ScalingInputs } from "../scaling.ts";

const decisionsMax = 10;

export function poolStatus(seen: PoolSeen, verdict: PoolVerdict): Record<string, Json> {
  const { pool, spec } = seen;
  const { counts, wanted, revision } = verdict;
  const shown = seen.workloads
    .map(({ metadata, spec: own }) => ({ name: metadata.labels?.[labels.revision] ?? "", replicas: Number(own?.replicas ?? 0) }))
    .map((each) => ({ ...each, ready: readyOf(seen, each.name) }));
  const serving = shown.filter(({ ready }) => ready > 0).map(({ name }) => name);
  return {
    replicas: counts.pods,
    readyReplicas: counts.ready,
    warmReplicas: counts.warm,
    startingReplicas: counts.starting,
    drainingReplicas: counts.draining,
    updatedReplicas: counts.updated,
    ready: `${counts.ready}/${wanted}`,
    selector: `${labels.component}=worker,${labels.pool}=${pool.metadata.name}`,
    updateRevision: revision,
    ...(serving[0] === undefined
      ? {}
      : { currentRevision: serving.includes(revision) && serving.length === 1 ? revision : serving[0] }),
    ...(shown.length > 0 ? { revisions: shown.slice(-16) } : {}),
    scaling: scaling(seen, verdict),
    ...(verdict.rollout ? { rollout: given(rounded(verdict.rollout)) } : {}),
    ...slo(seen),
    ...speculative(seen, verdict),
    gpu: spec.gpu ? `${spec.gpu.count * spec.parallelism.nodes}×${spec.gpu.classRef}` : "none",
    model:
      spec.model?.name ??
      spec.model?.cacheRef ??
      spec.engine.profile ??
      (spec.engine.type === "Embedded" ? "built-in" : spec.engine.type),
  };
}

/** What moves by itself stays as it was written last, until it is due; so does what is remembered, unless it must not be lost. */
export function steady(status: Record<string, Json>, live: Json, due: { figures: boolean; memory: boolean }): Record<string, Json> {
  const { scaling: own, ...rest } = status;
  const before = live?.scaling;
  const figures = due.figures || !before ? {} : Object.fromEntries(figureNames.map((name) => [name, before[name]]));
  const memory = due.memory || before?.memory === undefined ? own.memory : before.memory;
  const rollout = due.figures || live?.rollout?.way !== rest["rollout"]?.way ? undefined : live?.rollout?.message;
  return {
    ...rest,
    ...(rollout === undefined ? {} : { rollout: { ...rest["rollout"], message: rollout } }),
    ...(due.figures || live?.slo === undefined ? {} : { slo: live.slo }),
    ...(due.figures || live?.speculative?.acceptance === undefined || !rest["speculative"]
      ? {}
      : { speculative: { ...rest["speculative"], ...acceptanceOf(live.speculative) } }),
    scaling: given({ ...own, ...figures, memory }),
  };
}

const figureNames = [
  ...["loadRps", "forecastRps", "sloCapacityRps", "headroomBeta", "queued", "coldStartP90", "predictedP95"],
] as const;

const acceptanceOf = ({ acceptance, recommendedTokens, gain }: Json) => given({ acceptance, recommendedTokens, gain });

function scaling({ pool, wallMs }: PoolSeen, { wanted, scaling: sized, decided }: PoolVerdict): Json {
  const { asked, reason, verdict, writers } = sized;
  const before: Json[] = pool.status?.scaling?.lastDecisions ?? [];
  const inputs = verdict && figures(verdict.inputs);
  const { message: _, ...change } = decided ?? { message: "" };
  const decisions = decided
    ? [{ time: writtenTime(wallMs), ...change, ...(inputs ? { inputs } : {}) }, ...before].slice(0, decisionsMax)
    : before;
  return {
    ...{ desired: wanted, asked, reason },
    ...inputs,
    ...(decisions.length > 0 ? { lastDecisions: decisions } : {}),
    ...(writers.length > 0 ? { writers } : {}),
    ...(verdict ? { memory: verdict.memory } : {}),
  };
}

function figures(inputs: ScalingInputs): Record<(typeof figureNames)[number], string> {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)}s`;
  return {
    loadRps: inputs.loadRps.toFixed(1),
    forecastRps: inputs.forecastRps.toFixed(1),
    sloCapacityRps: inputs.sloCapacityRps.toFixed(1),
    headroomBeta: inputs.headroomBeta.toFixed(2),
    queued: inputs.queued.toFixed(0),
    coldStartP90: seconds(inputs.coldStartP90Ms),
    predictedP95: `${Math.round(inputs.predictedP95Ms)}ms`,
  };
}

function slo({ spec, figures: said }: PoolSeen): Json {
  if (said?.p95Ms === undefined) return {};
  const target = durationMs(spec.scaling.slo.p95) - durationMs(spec.scaling.slo.networkBudget);
  const attained = said.attainment(target);
  return {
    slo: { p95: `${Math.round(said.p95Ms)}ms`, ...(attained === undefined ? {} : { attainment: attained.toFixed(2) }) },
  };
}

/** Of a pool that guesses, or did; whoever sets no bound has nothing that must be remembered. */
function speculative({ figures: said, pool }: PoolSeen, { speculation, lengths }: PoolVerdict): Json {
  const { method, minAcceptance, schedule } = pool.spec?.speculative ?? {};
  // One length for all is no advice where the operator gives several.
  const recommended = schedule === "Auto" ? undefined : said?.recommended;
  const shown = said?.acceptance === undefined ? {} : acceptance(said.acceptance, recommended);
  const kept =
    method === undefined || method === "None" || minAcceptance === undefined
      ? {}
      : { on: speculation.on, method, memory: speculation.memory };
  const all = { ...shown, ...kept, ...(lengths ? byBatch(lengths) : {}) };
  return Object.keys(all).length === 0 ? {} : { speculative: all };
}

function acceptance(share: number, recommended: PoolFigures["recommended"]) {
  const length = recommended && { recommendedTokens: recommended.tokens, gain: recommended.gain.toFixed(2) };
  return { acceptance: share.toFixed(2), ...length };
}

function byBatch({ given: byBatch, recommended, memory }: LengthsVerdict): Json {
  return given({
    byBatch,
    ...(recommended && {
      recommendedByBatch: recommended.lengths,
      byBatchGain: recommended.gain.toFixed(2),
      byBatchFrom: recommended.from,
    }),
    byBatchMemory: memory,
  });
}

const rounded = (rollout: NonNullable<PoolVerdict["rollout"]>) => ({
  ...rollout,
  p95BeforeMs: rollout.p95BeforeMs === undefined ? undefined : Math.round(rollout.p95BeforeMs),
});

const given = (fields: Json): Json => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function readyOf({ pods }: PoolSeen, revision: string): number {
  return pods.filter(
    ({ metadata, status }) =>
      metadata.labels?.[labels.revision] === revision &&
      metadata.labels?.[labels.component] === "worker" &&
      metadata.deletionTimestamp === undefined &&
      (status?.conditions ?? []).some((each: Json) => each.type === "Ready" && each.status === "True"),
  ).length;
}
