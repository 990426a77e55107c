// report: how the engine and the slots are doing in, Load frames out to every router: at each change, at most one each
// `everyMs`, and each `everyMs` while something runs. Books every ended generation in the metrics.
import { create, equals } from "@bufbuild/protobuf";
import type { Clock } from "../../lib/clock.ts";
import {
  DraftPositionSchema,
  type Load,
  LoadSchema,
  type WorkerFrame,
  WorkerFrameSchema,
} from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Acceptance, EngineLoad, Lane, Recommendation, SpeculationReport, Usage } from "../generation.ts";
import type { WorkerMetrics } from "../metrics.ts";
import { SpeculationBooks } from "./speculation-books.ts";

/** The closing frame, as far as the books want to know. */
type Ended = { readonly kind: "done" | "cancelled" } | { readonly kind: "refused"; readonly error: { readonly code: string } };

interface Deps {
  readonly clock: Clock;
  readonly engine: {
    load(): EngineLoad;
    acceptance(): Acceptance;
    speculation?(): SpeculationReport | undefined;
    recommendation?(): Recommendation | undefined;
  };
  readonly slots: { readonly running: number; readonly waiting: number; stepped?(running: number, ms: number): void };
  readonly metrics?: WorkerMetrics;
}

export class Report {
  readonly #options: { readonly everyMs: number; readonly slots: number };
  readonly #deps: Deps;
  readonly #books: SpeculationBooks;
  readonly #readers = new Set<(frame: WorkerFrame) => unknown>();
  #last: Load | undefined;
  #sentMs = Number.NEGATIVE_INFINITY;
  #due: Disposable | undefined;

  constructor(options: { everyMs: number; slots: number }, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    this.#books = new SpeculationBooks({ metrics: deps.metrics });
    deps.metrics?.slots.set({}, options.slots);
  }

  /** A router's inline stream: it gets the present load now and each change until it is disposed. */
  join(send: (frame: WorkerFrame) => unknown): Disposable {
    this.#readers.add(send);
    send(loadFrame(this.#measure()));
    return { [Symbol.dispose]: () => void this.#readers.delete(send) };
  }

  /** Something started, ended or began to wait. */
  changed(): void {
    if (this.#due) return;
    const waitMs = this.#sentMs + this.#options.everyMs - this.#deps.clock.now();
    // By timer even when nothing is due, so that one burst of arrivals is one frame.
    this.#due = this.#deps.clock.timer(Math.max(0, waitMs), () => {
      this.#due = undefined;
      this.#tell();
    });
  }

  /** One generation is over; without an ending its router was gone. */
  ended(lane: Lane | undefined, ending: Ended | undefined, usage: Usage): void {
    const { metrics } = this.#deps;
    const end = ending?.kind ?? "lost";
    if (ending?.kind === "refused") metrics?.refused_total.inc({ code: ending.error.code });
    metrics?.generations_total.inc({ lane: lane ?? "none", end });
    metrics?.prompt_tokens_total.inc({ kv: "cached" }, usage.cachedTokens);
    metrics?.prompt_tokens_total.inc({ kv: "computed" }, usage.recomputedTokens);
    metrics?.completion_tokens_total.inc({ end }, usage.completionTokens);
    metrics?.drafted_tokens_total.inc({ fate: "accepted" }, usage.draftAccepted);
    metrics?.drafted_tokens_total.inc({ fate: "rejected" }, usage.drafted - usage.draftAccepted);
    this.changed();
  }

  #tell(): void {
    const load = this.#measure();
    if (!this.#last || !equals(LoadSchema, this.#last, load)) {
      this.#last = load;
      this.#sentMs = this.#deps.clock.now();
      const frame = loadFrame(load);
      for (const send of this.#readers) send(frame);
    }
    // Speeds and backlog move while something runs.
    if (load.running > 0) this.#due ??= this.#deps.clock.timer(this.#options.everyMs, () => this.#again());
  }

  #again(): void {
    this.#due = undefined;
    this.#tell();
  }

  #measure(): Load {
    const { engine, slots, metrics } = this.#deps;
    const load = engine.load();
    slots.stepped?.(load.running, load.stepMs);
    const acceptance = engine.acceptance();
    const { drafted, accepted } = acceptance;
    const speculation = engine.speculation?.();
    this.#books.book(speculation, acceptance, engine.recommendation?.());
    metrics?.kv_blocks.set({ state: "used" }, load.kvBlocksUsed);
    metrics?.kv_blocks.set({ state: "all" }, load.kvBlocks);
    metrics?.step_seconds.set({}, load.stepMs / 1_000);
    metrics?.prefill_tokens_per_second.set({}, load.prefillTokensPerSecond);
    return create(LoadSchema, {
      running: slots.running,
      waiting: slots.waiting,
      slots: this.#options.slots,
      kvBlocksUsed: load.kvBlocksUsed,
      kvBlocks: load.kvBlocks,
      prefillTokensPerSecond: load.prefillTokensPerSecond,
      stepMs: load.stepMs,
      draftAcceptance: drafted === 0 ? 0 : accepted / drafted,
      prefillBacklogTokens: load.prefillBacklogTokens,
      draftSources: speculation?.open.filter((source) => source !== "none") ?? [],
      draftWhy: this.#books.why,
      draftPositions: acceptance.perPosition.map((at) => create(DraftPositionSchema, at)),
    });
  }
}

function loadFrame(load: Load): WorkerFrame {
  return create(WorkerFrameSchema, { frame: { case: "load", value: load } });
}
