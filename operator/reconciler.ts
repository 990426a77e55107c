// reconciler: the path of a key, read top to bottom, and the only file that knows the order: watch → observe → decide → desired →
// act → report. A key is run again when something it concerns changes, when a time passes, and when a run failed.
import type { Clock } from "../lib/clock.ts";
import type { SlipstreamError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Act, Done } from "./act/act.ts";
import { decideCache, decideGuessing, decidePool, decideService, guessingNothing, withLengths } from "./decide/decide.ts";
import { cachePlan, poolPlan, poolTemplate, servicePlan } from "./desired/desired.ts";
import type { OperatorMetrics } from "./metrics.ts";
import type { KubeObject } from "./objects.ts";
import type { Observe } from "./observe/observe.ts";
import { childKey, type PoolSeen, type PoolVerdict } from "./pool.ts";
import type { Report } from "./report/report.ts";

export interface Rooms {
  readonly observe: Observe;
  readonly act: Act;
  readonly report: Report;
}

interface Deps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Pick<OperatorMetrics, "reconciles_total" | "reconcile_seconds">;
  /** Runs the key again after this. */
  readonly again: (key: string, ms: number) => void;
}

/** Secrets are not watched, and figures of the bus change no object: each is looked at again in a while. */
const resyncMs = 5 * 60_000;
const figuresMs = 5_000;
/** Load is heard each second, and who leaves is looked at as often. */
const moveMs = 1_000;

export class Reconciler {
  readonly #rooms: Rooms;
  readonly #deps: Deps;

  constructor(rooms: Rooms, deps: Deps) {
    this.#rooms = rooms;
    this.#deps = deps;
  }

  /** One run; rejects when it must come again soon. */
  async run(key: string): Promise<void> {
    const { clock, log, metrics } = this.#deps;
    const [kind = ""] = key.split("/");
    const began = clock.now();
    const end = (how: string) => {
      metrics?.reconciles_total.inc({ kind, end: how });
      metrics?.reconcile_seconds.observe({ kind }, (clock.now() - began) / 1_000);
    };
    try {
      const failure = await this.#path(kind, key);
      if (failure) throw failure;
      end("done");
    } catch (thrown) {
      log.warn({ key, err: thrown }, "a run failed; it comes again");
      end("failed");
      throw thrown;
    }
  }

  async #path(kind: string, key: string): Promise<SlipstreamError | undefined> {
    const object = this.#rooms.observe.object(key);
    // Gone, or going: what it owns goes with it, and nothing new is made for it.
    if (!object || object.metadata.deletionTimestamp !== undefined) return undefined;
    if (kind === "WorkerPool") return this.#pool(key, object);
    if (kind === "ModelCache") return this.#cache(key, object);
    return this.#service(key, object);
  }

  async #pool(key: string, object: KubeObject): Promise<SlipstreamError | undefined> {
    const { observe, act, report } = this.#rooms;
    const { seen: told, problems } = observe.pool(object); //                1 what is there, once, from stores and bus
    if (!told) return this.#invalid(object, problems);
    const guessing = decideGuessing(told);
    const seen = guessing.on ? told : guessingNothing(told); //              2 as it is to be, guessing tokens or not
    const rendered = withLengths(seen); //                                   with the lengths of drafts that it was given
    const template = poolTemplate(rendered); //                              and the pod it asks for, with the revision that names it
    const verdict = decidePool(seen, template.revision, guessing); //        3 pure: how many of which revision, who leaves, what holds
    const plan = poolPlan(rendered, verdict, template); //                   4 pure: the objects that shall be there
    const live = new Map([...seen.children, ...seen.workloads.map((each) => [childKey(each), each] as const)]);
    const done = await act.carryOut(plan, (child) => live.get(child)); //    5 certificates, objects, removals, warm pods
    await report.pool(seen, verdict, done.failure); //                       6 conditions, figures, events
    this.#later(key, isMoving(seen, verdict) ? moveMs : verdict.againMs, seen.setting.bus);
    return this.#told(key, done);
  }

  async #cache(key: string, object: KubeObject): Promise<SlipstreamError | undefined> {
    const { observe, act, report } = this.#rooms;
    const { seen, problems } = observe.cache(object);
    if (!seen) return this.#invalid(object, problems);
    const verdict = decideCache(seen);
    const done = await act.carryOut(cachePlan(seen, verdict), (child) => seen.children.get(child));
    await report.cache(seen, verdict, done.failure);
    const waits = verdict.conditions.some(({ reason }) => reason === "Downloading" || reason === "BuildingEngine");
    this.#later(key, waits ? 60_000 : undefined, false);
    return this.#told(key, done);
  }

  async #service(key: string, object: KubeObject): Promise<SlipstreamError | undefined> {
    const { observe, act, report } = this.#rooms;
    const { seen, problems } = observe.service(object);
    if (!seen) return this.#invalid(object, problems);
    const plan = servicePlan(seen);
    const verdict = decideService(seen, plan.problems);
    const done = await act.carryOut(plan, (child) => seen.children.get(child));
    await report.service(seen, verdict, plan.version, done.failure);
    this.#later(key, undefined, seen.setting.bus);
    return this.#told(key, done);
  }

  async #invalid(object: KubeObject, problems: readonly string[]): Promise<undefined> {
    await this.#rooms.report.invalid(object, problems);
    return undefined;
  }

  #later(key: string, ms: number | undefined, figures: boolean): void {
    this.#deps.again(key, Math.min(ms ?? resyncMs, figures ? figuresMs : resyncMs) + 1);
  }

  #told(key: string, { sent, removed, failure }: Done): SlipstreamError | undefined {
    if (sent.length + removed.length > 0) this.#deps.log.info({ key, sent, removed }, "changed the cluster");
    if (failure) this.#deps.log.warn({ key, what: failure.what, why: failure.error.message }, "an object was refused");
    return failure?.error;
  }
}

/** Something of it may be decided anew each second. */
function isMoving({ setting, spec }: PoolSeen, { leaving, rollout }: PoolVerdict): boolean {
  if (!setting.bus || spec.suspend) return leaving.told.length > 0;
  return spec.scaling.mode === "Slipstream" || leaving.told.length > 0 || rollout !== undefined;
}
