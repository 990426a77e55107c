// outbox: outcome events on their way to the bus, in batches of at most `everyMs` and `batchMax`. A batch goes to the spool first, to
// the bus next, in order, and leaves the spool when the bus has stored it; while the bus is away batches wait there. Bounded
// by the spool, whose oldest goes first, and by `unspooledMax` batches that a slow disk has not taken; what is dropped is counted.
import { create, toBinary } from "@bufbuild/protobuf";
import type { Bus } from "../../lib/bus/bus.ts";
import { subjects } from "../../lib/bus/subjects.ts";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { type FeedbackRecord, OutcomeBatchSchema, type OutcomeEvent } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import type { RouterMetrics } from "../metrics.ts";
import type { Spool, SpooledBatch } from "./spool.ts";

export interface OutboxOptions {
  readonly router: string;
  readonly everyMs: number;
  readonly batchMax: number;
  /** Largest message; a batch that is larger travels in several. */
  readonly bytesMax: number;
  /** Batches on their way into the spool: a disk that hangs costs no more memory. */
  readonly unspooledMax: number;
  /** How long a bus that did not store a batch is left alone. */
  readonly retryMs: number;
}

export interface OutboxDeps {
  readonly clock: Clock;
  readonly bus: Pick<Bus, "append">;
  readonly spool: Spool;
  readonly log: Log;
  readonly metrics: Pick<RouterMetrics, "outcome_events_total" | "outcome_events_waiting">;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #deps: OutboxDeps;
  readonly #outcomes: OutcomeEvent[] = [];
  readonly #feedback: FeedbackRecord[] = [];
  #batchId: bigint;
  #timer: Disposable | undefined;
  #retry: Disposable | undefined;
  /** Batches on their way into the spool, in order. */
  #spooling: Promise<void> = Promise.resolve();
  #unspooled = 0;
  #unspooledEvents = 0;
  #sending: Promise<void> | undefined;
  #closed = false;

  constructor(options: OutboxOptions, deps: OutboxDeps) {
    this.#options = options;
    this.#deps = deps;
    // Above all ids of earlier lives of this router, which readers may still remember.
    this.#batchId = BigInt(Math.round(deps.clock.wall())) * 1_000n;
    if (deps.spool.waiting > 0) this.#send();
  }

  /** Outcomes and reports that the bus has not stored. */
  get waiting(): number {
    return this.#outcomes.length + this.#feedback.length + this.#unspooledEvents + this.#deps.spool.waiting;
  }

  outcome(event: OutcomeEvent): void {
    this.#outcomes.push(event);
    this.#bound();
  }

  feedback(record: FeedbackRecord): void {
    this.#feedback.push(record);
    this.#bound();
  }

  /** Seals what is pending; resolves when it is in the spool and the bus has stored what it takes now. */
  async flush(): Promise<void> {
    this.#seal();
    await this.#spooling;
    this.#send();
    await this.#sending;
  }

  /** The last batches; what the bus does not take stays in the spool. */
  async close(): Promise<void> {
    await this.flush();
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    this.#retry?.[Symbol.dispose]();
    const { spool, log } = this.#deps;
    const { waiting } = spool;
    if (waiting > 0) log.warn({ events: waiting }, "outcomes are left that the bus has not stored");
    await spool.close();
  }

  #bound(): void {
    const { batchMax, everyMs } = this.#options;
    if (this.#outcomes.length >= batchMax || this.#feedback.length >= batchMax) this.#seal();
    else this.#timer ??= this.#deps.clock.timer(everyMs, () => this.#seal());
  }

  /** What is pending becomes a batch on its way into the spool. */
  #seal(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const { router, batchMax } = this.#options;
    while (this.#outcomes.length + this.#feedback.length > 0) {
      const [outcomes, feedback] = [this.#outcomes.splice(0, batchMax), this.#feedback.splice(0, batchMax)];
      const batchId = this.#batchId++;
      for (const [index, part] of this.#parts({ outcomes, feedback }).entries()) {
        const data = toBinary(OutcomeBatchSchema, create(OutcomeBatchSchema, { router, batchId, index, ...part }));
        const events = part.outcomes.length + part.feedback.length;
        this.#spool({ id: `${router}.${batchId}.${index}`, data, events });
      }
    }
  }

  #parts(part: { outcomes: OutcomeEvent[]; feedback: FeedbackRecord[] }): (typeof part)[] {
    const { outcomes, feedback } = part;
    const events = outcomes.length + feedback.length;
    if (events <= 1 || toBinary(OutcomeBatchSchema, create(OutcomeBatchSchema, part)).length <= this.#options.bytesMax)
      return [part];
    const [some, others] = [Math.ceil(outcomes.length / 2), Math.floor(feedback.length / 2)];
    return [
      ...this.#parts({ outcomes: outcomes.slice(0, some), feedback: feedback.slice(0, others) }),
      ...this.#parts({ outcomes: outcomes.slice(some), feedback: feedback.slice(others) }),
    ];
  }

  #spool(batch: SpooledBatch): void {
    const { spool, metrics } = this.#deps;
    if (this.#unspooled >= this.#options.unspooledMax) {
      metrics.outcome_events_total.inc({ fate: "dropped" }, batch.events);
      return;
    }
    this.#unspooled += 1;
    this.#unspooledEvents += batch.events;
    this.#spooling = this.#spooling.then(async () => {
      const dropped = await spool.append(batch);
      this.#unspooled -= 1;
      this.#unspooledEvents -= batch.events;
      if (dropped > 0) metrics.outcome_events_total.inc({ fate: "dropped" }, dropped);
      metrics.outcome_events_waiting.set({}, spool.waiting);
      // A bus that was just asked in vain is asked again by the timer alone.
      if (!this.#retry) this.#send();
    });
  }

  #send(): void {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      // One may have come between the last look and now.
      if (this.#deps.spool.waiting > 0 && !this.#retry && !this.#closed) this.#send();
    });
  }

  /** One after another: the bus holds them in the order of their ending. */
  async #sendAll(): Promise<void> {
    const { spool, bus, metrics, log } = this.#deps;
    const { router } = this.#options;
    for (let batch = await spool.oldest(); batch && !this.#closed; batch = await spool.oldest()) {
      let fate = "sent";
      try {
        await bus.append(subjects.outcomes(router), batch.data, batch.id);
      } catch (thrown) {
        // One that the bus can never take would hold up all behind it.
        if (!(thrown instanceof SlipstreamError) || thrown.code !== "invalid_request") return this.#later();
        log.error({ err: thrown, events: batch.events }, "outcomes are lost: the bus does not take their batch");
        fate = "dropped";
      }
      await spool.remove(batch);
      metrics.outcome_events_total.inc({ fate }, batch.events);
      metrics.outcome_events_waiting.set({}, spool.waiting);
    }
  }

  #later(): void {
    if (this.#closed) return;
    this.#retry ??= this.#deps.clock.timer(this.#options.retryMs, () => {
      this.#retry = undefined;
      this.#send();
    });
  }
}
