// report: a verdict and what became of the plan in, the object's status out, and events for what changed. A condition keeps the time
// of its last change; a status that says the same is not written, and figures that move by themselves only every few seconds.
// Bounded: ten decisions are remembered, the newest first.
import { type Clock, writtenTime } from "../../lib/clock.ts";
import type { SlipstreamError } from "../../lib/errors.ts";
import { Lru } from "../../lib/structures/lru.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { Cluster, Json, KubeObject } from "../objects.ts";
import type { CacheSeen, CacheVerdict, Judged, PoolSeen, PoolVerdict, ServiceSeen } from "../pool.ts";
import { poolStatus, steady } from "./pool-status.ts";

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
  readonly metrics?: Pick<
    OperatorMetrics,
    | ("ready" | "replicas" | "first_text_p95_seconds")
    | ("in_system" | "load_per_second" | "slo_capacity_per_second" | "recommended_replicas")
  >;
}

type Failure = { readonly what: string; readonly error: SlipstreamError } | undefined;

/** What moves each second is written less often, what is learned of the load still less. */
const [figuresEveryMs, memoryEveryMs] = [5_000, 60_000];
const objectsMax = 10_000;
const messageMax = 1_000;
/** Refused by a rule of the cluster: trying again changes nothing until somebody acts. */
const refusals = new Set(["invalid_request", "permission_denied"]);

export class Report {
  readonly #deps: Deps;
  /** When figures and memory of an object were last written. */
  readonly #wrote = new Lru<{ readonly figuresMs: number; readonly memoryMs: number }>({ max: objectsMax });

  constructor(_options: object, deps: Deps) {
    this.#deps = deps;
  }

  async pool(seen: PoolSeen, verdict: PoolVerdict, failure: Failure): Promise<void> {
    const { pool } = seen;
    this.#figures(seen, verdict);
    const due = this.#due(pool, verdict.scaling.verdict?.remember ?? false);
    const status = steady(poolStatus(seen, verdict), pool.status, due);
    await this.#write(pool, verdict.conditions, failure, status, due.figures);
    this.#tellDecisions(pool, verdict);
  }

  async cache({ cache }: CacheSeen, { conditions, engines }: CacheVerdict, failure: Failure): Promise<void> {
    const status = engines.map(({ name, engine: { gpuClassRef, version, tensor, pipeline }, state, message }) => ({
      ...{ name, gpuClass: gpuClassRef, version, tensor, pipeline, state, message: message.slice(0, messageMax) },
    }));
    await this.#write(cache, conditions, failure, status.length > 0 ? { engines: status } : {}, true);
  }

  async service(
    { service, spec, figures }: ServiceSeen,
    verdict: { conditions: readonly Judged[]; ready: number; wanted: number },
    version: number,
    failure: Failure,
  ): Promise<void> {
    const { name, namespace } = service.metadata;
    const { figures: isDue } = this.#due(service, false);
    const p95 = isDue ? figures?.p95Ms && `${Math.round(figures.p95Ms)}ms` : service.status?.p95;
    const status = {
      ready: `${verdict.ready}/${verdict.wanted}`,
      endpoint:
        spec.router.serviceType === "ClusterIP"
          ? `${name}.${namespace}.svc:7411`
          : `${name}.${namespace} (${spec.router.serviceType}):7411`,
      policyVersion: version,
      ...(p95 === undefined ? {} : { p95 }),
    };
    await this.#write(service, verdict.conditions, failure, status, isDue);
  }

  /** A spec that this release cannot read: nothing of it is acted on. */
  async invalid(object: KubeObject, problems: readonly string[]): Promise<void> {
    const message = problems.join("; ");
    const said = (type: Judged["type"]): Judged => ({ type, status: "False", reason: "InvalidSpec", message });
    const { conditions: _, ...before } = object.status ?? {};
    await this.#write(object, [said("Accepted"), said("Ready")], undefined, before, true);
  }

