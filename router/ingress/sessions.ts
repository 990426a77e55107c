// sessions: which editor windows are connected. A window has one stream: a newer one of the same name takes the place of the
// older, and with the older's resume token its documents too. What a stream leaves behind when it ends is parked.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import type { Hello } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { RouterMetrics } from "../metrics.ts";
import { Parking, type ParkingOptions } from "./parking.ts";
import type { Quotas } from "./quotas.ts";
import { Session } from "./session.ts";
import type { Wishes } from "./wishes.ts";

export interface SessionsOptions {
  readonly documentBytesMax: number;
  readonly documentsMax: number;
  readonly sessionsMax: number;
  readonly resumeTtlMs: number;
  readonly resumeBytes: number;
}

type SessionMetrics = Pick<RouterMetrics, "sessions" | "sessions_opened_total" | "documents" | "parked_sessions" | "parked_bytes">;

export interface SessionsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: SessionMetrics;
  readonly wishes: Wishes;
  readonly quotas?: Pick<Quotas, "session">;
}

/** A few milliseconds of hashing. */
const resumeBytesPerSessionMax: ParkingOptions["bytesPerSessionMax"] = 8 << 20;
/** 128 bits. */
const tokenDigits = 32;

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #deps: SessionsDeps;
  readonly #parking: Parking;
  readonly #live = new Map<string, Session>();
  /** What each open session takes of its tenant's quota. */
  readonly #taken = new Map<Session, Disposable>();
  #documents = 0;

  constructor(options: SessionsOptions, deps: SessionsDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#parking = new Parking(
      {
        ttlMs: options.resumeTtlMs,
        sessionsMax: options.sessionsMax,
        bytesMax: options.resumeBytes,
        bytesPerSessionMax: resumeBytesPerSessionMax,
      },
      deps,
    );
  }

  /** Streams that are open. */
  get count(): number {
    return this.#live.size;
  }

  /** A token that is wrong or too old makes a fresh session, never an error. */
  open(hello: Hello, tenant: string): Session {
    const { random, clock, metrics, wishes } = this.#deps;
    const counted = (change: number) => {
      this.#documents += change;
      metrics.documents.set({}, this.#documents);
    };
    const session = new Session(hello, { ...this.#options, tenant, token: random.hex(tokenDigits) }, { clock, wishes, counted });
    const older = this.#live.get(session.key);
    if (!older && this.#live.size >= this.#options.sessionsMax)
      throw new SlipstreamError("overloaded", `this router holds ${this.#options.sessionsMax} sessions; connect to another`, {
        retryAfterMs: 1_000,
      });
    // A window that connects anew takes its own place.
    const taken = older ? this.#taken.get(older) : this.#deps.quotas?.session(tenant);
    if (older) this.#taken.delete(older);
    if (taken) this.#taken.set(session, taken);
    const kept = older?.has(hello.resumeToken) ? older.leave() : this.#parking.claim(session.key, hello.resumeToken);
    if (kept) session.resume(kept);
    older?.replace();
    this.#live.set(session.key, session);
    metrics.sessions.set({}, this.#live.size);
    metrics.sessions_opened_total.inc({ how: kept ? "resumed" : hello.resumeToken === "" ? "new" : "not_held" });
    return session;
  }

  close(session: Session): void {
    const documents = session.leave();
    this.#taken.get(session)?.[Symbol.dispose]();
    this.#taken.delete(session);
    // One that was replaced has nothing to leave behind, and its name is another's.
    if (this.#live.get(session.key) !== session) return;
    this.#live.delete(session.key);
    this.#parking.park(session.key, session.token, documents);
    this.#deps.metrics.sessions.set({}, this.#live.size);
  }

  /** The process ends: nothing is kept. */
  end(): void {
    this.#parking.close();
  }
}
