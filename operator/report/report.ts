// report: a verdict and what became of the plan in, the object's status out, and events for what changed. A condition keeps the time
// of its last change; a status that says the same is not written. Bounded: ten decisions are remembered, the newest first.
import { type Clock, writtenTime } from "../../lib/clock.ts";
import type { SlipstreamError } from "../../lib/errors.ts";
import { durationMs } from "../api/fields.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { Cluster, Json, KubeObject } from "../objects.ts";
import { type CacheSeen, type Judged, labels, type PoolSeen, type PoolVerdict, type ServiceSeen } from "../pool.ts";

interface Deps {
  readonly cluster: Pick<Cluster, "applyStatus">;
  readonly clock: Clock;
  readonly tell: (happening: {
    about: KubeObject;
    type: "Normal" | "Warning";
    reason: string;
    action: string;
    note: string;
  }) => void;
  readonly metrics?: Pick<OperatorMetrics, "ready" | "replicas" | "first_text_p95_seconds">;
}

type Failure = { readonly what: string; readonly error: SlipstreamError } | undefined;

const decisionsMax = 10;
const messageMax = 1_000;
/** Refused by a rule of the cluster: trying again changes nothing until somebody acts. */
const refusals = new Set(["invalid_request", "permission_denied"]);

export class Report {
  readonly #deps: Deps;

  constructor(_options: object, deps: Deps) {
    this.#deps = deps;
  }