  /** Are its figures, and what it remembers, old enough to be written anew? */
  #due({ metadata: { uid = "" } }: KubeObject, remember: boolean): { figures: boolean; memory: boolean } {
    const now = this.#deps.clock.now();
    const wrote = this.#wrote.get(uid, now) ?? { figuresMs: Number.NEGATIVE_INFINITY, memoryMs: Number.NEGATIVE_INFINITY };
    const due = { figures: now - wrote.figuresMs >= figuresEveryMs, memory: remember || now - wrote.memoryMs >= memoryEveryMs };
    const next = { figuresMs: due.figures ? now : wrote.figuresMs, memoryMs: due.memory ? now : wrote.memoryMs };
    this.#wrote.set(uid, next, now);
    return due;
  }

  async #write(
    object: KubeObject,
    judged: readonly Judged[],
    failure: Failure,
    status: Record<string, Json>,
    isDue: boolean,
  ): Promise<void> {
    const { cluster, clock } = this.#deps;
    const all = failure && refusals.has(failure.error.code) ? withFailure(judged, failure) : judged;
    const live: Json[] = object.status?.conditions ?? [];
    const now = writtenTime(clock.wall()).replace(/\.\d+Z$/, "Z");
    const conditions = all.map(({ type, status: holds, reason, message }) => {
      const before = live.find((each) => each.type === type);
      const stays = !isDue && moves(type, reason) && before?.status === holds && before.reason === reason;
      return {
        ...{ type, status: holds, reason, message: stays ? before.message : message.slice(0, messageMax) },
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

  /** Each change of the number, and of what is guessed, with why. */
  #tellDecisions(about: KubeObject, { decided, speculation, lengths }: PoolVerdict): void {
    const { tell } = this.#deps;
    if (decided && about.status?.scaling)
      tell({
        about,
        type: "Normal",
        reason: decided.reason,
        action: "Scale",
        note: `${decided.from} → ${decided.to}: ${decided.message}`,
      });
    if (speculation.changed)
      tell({
        about,
        type: speculation.on ? "Normal" : "Warning",
        reason: speculation.reason,
        action: "Speculate",
        note: speculation.message,
      });
    const said = lengths?.told;
    if (said)
      tell({
        about,
        type: said.isBad ? "Warning" : "Normal",
        reason: said.reason,
        action: "Speculate",
        note: said.message,
      });
  }

  #figures({ pool, figures, seconds }: PoolSeen, { counts, wanted, scaling }: PoolVerdict): void {
    const { metrics } = this.#deps;
    const { namespace = "", name } = pool.metadata;
    for (const [state, value] of Object.entries({ ...counts, wanted }))
      metrics?.replicas.set({ namespace, pool: name, state }, value);
    if (figures?.p95Ms !== undefined) metrics?.first_text_p95_seconds.set({ namespace, pool: name }, figures.p95Ms / 1_000);
    if (!metrics || !scaling.verdict) return;
    const own = { namespace, pool: name };
    const last = seconds.at(-1);
    const { loadRps, sloCapacityRps } = scaling.verdict.inputs;
    metrics.in_system.set(own, (last?.queued ?? 0) + (last?.inFlight ?? 0));
    metrics.load_per_second.set(own, loadRps);
    metrics.slo_capacity_per_second.set(own, sloCapacityRps);
    metrics.recommended_replicas.set(own, scaling.verdict.wanted);
  }
}

/** Its sentence has figures that move by themselves. */
const moves = (type: Judged["type"], reason: Judged["reason"]): boolean =>
  type === "ScalingActive" || type === "SLOMet" || ["CanaryHeld", "HandingOff", "LoadTooHigh"].includes(reason);

function withFailure(judged: readonly Judged[], { what, error }: NonNullable<Failure>): Judged[] {
  const message = `${what} was refused: ${error.message}`;
  const ready: Judged = { type: "Ready", status: "False", reason: "ApplyFailed", message };
  return [...judged.filter(({ type }) => type !== "Ready"), ready];
}
