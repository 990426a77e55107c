// leader: one of several operators leads, by a Lease. Who holds it renews it; who does not looks whether it still changes, by its
// own clock alone: the times that others write are compared, never believed. Who cannot renew in time writes nothing from then on, before
// another begins; it goes on when it finds the lease as it left it, and gives up when another has taken it.
import { type Clock, writtenTime } from "../../lib/clock.ts";
import { type ErrorCode, SlipstreamError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import type { ClientMetrics } from "../metrics.ts";
import { type Cluster, type KubeObject, kinds } from "../objects.ts";

export interface LeaderOptions {
  readonly namespace: string;
  readonly name: string;
  /** Who we are: of one process, never used again. */
  readonly identity: string;
  readonly leaseMs: number;
  /** Writes nothing when it could not renew for so long; under leaseMs. */
  readonly renewMs: number;
  readonly retryMs: number;
}

interface Deps {
  readonly cluster: Pick<Cluster, "get" | "create" | "replace">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics?: ClientMetrics;
}

export class Leader {
  readonly #options: LeaderOptions;
  readonly #deps: Deps;
  readonly #ending = new AbortController();
  /** What the lease said when it was last seen to change, and when that was here. */
  #seen: { readonly mark: string; readonly at: number } | undefined;
  /** As we wrote it last: the next is written over it, without a look, and only if nobody wrote in between. */
  #ours: KubeObject | undefined;
  /** When the last renewal left: others count from when they see it, which is later. */
  #renewedAt = 0;
  #won = false;
  #overdue = false;

  constructor(options: LeaderOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The lease is ours, and young enough that no other can have taken it. Asked before each write. */
  get leading(): boolean {
    return this.#won && this.#leftMs() > 0;
  }

  /** Resolves when this one leads; rejects when it ends before. */
  async elected(): Promise<void> {
    const { clock } = this.#deps;
    for (;;) {
      this.#ending.signal.throwIfAborted();
      if (await this.#tried("debug")) {
        this.#won = true;
        this.#tell("leads");
        return;
      }
      await clock.sleep(this.#pauseMs(), this.#ending.signal);
    }
  }

  /**
   * Renews until another has the lease, or it is closed; resolves then. One that cannot renew in time (the API is away, the machine is
   * starved, the process stood still) leads no more at that moment, and again when it has the lease as it left it: who finds it so
   * knows that nobody led in between.
   */
  async held(): Promise<void> {
    const { clock } = this.#deps;
    while (!this.#ending.signal.aborted) {
      // Overdue, it does not wait; after a moment's pause, so that what fails at once is not tried without end.
      const pauseMs = Math.min(this.#pauseMs(), Math.max(this.#options.retryMs / 10, this.#leftMs()));
      await clock.sleep(pauseMs, this.#ending.signal).catch(() => undefined);
      if (this.#ending.signal.aborted) break;
      this.#judge();
      await this.#tried("warn");
      if (this.#lost()) break;
      this.#judge();
    }
    this.#won = false;
    this.#tell("leads no more");
  }

  /** Gives the lease back, so that another need not wait for its end. */
  async close(): Promise<void> {
    this.#ending.abort(new SlipstreamError("draining", "the process is shutting down"));
    if (!this.#won && !this.#ours) return;
    this.#won = false;
    this.#tell("leads no more");
    const { cluster, log } = this.#deps;
    const { namespace, name, identity } = this.#options;
    try {
      const lease = await cluster.get(kinds.Lease, namespace, name);
      if (lease?.spec?.holderIdentity === identity)
        await cluster.replace({ ...lease, spec: { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1 } });
    } catch (thrown) {
      log.info({ err: thrown }, "the lease could not be given back; it ends by itself");
    }
  }

  #leftMs(): number {
    return this.#renewedAt + this.#options.renewMs - this.#deps.clock.now();
  }

  /** Another holds it now. */
  #lost(): boolean {
    return this.#seen !== undefined && !this.#seen.mark.startsWith(`${this.#options.identity} `);
  }

  /** Within half of the time that there is: a call that hangs leaves room for another. */
  async #tried(level: "debug" | "warn"): Promise<boolean> {
    const { clock, log } = this.#deps;
    const over = new AbortController();
    const late = clock.sleep(this.#options.renewMs / 2, over.signal).then(
      () => {
        throw new SlipstreamError("unavailable", "the Kubernetes API did not answer in time");
      },
      () => false,
    );
    try {
      return await Promise.race([this.#claim(), late]);
    } catch (thrown) {
      log[level]({ err: thrown }, "the lease cannot be had; tried again");
      return false;
    } finally {
      over.abort();
    }
  }

  async #claim(): Promise<boolean> {
    const { cluster, clock } = this.#deps;
    const { namespace, name, identity, leaseMs } = this.#options;
    const ours = this.#ours;
    this.#ours = undefined;
    if (ours) {
      const renewed = await this.#write(ours, ours.spec?.leaseTransitions ?? 0).catch((thrown: unknown) => {
        if (!changedMeanwhile.has(SlipstreamError.from(thrown).code)) throw thrown;
      });
      if (renewed) return true;
    }
    const lease = await cluster.get(kinds.Lease, namespace, name);
    if (!lease) {
      const began = clock.now();
      this.#taken(await cluster.create(this.#lease({ metadata: { namespace, name } }, 0)), began);
      return true;
    }
    const { holderIdentity: holder = "", renewTime = "", leaseDurationSeconds, leaseTransitions = 0 } = lease.spec ?? {};
    const mark = `${holder} ${renewTime}`;
    if (this.#seen?.mark !== mark) this.#seen = { mark, at: clock.now() };
    const lasts = Math.max(leaseMs, (leaseDurationSeconds ?? 0) * 1_000);
    if (holder !== identity && holder !== "" && clock.now() - this.#seen.at < lasts) return false;
    // Who led, and finds that another has led since, takes no second turn: it may have begun what that one ended.
    if (this.#won && holder !== identity) return false;
    return this.#write(lease, leaseTransitions + (holder === identity ? 0 : 1));
  }

  /** Over exactly this one: the apiserver refuses it where somebody else wrote since. */
  async #write(over: KubeObject, leaseTransitions: number): Promise<true> {
    const began = this.#deps.clock.now();
    this.#taken(await this.#deps.cluster.replace(this.#lease(over, leaseTransitions)), began);
    return true;
  }

  #taken(lease: KubeObject, leftAt: number): void {
    this.#ours = lease;
    // Two calls may be under way, where the first had no answer in time.
    this.#renewedAt = Math.max(this.#renewedAt, leftAt);
    this.#seen = { mark: `${this.#options.identity} ${lease.spec?.renewTime}`, at: this.#deps.clock.now() };
  }

  #lease(over: Pick<KubeObject, "metadata"> & { spec?: KubeObject["spec"] }, leaseTransitions: number): KubeObject {
    const { identity, leaseMs } = this.#options;
    const now = microTime(this.#deps.clock.wall());
    const ours = over.spec?.holderIdentity === identity;
    return {
      apiVersion: kinds.Lease.apiVersion,
      kind: "Lease",
      metadata: over.metadata,
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(leaseMs / 1_000),
        acquireTime: ours ? over.spec.acquireTime : now,
        renewTime: now,
        leaseTransitions,
      },
    };
  }

  #pauseMs(): number {
    return this.#options.retryMs * (1 + 0.2 * this.#deps.random.next());
  }

  /** Says when renewal is late, and when it is no more. */
  #judge(): void {
    const overdue = this.#leftMs() <= 0;
    if (overdue === this.#overdue) return;
    this.#overdue = overdue;
    this.#tell(
      overdue ? "has not renewed its lease in time, and writes nothing until it has" : "leads again; nobody did meanwhile",
    );
  }

  #tell(what: string): void {
    const { leading } = this;
    this.#deps.log[this.#overdue ? "warn" : "info"]({ lease: this.#options.name, leading }, what);
    this.#deps.metrics?.leader_election_master_status.set({ name: this.#options.name }, leading ? 1 : 0);
  }
}

/** Answers to a write over what is not there any more as it was. */
const changedMeanwhile: ReadonlySet<ErrorCode> = new Set(["conflict", "not_found"]);

/** Six digits after the point, as Kubernetes writes and asks for in a Lease. */
function microTime(wallMs: number): string {
  return writtenTime(wallMs).replace(/Z$/, "000Z");
}
