// dispatch: a Prompt and a Booking in, Deltas and one Generated out, by the link to the booked worker. Cancel is sent in the
// same tick as the trigger's signal aborts or its reader leaves. Holds one link a worker address; each bounded by its credits.
import { SlipstreamError } from "../../lib/errors.ts";
import { type Booking, type Delta, type Generated, type Lane, type Prompt, Retired, type Work } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";
import type { LinkGeneration } from "./generation.ts";
import { Link, type LinkDeps } from "./link.ts";

export type { Connect } from "./link.ts";

export interface DispatchOptions {
  readonly workers: readonly string[];
  readonly router: string;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly helloTimeoutMs: number;
}

export interface DispatchDeps extends Omit<LinkDeps, "changed"> {
  /** Address of a worker's link, by the worker's name. */
  readonly address: (worker: string) => string | undefined;
  readonly metrics: LinkDeps["metrics"] & Pick<RouterMetrics, "links">;
}

export class Dispatch {
  readonly #links = new Map<string, Link>();
  readonly #deps: DispatchDeps;

  constructor(options: DispatchOptions, deps: DispatchDeps) {
    this.#deps = deps;
    const linkDeps = { ...deps, changed: () => this.#count() };
    for (const address of options.workers) this.#links.set(address, new Link({ ...options, address }, linkDeps));
    this.#count();
  }

  /** Links that are up, of all. */
  get links(): { readonly ready: number; readonly all: number } {
    return { ready: [...this.#links.values()].filter((link) => link.ready).length, all: this.#links.size };
  }

  get outstanding(): number {
    return [...this.#links.values()].reduce((sum, link) => sum + link.outstanding, 0);
  }

  /**
   * Submits now and reads later. Throws the trigger's Retired when it is ended, `worker_lost` or the worker's own refusal
   * otherwise. Leaving the generator early cancels the generation.
   */
  generate(work: Work, prompt: Prompt, booking: Booking): AsyncGenerator<Delta, Generated> {
    const link = this.#links.get(this.#deps.address(booking.placement.worker) ?? "");
    if (!link || work.signal.aborted) {
      booking.release();
      return failing(
        work.signal.aborted ? work.signal.reason : new SlipstreamError("worker_lost", "the worker left before it was asked"),
      );
    }
    return read(link, link.submit(work, prompt, booking), work);
  }

  demand(depths: Readonly<Record<Lane, number>>): void {
    for (const link of this.#links.values()) link.demand(depths);
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
  }

  #count(): void {
    const { ready, all } = this.links;
    this.#deps.metrics.links.set({ state: "ready" }, ready);
    this.#deps.metrics.links.set({ state: "down" }, all - ready);
  }
}

function read(link: Link, generation: LinkGeneration, work: Work): AsyncGenerator<Delta, Generated> {
  const { signal, lane } = work;
  const retired = () => {
    // The cancel first, then the reader: the worker must not compute while we tidy up.
    link.cancel(generation, lane, signal.reason instanceof Retired ? signal.reason.outcome : "cut");
    generation.inbox.end(signal.reason);
  };
  signal.addEventListener("abort", retired, { once: true });
  return (async function* () {
    try {
      for await (const item of generation.inbox) {
        if ("end" in item) return item.end;
        if ("error" in item) throw item.error;
        link.grant(generation, lane, generation.read(item.delta.text));
        // A trigger that ended while the delta waited wants none of it.
        if (signal.aborted) throw signal.reason;
        yield item.delta;
      }
      throw signal.aborted ? signal.reason : new SlipstreamError("worker_lost", "the generation ended without a word");
    } finally {
      signal.removeEventListener("abort", retired);
      link.cancel(generation, lane, "cut");
    }
  })();
}

// biome-ignore lint/correctness/useYield: it is a generator that has nothing to yield.
async function* failing(error: unknown): AsyncGenerator<Delta, Generated> {
  throw error;
}
