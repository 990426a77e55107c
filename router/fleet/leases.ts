// leases: which worker holds a session, where that is not for its name alone to say. Taken with each placement, kept while the
// session is used, forgotten `ttlMs` after. An exception (a session that is not where its hash says) is told to other routers
// with a time to live, again before that has passed, and theirs are applied here. Bounded by `max` sessions.
import { Lru } from "../../lib/structures/lru.ts";

/** A session whose lease is not where its hash says. */
export interface LeaseException {
  readonly session: string;
  readonly worker: string;
  /** 0: no longer. */
  readonly ttlMs: number;
  /** Why it is elsewhere, where it is. */
  readonly cause?: "moved" | "overflowed";
}

export interface LeaseOptions {
  readonly max: number;
  readonly ttlMs: number;
  /** Of exceptions, as other routers are told them. */
  readonly exceptionTtlMs: number;
}

export interface LeaseDeps {
  /** Given each exception that other routers should know. */
  readonly told: (exception: LeaseException) => void;
  /** Told when a worker holds more sessions or fewer. */
  readonly counted: (worker: string) => void;
}

interface Lease {
  readonly worker: string;
  /** Undefined: it is at home. */
  readonly exception: LeaseException["cause"] | undefined;
  /** The roster by which it is where its hash says. */
  readonly home: number;
  readonly usedMs: number;
  /** When other routers were last told. */
  readonly toldMs: number;
  /** Of a session that was placed here last, not at another router. */
  readonly ours: boolean;
}

export class Leases {
  readonly #options: LeaseOptions;
  readonly #deps: LeaseDeps;
  readonly #held: Lru<Lease>;
  readonly #counts = new Map<string, number>();

  constructor(options: LeaseOptions, deps: LeaseDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#held = new Lru({ max: options.max, onEvict: (_, lease) => this.#count(lease.worker, -1) });
  }

  /** Who holds the session, and by which roster it is at home there, where it is no exception. */
  holder(session: string, now: number): { readonly lease: string | undefined; readonly home?: number } {
    this.#expire(now);
    const held = this.#held.get(session, now);
    return held && held.exception === undefined ? { lease: held.worker, home: held.home } : { lease: held?.worker };
  }

  /** Sessions that a worker holds, the last used first. */
  heldBy(worker: string): string[] {
    const held: string[] = [];
    for (const [session, lease] of this.#held.entries()) if (lease.worker === worker) held.push(session);
    return held.reverse();
  }

  /** How many a worker holds. */
  count(worker: string): number {
    return this.#counts.get(worker) ?? 0;
  }

  /** A generation of the session was placed. */
  take(session: string, worker: string, how: "kept" | "home" | "moved" | "overflowed", now: number, roster: number): void {
    const before = this.#drop(session, now);
    const exception = how === "kept" ? before?.exception : how === "home" ? undefined : how;
    const due = now - (before?.toldMs ?? Number.NEGATIVE_INFINITY) > this.#options.exceptionTtlMs / 2;
    const tell = exception ? due || before?.worker !== worker : before?.exception !== undefined;
    const toldMs = tell ? now : (before?.toldMs ?? Number.NEGATIVE_INFINITY);
    this.#set(session, { worker, exception, home: roster, usedMs: now, toldMs, ours: true });
    if (!tell) return;
    this.#deps.told(
      exception ? { session, worker, ttlMs: this.#options.exceptionTtlMs, cause: exception } : { session, worker, ttlMs: 0 },
    );
  }

  /** Another router says so: the last word counts. */
  apply({ session, worker, ttlMs, cause = "moved" }: LeaseException, now: number): void {
    this.#drop(session, now);
    if (ttlMs > 0) this.#set(session, { worker, exception: cause, home: 0, usedMs: now, toldMs: now, ours: false });
  }

  /** Tells every exception of sessions that were here last, for routers that came after it was told before. */
  tellAll(now: number): void {
    this.#expire(now);
    for (const [session, { worker, exception, ours }] of this.#held.entries())
      if (exception && ours) this.#deps.told({ session, worker, ttlMs: this.#options.exceptionTtlMs, cause: exception });
  }

  #set(session: string, lease: Lease): void {
    this.#held.set(session, lease, lease.usedMs);
    this.#count(lease.worker, 1);
  }

  #drop(session: string, now: number): Lease | undefined {
    this.#expire(now);
    const lease = this.#held.get(session, now);
    if (lease && this.#held.delete(session)) this.#count(lease.worker, -1);
    return lease;
  }

  /** The first in the list is the one not used for longest. */
  #expire(now: number): void {
    for (const [session, lease] of this.#held.entries()) {
      if (now - lease.usedMs <= this.#options.ttlMs) return;
      this.#held.delete(session);
      this.#count(lease.worker, -1);
    }
  }

  #count(worker: string, by: number): void {
    const count = this.count(worker) + by;
    if (count > 0) this.#counts.set(worker, count);
    else this.#counts.delete(worker);
    this.#deps.counted(worker);
  }
}
