// disk-spool: batches in files of one folder, so that they outlive the process. Each is written before it is sent and marked when the
// bus has it; a file whose batches all are is deleted. A kill -9 loses what was not written yet; a record torn by it is
// left out at the next start. Bounded: when the folder is full its oldest file goes, counted. Where the disk takes nothing
// more, batches wait in memory.
import { type FileHandle, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Spool, SpoolBounds, SpooledBatch } from "./spool.ts";
import { decode, encode, scan, stateAt, stored } from "./spool-record.ts";

export interface DiskSpoolOptions extends SpoolBounds {
  readonly folder: string;
}

interface Segment {
  readonly path: string;
  readonly file: FileHandle;
  bytes: number;
  /** Records that wait. */
  waiting: number;
}

interface Entry {
  readonly id: string;
  readonly events: number;
  readonly segment: Segment | undefined;
  readonly offset: number;
  readonly length: number;
  /** Where the disk did not take it. */
  readonly data?: Uint8Array;
}

/** Batches held in memory while the disk takes none. */
const unwrittenMax = 1_000;
const segmentBytesMax = 4 << 20;
const suffix = ".spool";

export class DiskSpool implements Spool {
  readonly #options: DiskSpoolOptions;
  readonly #log: Log;
  readonly #segments: Segment[] = [];
  /** By id, oldest first. */
  readonly #entries = new Map<string, Entry>();
  #active: Segment | undefined;
  #number: number;
  #unwritten = 0;
  #failing = false;
  waiting = 0;

  private constructor(options: DiskSpoolOptions, log: Log, number: number) {
    this.#options = options;
    this.#log = log;
    this.#number = number;
  }

  /** Finds what an earlier life left. Throws `config` where the folder cannot be used. */
  static async open(options: DiskSpoolOptions, deps: { log: Log }): Promise<DiskSpool> {
    try {
      await mkdir(options.folder, { recursive: true });
      const names = (await readdir(options.folder)).filter((name) => /^\d{12}\.spool$/.test(name)).sort();
      const spool = new DiskSpool(options, deps.log, Number.parseInt(names.at(-1) ?? "0", 10) + 1);
      for (const name of names) await spool.#recover(join(options.folder, name));
      if (spool.waiting > 0) deps.log.info({ events: spool.waiting }, "outcomes of an earlier run wait to be sent");
      return spool;
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new SlipstreamError("config", `SLIPSTREAM_ROUTER_SPOOL: ${why}`, { cause: thrown });
    }
  }

  async append(batch: SpooledBatch): Promise<number> {
    const record = encode(batch);
    let segment: Segment | undefined;
    try {
      segment = await this.#segment(record.length);
      const offset = segment.bytes;
      await segment.file.write(record, 0, record.length, offset);
      segment.bytes += record.length;
      segment.waiting += 1;
      this.#keep({ id: batch.id, events: batch.events, segment, offset, length: record.length });
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#log.error({ err: error }, "outcomes cannot be written to disk; they wait in memory");
      this.#failing = true;
      this.#active = undefined;
      if (segment?.waiting === 0) await this.#delete(segment);
      this.#unwritten += 1;
      this.#keep({ id: batch.id, events: batch.events, segment: undefined, offset: 0, length: 0, data: batch.data });
    }
    return this.#makeRoom();
  }

  async oldest(): Promise<SpooledBatch | undefined> {
    for (const entry of this.#entries.values()) {
      const { id, events, segment, data, offset, length } = entry;
      if (data) return { id, events, data };
      if (!segment) continue;
      const record = Buffer.alloc(length);
      const batch = await segment.file.read(record, 0, length, offset).then(
        () => decode(record),
        () => undefined,
      );
      if (batch) return batch;
      // Room was made meanwhile by leaving this one out.
      if (!this.#entries.has(id)) continue;
      this.#log.error({ path: segment.path, offset }, "a batch of outcomes was spoilt on disk");
      await this.#drop(entry);
    }
    return undefined;
  }

  async remove({ id }: SpooledBatch): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry) return;
    await entry.segment?.file.write(Buffer.of(stored), 0, 1, entry.offset + stateAt).catch(() => {});
    await this.#drop(entry);
  }

  async close(): Promise<void> {
    this.#active = undefined;
    for (const segment of [...this.#segments])
      if (segment.waiting === 0) await this.#delete(segment);
      else await segment.file.close();
    this.#segments.length = 0;
  }

  async #recover(path: string): Promise<void> {
    const bytes = await readFile(path);
    const { records, end } = scan(bytes);
    if (end < bytes.length) this.#log.warn({ path, bytes: bytes.length - end }, "the end of a spool file was not written whole");
    const segment: Segment = { path, file: await open(path, "r+"), bytes: bytes.length, waiting: 0 };
    this.#segments.push(segment);
    for (const { id, events, offset, length, stored: done } of records) {
      if (done) continue;
      segment.waiting += 1;
      this.#keep({ id, events, segment, offset, length });
    }
    if (segment.waiting === 0) await this.#delete(segment);
  }

  /** Where the next record goes. A file of an earlier life is never written on. */
  async #segment(bytes: number): Promise<Segment> {
    const max = Math.min(segmentBytesMax, this.#options.bytesMax / 8);
    if (this.#active && this.#active.bytes + bytes <= max) return this.#active;
    const full = this.#active;
    const path = join(this.#options.folder, `${String(this.#number).padStart(12, "0")}${suffix}`);
    this.#number += 1;
    const made: Segment = { path, file: await open(path, "wx+"), bytes: 0, waiting: 0 };
    this.#active = made;
    this.#segments.push(made);
    if (full?.waiting === 0) await this.#delete(full);
    return made;
  }

  async #makeRoom(): Promise<number> {
    let dropped = 0;
    const { bytesMax, recordsMax } = this.#options;
    const bytes = () => this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
    for (let oldest = this.#segments[0]; oldest && bytes() > bytesMax && oldest !== this.#active; oldest = this.#segments[0]) {
      for (const entry of [...this.#entries.values()].filter(({ segment }) => segment === oldest)) dropped += this.#forget(entry);
      await this.#delete(oldest);
    }
    for (const entry of this.#entries.values()) {
      if (this.#entries.size <= recordsMax && this.#unwritten <= unwrittenMax) break;
      if (this.#entries.size <= recordsMax && !entry.data) continue;
      dropped += entry.events;
      await this.remove({ id: entry.id, events: 0, data: new Uint8Array() });
    }
    return dropped;
  }

  #keep(entry: Entry): void {
    this.#entries.set(entry.id, entry);
    this.waiting += entry.events;
  }

  #forget(entry: Entry): number {
    this.#entries.delete(entry.id);
    this.waiting -= entry.events;
    if (entry.data) this.#unwritten -= 1;
    if (entry.segment) entry.segment.waiting -= 1;
    return entry.events;
  }

  async #drop(entry: Entry): Promise<void> {
    if (!this.#entries.has(entry.id)) return;
    this.#forget(entry);
    const { segment } = entry;
    if (segment && segment.waiting === 0 && segment !== this.#active) await this.#delete(segment);
  }

  async #delete(segment: Segment): Promise<void> {
    const at = this.#segments.indexOf(segment);
    if (at < 0) return;
    this.#segments.splice(at, 1);
    await segment.file.close().catch(() => {});
    await rm(segment.path, { force: true });
  }
}
