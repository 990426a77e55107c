// spool: batches that wait to be stored by the bus, oldest first. Bounded in bytes and in records: what does not fit displaces the
// oldest. This one is in memory and ends with the process; disk-spool.ts keeps them over a restart.

export interface SpooledBatch {
  /** Under which the bus stores it once. */
  readonly id: string;
  readonly data: Uint8Array;
  /** Outcomes and reports in it. */
  readonly events: number;
}

export interface Spool {
  /** Resolves when the batch is as safe as it can be here; with how many events were dropped to make room. */
  append(batch: SpooledBatch): Promise<number>;
  oldest(): Promise<SpooledBatch | undefined>;
  /** The batch is stored elsewhere. */
  remove(batch: SpooledBatch): Promise<void>;
  /** Events that wait. */
  readonly waiting: number;
  close(): Promise<void>;
}

export interface SpoolBounds {
  readonly bytesMax: number;
  readonly recordsMax: number;
}

export class MemorySpool implements Spool {
  readonly #bounds: SpoolBounds;
  /** By id, in the order of coming. */
  readonly #batches = new Map<string, SpooledBatch>();
  #bytes = 0;
  waiting = 0;

  constructor(bounds: SpoolBounds) {
    this.#bounds = bounds;
  }

  async append(batch: SpooledBatch): Promise<number> {
    this.#batches.set(batch.id, batch);
    this.#bytes += batch.data.length;
    this.waiting += batch.events;
    let dropped = 0;
    for (const oldest of this.#batches.values()) {
      if (this.#bytes <= this.#bounds.bytesMax && this.#batches.size <= this.#bounds.recordsMax) break;
      dropped += oldest.events;
      this.#delete(oldest);
    }
    return dropped;
  }

  async oldest(): Promise<SpooledBatch | undefined> {
    return this.#batches.values().next().value;
  }

  async remove(batch: SpooledBatch): Promise<void> {
    this.#delete(batch);
  }

  async close(): Promise<void> {}

  #delete(batch: SpooledBatch): void {
    if (!this.#batches.delete(batch.id)) return;
    this.#bytes -= batch.data.length;
    this.waiting -= batch.events;
  }
}