  async pool(seen: PoolSeen, verdict: PoolVerdict, failure: Failure): Promise<void> {
    const { pool, spec, figures } = seen;
    const { counts, wanted, revision } = verdict;
    const now = writtenTime(this.#deps.clock.wall());
    const before = pool.status?.scaling?.lastDecisions ?? [];
    const { decided } = verdict;
    const decisions = decided ? [{ time: now, ...decided }, ...before].slice(0, decisionsMax) : before;
    const target = durationMs(spec.scaling.slo.p95) - durationMs(spec.scaling.slo.networkBudget);
    const attained = figures?.attainment(target);
    const shown = seen.workloads
      .map(({ metadata, spec: own }) => ({ name: metadata.labels?.[labels.revision] ?? "", replicas: Number(own?.replicas ?? 0) }))
      .map((each) => ({ ...each, ready: readyOf(seen, each.name) }));
    const serving = shown.filter(({ ready }) => ready > 0).map(({ name }) => name);
    this.#figures(seen, verdict);
    await this.#write(pool, verdict.conditions, failure, {
      replicas: counts.pods,
      readyReplicas: counts.ready,
      warmReplicas: counts.warm,
      startingReplicas: counts.starting,
      drainingReplicas: counts.draining,
      updatedReplicas: counts.updated,
      ready: `${counts.ready}/${wanted}`,
      selector: `${labels.pool}=${pool.metadata.name}`,
      updateRevision: revision,
      ...(serving[0] === undefined
        ? {}
        : { currentRevision: serving.includes(revision) && serving.length === 1 ? revision : serving[0] }),
      ...(shown.length > 0 ? { revisions: shown.slice(-16) } : {}),
      scaling: { desired: wanted, reason: reasonOf(verdict), ...(decisions.length > 0 ? { lastDecisions: decisions } : {}) },
      ...(figures?.p95Ms === undefined
        ? {}
        : {
            slo: { p95: `${Math.round(figures.p95Ms)}ms`, ...(attained === undefined ? {} : { attainment: attained.toFixed(2) }) },
          }),
      ...(figures?.acceptance === undefined ? {} : { speculative: { acceptance: figures.acceptance.toFixed(2) } }),
      gpu: spec.gpu ? `${spec.gpu.count * spec.parallelism.nodes}×${spec.gpu.classRef}` : "none",
      model:
        spec.model?.name ??
        spec.model?.cacheRef ??
        spec.engine.profile ??
        (spec.engine.type === "Embedded" ? "built-in" : spec.engine.type),
    });
  }

  async cache({ cache }: CacheSeen, conditions: readonly Judged[], failure: Failure): Promise<void> {
    await this.#write(cache, conditions, failure, {});
  }

  async service(
    { service, spec, figures }: ServiceSeen,
    verdict: { conditions: readonly Judged[]; ready: number; wanted: number },
    version: number,
    failure: Failure,
  ): Promise<void> {
    const { name, namespace } = service.metadata;
    await this.#write(service, verdict.conditions, failure, {
      ready: `${verdict.ready}/${verdict.wanted}`,
      endpoint:
        spec.router.serviceType === "ClusterIP"
          ? `${name}.${namespace}.svc:7411`
          : `${name}.${namespace} (${spec.router.serviceType}):7411`,
      policyVersion: version,
      ...(figures?.p95Ms === undefined ? {} : { p95: `${Math.round(figures.p95Ms)}ms` }),
    });
  }

  /** A spec that this release cannot read: nothing of it is acted on. */
  async invalid(object: KubeObject, problems: readonly string[]): Promise<void> {
    const message = problems.join("; ");
    const said = (type: Judged["type"]): Judged => ({ type, status: "False", reason: "InvalidSpec", message });
    const { conditions: _, ...before } = object.status ?? {};
    await this.#write(object, [said("Accepted"), said("Ready")], undefined, before);
  }

  async #write(object: KubeObject, judged: readonly Judged[], failure: Failure, status: Record<string, Json>): Promise<void> {
    const { cluster, clock } = this.#deps;
    const all = failure && refusals.has(failure.error.code) ? withFailure(judged, failure) : judged;
    const live: Json[] = object.status?.conditions ?? [];
    const now = writtenTime(clock.wall()).replace(/\.\d+Z$/, "Z");
    const conditions = all.map(({ type, status: holds, reason, message }) => {
      const before = live.find((each) => each.type === type);
      return {
        ...{ type, status: holds, reason, message: message.slice(0, messageMax) },
        observedGeneration: object.metadata.generation ?? 0,
        lastTransitionTime: before?.status === holds ? before.lastTransitionTime : now,
      };
    });
    const { apiVersion, kind, metadata } = object;
    const wanted = {
      ...{ apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace as string } },
      status: { ...status, observedGeneration: metadata.generation ?? 0, conditions },
    };
    await cluster.applyStatus(wanted, object);
    this.#tellChanges(object, all, live);
  }

  #tellChanges(about: KubeObject, judged: readonly Judged[], live: readonly Json[]): void {
    const ready = judged.find(({ type }) => type === "Ready");
    const { namespace = "", name } = about.metadata;
    if (!ready) return;
    this.#deps.metrics?.ready.set({ kind: about.kind, namespace, name }, ready.status === "True" ? 1 : 0);
    const before = live.find(({ type }) => type === "Ready");
    if (before?.reason === ready.reason && before?.status === ready.status) return;
    const isCalm =
      ready.status === "True" || ["Starting", "Warming", "Downloading", "RoutersStarting", "Suspended"].includes(ready.reason);
    this.#deps.tell({ about, type: isCalm ? "Normal" : "Warning", reason: ready.reason, action: "Judge", note: ready.message });
  }

  #figures({ pool, figures }: PoolSeen, { counts, wanted }: PoolVerdict): void {
    const { metrics } = this.#deps;
    const { namespace = "", name } = pool.metadata;
    for (const [state, value] of Object.entries({ ...counts, wanted }))
      metrics?.replicas.set({ namespace, pool: name, state }, value);
    if (figures?.p95Ms !== undefined) metrics?.first_text_p95_seconds.set({ namespace, pool: name }, figures.p95Ms / 1_000);
  }
}

const reasonOf = ({ conditions }: PoolVerdict) => conditions.find(({ type }) => type === "ScalingActive")?.reason ?? "AsExpected";

function readyOf({ pods }: PoolSeen, revision: string): number {
  return pods.filter(
    ({ metadata, status }) =>
      metadata.labels?.[labels.revision] === revision &&
      metadata.deletionTimestamp === undefined &&
      (status?.conditions ?? []).some((each: Json) => each.type === "Ready" && each.status === "True"),
  ).length;
}

function withFailure(judged: readonly Judged[], { what, error }: NonNullable<Failure>): Judged[] {
  const message = `${what} was refused: ${error.message}`;
  const ready: Judged = { type: "Ready", status: "False", reason: "ApplyFailed", message };
  return [...judged.filter(({ type }) => type !== "Ready"), ready];
}
