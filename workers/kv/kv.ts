// kv: an engine's KvEvents in, KvChange frames out to the routers' bulk streams, numbered without a gap and sent together
// each `everyMs`. Remembers the last `kept` frames for routers that missed some; an older gap is answered with all that
// is resident. Also the queue of prefixes to compute ahead (warming.ts).
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../lib/clock.ts";
import { type WorkerFrame, WorkerFrameSchema } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Segment } from "../generation.ts";
import type { WorkerMetrics } from "../metrics.ts";
import { HotPrefixes } from "./hot.ts";
import { type Use, type Warming, Warmings } from "./warming.ts";

export type { Warming } from "./warming.ts";

export interface KvOptions {
  readonly everyMs: number;
  readonly kept: number;
  /** Digests in one frame. */
  readonly digestsMax: number;
  /** Prefixes that wait to be computed ahead. */
  readonly warmingsMax: number;
  /** Of prompts computed ahead. */
  readonly warmBytesPerSecond: number;
  /** Sessions whose last prompt is computed again for an engine that comes back with nothing. */
  readonly hotMax: number;
  /** Of the engine. */
  readonly slots: number;
}

/** With 32 sessions 2 MiB. */
const hotBytesMax = 64 << 10;

interface Deps {
  readonly clock: Clock;
  readonly engine: Engine;
  readonly metrics?: Pick<WorkerMetrics, "kv_changes_total" | "warmings_total">;
}

/** What it needs of one. */
interface Engine {
  warm(model: string, segments: readonly Segment[], signal: AbortSignal, cacheSalt: string): Promise<void>;
  onKv(listener: (event: Change) => void): void;
}

interface Change {
  readonly stored: readonly string[];
  readonly removed: readonly string[];
  readonly cleared: boolean;
}

interface Numbered extends Change {
  readonly sequence: bigint;
}

export class Kv {
  readonly #options: KvOptions;
  readonly #clock: Clock;
  readonly #metrics: Pick<WorkerMetrics, "kv_changes_total"> | undefined;
  readonly #warmings: Warmings;
  readonly #hot: HotPrefixes;
  readonly #readers = new Set<(frame: WorkerFrame) => unknown>();
  /** Bounded by the engine's blocks. */
  readonly #resident = new Set<string>();
  readonly #recent: Numbered[] = [];
  #sequence = 0n;
  /** Since the last frame; the value says whether the digest came or went. */
  #pending = new Map<string, "stored" | "removed">();
  #cleared = false;
  #due = false;

  constructor(options: KvOptions, deps: Deps) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#metrics = deps.metrics;
    const { warmingsMax: waitingMax, warmBytesPerSecond: bytesPerSecond, hotMax: max, slots } = options;
    this.#warmings = new Warmings({ waitingMax: Math.max(waitingMax, max), bytesPerSecond, slots }, deps);
    this.#hot = new HotPrefixes({ max, bytesMax: hotBytesMax });
    deps.engine.onKv((event) => this.take(event));
  }

  get sequence(): bigint {
    return this.#sequence;
  }

  take(event: Change): void {
    if (event.cleared) {
      this.#resident.clear();
      this.#pending.clear();
      this.#cleared = true;
    }
    for (const digest of event.removed) if (this.#resident.delete(digest)) this.#flip(digest, "removed");
    for (const digest of event.stored) {
      if (this.#resident.has(digest)) continue;
      this.#resident.add(digest);
      this.#flip(digest, "stored");
    }
    if (this.#due || (this.#pending.size === 0 && !this.#cleared)) return;
    this.#due = true;
    this.#clock.timer(this.#options.everyMs, () => this.#tell());
  }

  /** Compute this prefix when the engine has room for it. */
  warm(warming: Warming): void {
    this.#warmings.take(warming);
  }

  /** A prompt that the engine has computed. */
  computed(work: Parameters<HotPrefixes["computed"]>[0]): void {
    this.#hot.computed(work);
  }

  /** The engine came back and holds nothing: what was hot is computed again, the newest first. */
  reheat(): void {
    for (const warming of this.#hot.all()) this.#warmings.take(warming);
  }

  /** What generations run and wait: real work stops warming, where there is room it goes on. */
  use(use: Use): void {
    this.#warmings.use(use);
  }

  close(): void {
    this.#warmings.close();
  }

  join(send: (frame: WorkerFrame) => unknown): Disposable {
    this.#readers.add(send);
    return { [Symbol.dispose]: () => void this.#readers.delete(send) };
  }

  /** Everything from frame `from` on, to one router. */
  resend(from: bigint, send: (frame: WorkerFrame) => unknown): void {
    const oldest = this.#recent[0]?.sequence ?? this.#sequence + 1n;
    if (from >= oldest) {
      for (const change of this.#recent) if (change.sequence >= from) send(kvFrame(change));
      return;
    }
    // Too old to tell apart: all that is resident, as the state after the last number. What is not told yet comes later.
    const told = [...this.#resident].filter((digest) => this.#pending.get(digest) !== "stored");
    for (const [digest, change] of this.#pending) if (change === "removed") told.push(digest);
    const { digestsMax } = this.#options;
    for (let at = 0; at === 0 || at < told.length; at += digestsMax)
      send(kvFrame({ sequence: this.#sequence, stored: told.slice(at, at + digestsMax), removed: [], cleared: at === 0 }));
  }

  #flip(digest: string, to: "stored" | "removed"): void {
    // Come and gone again between two frames is nothing to tell.
    if (!this.#cleared && this.#pending.has(digest)) this.#pending.delete(digest);
    else this.#pending.set(digest, to);
    if (this.#cleared && to === "removed") this.#pending.delete(digest);
  }

  #tell(): void {
    this.#due = false;
    const changes = [...this.#pending];
    let cleared = this.#cleared;
    this.#pending = new Map();
    this.#cleared = false;
    for (let at = 0; cleared || at < changes.length; at += this.#options.digestsMax) {
      const part = changes.slice(at, at + this.#options.digestsMax);
      const pick = (kind: string) => part.flatMap(([digest, change]) => (change === kind ? [digest] : []));
      this.#sequence += 1n;
      const change = { sequence: this.#sequence, stored: pick("stored"), removed: pick("removed"), cleared };
      cleared = false;
      this.#recent.push(change);
      if (this.#recent.length > this.#options.kept) this.#recent.shift();
      this.#metrics?.kv_changes_total.inc({ change: "stored" }, change.stored.length);
      this.#metrics?.kv_changes_total.inc({ change: "removed" }, change.removed.length);
      const frame = kvFrame(change);
      for (const send of this.#readers) send(frame);
    }
  }
}

function kvFrame(change: Numbered): WorkerFrame {
  const bytes = (digests: readonly string[]) => digests.map((digest) => Buffer.from(digest, "hex"));
  const value = { ...change, stored: bytes(change.stored), removed: bytes(change.removed) };
  return create(WorkerFrameSchema, { frame: { case: "kvChange", value } });
}
