// parking: documents of sessions whose stream ended, kept for a while under their resume token so that a client that connects
// again need not send them again. Bounded by sessions, bytes and time; whoever was parked first leaves first.
import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import type { RouterMetrics } from "../metrics.ts";
import type { Document } from "./document.ts";

export interface ParkingOptions {
  readonly ttlMs: number;
  readonly sessionsMax: number;
  readonly bytesMax: number;
  /** Of one session: what is held is hashed in one go when its client comes back. */
  readonly bytesPerSessionMax: number;
}

export type Documents = Map<string, Document>;

interface Parked {
  readonly token: string;
  readonly documents: Documents;
  readonly bytes: number;
  readonly untilMs: number;
}

/** Of a document besides its text. */
const documentBytes = 1_024;

export class Parking {
  readonly #options: ParkingOptions;
  readonly #deps: { readonly clock: Clock; readonly metrics: Pick<RouterMetrics, "parked_sessions" | "parked_bytes"> };
  /** By session key, the first that was parked first. */
  readonly #parked = new Map<string, Parked>();
  #bytes = 0;
  #timer: Disposable | undefined;

  constructor(options: ParkingOptions, deps: { clock: Clock; metrics: Pick<RouterMetrics, "parked_sessions" | "parked_bytes"> }) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Of the documents, the last edited that fit. */
  park(key: string, token: string, documents: Documents): void {
    this.#drop(key);
    const kept: Documents = new Map();
    let bytes = 0;
    for (const [id, document] of [...documents].sort(([, a], [, b]) => (b.editedMs ?? 0) - (a.editedMs ?? 0))) {
      const size = document.text.bytes + documentBytes;
      if (document.stale || bytes + size > this.#options.bytesPerSessionMax) continue;
      bytes += size;
      kept.set(id, document);
    }
    if (kept.size > 0 && this.#options.ttlMs > 0 && bytes <= this.#options.bytesMax) {
      this.#parked.set(key, { token, documents: kept, bytes, untilMs: this.#deps.clock.now() + this.#options.ttlMs });
      this.#bytes += bytes;
    }
    for (const oldest of this.#parked.keys()) {
      if (this.#parked.size <= this.#options.sessionsMax && this.#bytes <= this.#options.bytesMax) break;
      this.#drop(oldest);
    }
    this.#tell();
  }

  /** What was parked under that key, for the one who has its token; it is parked no longer. */
  claim(key: string, token: string): Documents | undefined {
    const parked = this.#parked.get(key);
    if (!parked || !sameToken(parked.token, token)) return undefined;
    this.#drop(key);
    this.#tell();
    return parked.documents;
  }

  close(): void {
    this.#parked.clear();
    this.#bytes = 0;
    this.#tell();
  }

  #drop(key: string): void {
    this.#bytes -= this.#parked.get(key)?.bytes ?? 0;
    this.#parked.delete(key);
  }

  /** One timer, for the first to expire. */
  #tell(): void {
    const { clock, metrics } = this.#deps;
    metrics.parked_sessions.set({}, this.#parked.size);
    metrics.parked_bytes.set({}, this.#bytes);
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    for (const { untilMs } of this.#parked.values()) {
      this.#timer = clock.timer(untilMs - clock.now(), () => this.#expire());
      break;
    }
  }

  #expire(): void {
    const now = this.#deps.clock.now();
    for (const [key, { untilMs }] of this.#parked) {
      if (untilMs > now) break;
      this.#drop(key);
    }
    this.#tell();
  }
}

/** Takes as long for a token that is nearly right as for any other. */
export function sameToken(held: string, given: string): boolean {
  const [a, b] = [Buffer.from(held), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
