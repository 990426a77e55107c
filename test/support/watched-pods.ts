// watched-pods: the pods of a namespace on a real control plane, their workers spoken for: who serves has generations under way, who leaves
// has them end one after the other, and who is gone with some left was cut off.
import type { Bus } from "../../lib/bus/bus.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Kube } from "../../operator/kube/kube.ts";
import { kinds } from "../../operator/objects.ts";
import type { Loose } from "./cluster-objects.ts";
import { SpokenWorkers } from "./spoken-workers.ts";

const lookMs = 200;

export class WatchedPods {
  /** Those that nobody deletes. */
  seen: readonly Loose[] = [];
  readonly cutOff: string[] = [];
  readonly workers: SpokenWorkers;
  readonly #options: { readonly namespace: string; readonly underWay: number };
  readonly #kube: Kube;
  readonly #over = new AbortController();

  /** `underWay`: with each worker that serves. */
  constructor(
    options: { readonly namespace: string; readonly underWay: number },
    deps: { readonly kube: Kube; readonly bus: Bus },
  ) {
    this.#options = options;
    this.#kube = deps.kube;
    this.workers = new SpokenWorkers(deps.bus, options.namespace, () => this.seen, 500);
    void this.#watch();
  }

  of(pool: string): readonly Loose[] {
    return this.seen.filter(({ metadata }) => metadata.labels["slipstream.dev/pool"] === pool);
  }

  serving(pool: string): readonly Loose[] {
    return this.of(pool).filter(isReady);
  }

  close(): void {
    this.#over.abort();
    this.workers.close();
  }

  async #watch(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#look().catch(() => undefined);
      await systemClock.sleep(lookMs, this.#over.signal).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const all = (await this.#kube.cluster.list(kinds.Pod, this.#options.namespace)) as Loose[];
    const now = all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const there = new Set(now.map(({ metadata }) => metadata.name));
    for (const { metadata } of this.seen)
      if (!there.has(metadata.name) && this.workers.of(metadata.name).outstanding > 0) this.cutOff.push(metadata.name);
    for (const pod of now) {
      const worker = this.workers.of(pod.metadata.name);
      if (worker.leaving) worker.outstanding = Math.max(0, worker.outstanding - 1);
      else if (isReady(pod)) worker.outstanding = this.#options.underWay;
    }
    this.seen = now;
  }
}

const isReady = ({ status }: Loose): boolean =>
  status?.conditions?.some(({ type, status: holds }: Loose) => type === "Ready" && holds === "True") === true;
