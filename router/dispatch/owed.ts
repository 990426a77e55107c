// owed: what a worker owes: the generations on a link whose end it has not told. Its frames of one generation in, each to its own
// reader; what it took for it to the worker's health and the books. Bounded by the credits of the link's worker.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { CancelAck, Done, Refused, Usage } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { RouterMetrics } from "../metrics.ts";
import { type Books, book } from "./books.ts";
import { type deltaOf, errorOf, finishOf, usageOf } from "./frames.ts";
import type { LinkGeneration } from "./generation.ts";
import type { Health } from "./health.ts";

export interface OwedDeps {
  readonly clock: Clock;
  readonly health: Health;
  /** A generation's first delta came, or its end before one. */
  readonly answered: (generation: LinkGeneration) => void;
  /** May the worker be left alone for being late: could others do its work now? */
  readonly spare: () => boolean;
  readonly metrics: Books & Pick<RouterMetrics, "cancel_ack_seconds">;
}

export class Owed {
  readonly #deps: OwedDeps;
  readonly #live = new Map<bigint, LinkGeneration>();

  constructor(deps: OwedDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#live.size;
  }

  has({ id }: LinkGeneration): boolean {
    return this.#live.has(id);
  }

  /** In order of Submit. */
  all(): Iterable<LinkGeneration> {
    return this.#live.values();
  }

  add(generation: LinkGeneration): void {
    this.#live.set(generation.id, generation);
  }

  /** Since when something was owed, of what is owed now. */
  get sinceMs(): number | undefined {
    return this.#live.values().next().value?.submittedMs;
  }

  delta(id: bigint, delta: ReturnType<typeof deltaOf>): void {
    const generation = this.#live.get(id);
    if (!generation) return;
    if (generation.firstMs === undefined) this.#answered(generation, delta.prompt?.recomputedTokens ?? 0);
    generation.delta(delta);
  }

  done({ id, finish, usage }: Done): void {
    const generation = this.#live.get(id);
    if (generation && generation.firstMs === undefined) this.#answered(generation, usage?.recomputedTokens ?? 0);
    this.#ended(id, usage, ({ usage: all, worker }) => ({ end: { finish: finishOf(finish), usage: all, worker } }));
  }

  refused(refused: Refused): void {
    this.#ended(refused.id, refused.usage, (generation) => {
      const error = errorOf(refused);
      // A worker that is full or leaves is no bad one.
      if (error.code === "engine_failed" || error.code === "internal") this.#deps.health.failed(error.code);
      else if (generation.firstMs === undefined && generation.cancelledMs === undefined) this.#deps.health.unasked();
      return { error };
    });
  }

  cancelled({ id, usage }: CancelAck): void {
    this.#ended(id, usage, ({ cancelledMs }) => {
      if (cancelledMs === undefined) this.#deps.health.failed("engine_failed");
      if (cancelledMs === undefined) return { error: new SlipstreamError("engine_failed", "the worker stopped unasked") };
      this.#deps.metrics.cancel_ack_seconds.observe({}, (this.#deps.clock.now() - cancelledMs) / 1000);
      return { error: new SlipstreamError("cancelled", "cancelled by the router") };
    });
  }

  /** The link broke: none of them will be told. */
  broken(error: SlipstreamError): void {
    for (const generation of this.#live.values()) {
      generation.usage = generation.told;
      generation.end({ error });
      this.#deps.answered(generation);
      book(this.#deps.metrics, generation);
    }
    this.#live.clear();
  }

  /** `computed`: of its prompt's tokens. */
  #answered(generation: LinkGeneration, computed: number): void {
    const now = this.#deps.clock.now();
    const { cancelledMs, lane, submittedMs: sinceMs } = generation;
    const { health, spare } = this.#deps;
    generation.firstMs = now;
    if (cancelledMs === undefined && lane === "inline") health.answered({ tookMs: now - sinceMs, computed, sinceMs }, spare);
    else if (cancelledMs === undefined) health.good();
    this.#deps.answered(generation);
  }

  #ended(id: bigint, usage: Usage | undefined, ending: (generation: LinkGeneration) => Parameters<LinkGeneration["end"]>[0]): void {
    const generation = this.#live.get(id);
    if (!generation) return;
    this.#live.delete(id);
    generation.usage = usageOf(usage) ?? generation.told;
    generation.spent = usage;
    generation.end(ending(generation));
    this.#deps.answered(generation);
    book(this.#deps.metrics, generation);
  }
}
