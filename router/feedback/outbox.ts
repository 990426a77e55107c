// outbox: outcome events on their way to the bus, in batches of at most `everyMs` and `batchMax`. Bounded: what does not fit while the bus is
// away is dropped, oldest first, and counted. (The spool to disk comes with the fleet's stream of outcomes.)
import { create, toBinary } from "@bufbuild/protobuf";
import type { Bus } from "../../lib/bus/bus.ts";
import { subjects } from "../../lib/bus/subjects.ts";
import type { Clock } from "../../lib/clock.ts";
import { type FeedbackRecord, OutcomeBatchSchema, type OutcomeEvent } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import type { RouterMetrics } from "../metrics.ts";

export interface OutboxOptions {
  readonly router: string;
  readonly everyMs: number;
  readonly batchMax: number;
  readonly pendingMax: number;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #deps: { readonly clock: Clock; readonly bus: Bus; readonly metrics: Pick<RouterMetrics, "outcome_events_total"> };
  readonly #outcomes: OutcomeEvent[] = [];
  readonly #feedback: FeedbackRecord[] = [];
  #batchId: bigint;
  #timer: Disposable | undefined;

  constructor(options: OutboxOptions, deps: { clock: Clock; bus: Bus; metrics: Pick<RouterMetrics, "outcome_events_total"> }) {
    this.#options = options;
    this.#deps = deps;
    // Above all ids of earlier lives of this router, which readers may still remember.
    this.#batchId = BigInt(Math.round(deps.clock.wall())) * 1_000n;
  }

  outcome(event: OutcomeEvent): void {
    this.#outcomes.push(event);
    this.#bound();
  }

  feedback(record: FeedbackRecord): void {
    this.#feedback.push(record);
    this.#bound();
  }

  /** Sends what is pending now. False: the bus is away, it stays pending. */
  flush(): boolean {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const { router, batchMax } = this.#options;
    while (this.#outcomes.length + this.#feedback.length > 0) {
      const [outcomes, feedback] = [this.#outcomes.slice(0, batchMax), this.#feedback.slice(0, batchMax)];
      const batch = create(OutcomeBatchSchema, { router, batchId: this.#batchId, outcomes, feedback });
      if (!this.#deps.bus.publish(subjects.outcomes(router), toBinary(OutcomeBatchSchema, batch))) {
        this.#arm();
        return false;
      }
      this.#deps.metrics.outcome_events_total.inc({ fate: "sent" }, outcomes.length + feedback.length);
      this.#batchId += 1n;
      this.#outcomes.splice(0, batchMax);
      this.#feedback.splice(0, batchMax);
    }
    return true;
  }

  #bound(): void {
    const { batchMax, pendingMax } = this.#options;
    const drop = (list: unknown[]) => {
      if (list.length <= pendingMax) return;
      list.shift();
      this.#deps.metrics.outcome_events_total.inc({ fate: "dropped" });
    };
    drop(this.#outcomes);
    drop(this.#feedback);
    // A full batch goes at once, but a bus that is away is asked again by the timer alone.
    if ((this.#outcomes.length === batchMax || this.#feedback.length === batchMax) && this.flush()) return;
    this.#arm();
  }

  #arm(): void {
    this.#timer ??= this.#deps.clock.timer(this.#options.everyMs, () => {
      this.#timer = undefined;
      this.flush();
    });
  }
}
