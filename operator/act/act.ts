// act: a plan in, what became of it out. Step by step in the plan's order: certificates, objects, removals, warm pods. What is there
// already is not sent again. The first refusal ends it, and is told with the object's name; the next run begins anew.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { Cluster, KubeObject } from "../objects.ts";
import { childKey, type Plan, type WantedCertificate } from "../pool.ts";
import { Pods, type Tell } from "./pods.ts";

export { authorityDefaults, library } from "./authority.ts";
export { Certificates } from "./certificates.ts";

export interface Done {
  readonly sent: readonly string[];
  readonly removed: readonly string[];
  readonly failure: { readonly what: string; readonly error: SlipstreamError } | undefined;
}

interface Deps {
  readonly cluster: Pick<Cluster, "apply" | "claim" | "remove" | "patchPodConditions" | "annotatePod">;
  readonly certificates: { ensure(wanted: WantedCertificate): Promise<void> };
  readonly clock: Clock;
  /** Tells a worker over the bus; absent: there is none. */
  readonly tell?: Tell;
  readonly metrics?: Pick<OperatorMetrics, "applies_total" | "removals_total">;
}

export class Act {
  readonly #deps: Deps;
  readonly #pods: Pods;

  constructor(_options: object, deps: Deps) {
    this.#deps = deps;
    this.#pods = new Pods(deps);
  }

  /** `live` finds the object as it is, by `Kind/name`. */
  async carryOut(plan: Omit<Plan, "status">, live: (key: string) => KubeObject | undefined): Promise<Done> {
    const { cluster, certificates, metrics } = this.#deps;
    const sent: string[] = [];
    const removed: string[] = [];
    let what = "";
    try {
      for (const wanted of plan.certificates) {
        what = `Secret/${wanted.secret}`;
        await certificates.ensure(wanted);
      }
      for (const object of plan.claim ?? []) {
        what = childKey(object);
        await cluster.claim(object);
      }
      for (const object of plan.apply) {
        what = childKey(object);
        const changed = await cluster.apply(object, live(what));
        metrics?.applies_total.inc({ kind: object.kind, sent: changed ? "yes" : "no" });
        if (changed) sent.push(what);
      }
      for (const object of plan.remove) {
        if (object.metadata.deletionTimestamp !== undefined) continue;
        what = childKey(object);
        await cluster.remove(object);
        metrics?.removals_total.inc({ kind: object.kind });
        removed.push(what);
      }
      for (const pod of plan.warmed) {
        what = childKey(pod);
        await this.#pods.warmed(pod);
      }
      for await (const pod of this.#pods.leaving(plan.leaving, plan.drainMs ?? 0)) what = childKey(pod);
      return { sent, removed, failure: undefined };
    } catch (thrown) {
      return { sent, removed, failure: { what, error: SlipstreamError.from(thrown) } };
    }
  }
}
