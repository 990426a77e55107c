// leader: one of several operators leads, by a Lease. Who holds it renews it; who does not looks whether it still changes, by its
// own clock alone: the times that others write are compared, never believed. Who cannot renew in time stops before another begins.
import { type Clock, writtenTime } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
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
  /** Stops leading when it could not renew for so long; under leaseMs. */
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
  #renewedAt = 0;
  leading = false;

  constructor(options: LeaderOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Resolves when this one leads; rejects when it ends before. */
  async elected(): Promise<void> {
    const { clock, log } = this.#deps;
    for (;;) {
      this.#ending.signal.throwIfAborted();
      const began = clock.now();
      const won = await this.#claim().catch((thrown: unknown) => {
        log.debug({ err: thrown }, "the lease cannot be had; tried again");
        return false;
      });
      if (won) {
        this.#renewedAt = began;
        this.#tell(true);
        return;
      }
      await clock.sleep(this.#pause(), this.#ending.signal);
    }
  }

  /** Renews until it cannot, or is closed; resolves then. Whatever leads must have stopped writing by leaseMs after the last renewal. */
  async held(): Promise<void> {
    const { clock, log } = this.#deps;
    while (!this.#ending.signal.aborted) {
      await clock.sleep(this.#pause(), this.#ending.signal).catch(() => undefined);
      if (this.#ending.signal.aborted) break;
      const began = clock.now();
      // A call that hangs must not outlast the lease.
      const left = this.#renewedAt + this.#options.renewMs - began;
      const renewed = await Promise.race([
        this.#claim().catch((thrown: unknown) => {
          log.warn({ err: thrown }, "the lease could not be renewed");
          return false;
        }),
        clock.sleep(Math.max(0, left)).then(() => false),
      ]);
      if (renewed) this.#renewedAt = began;
      else if (clock.now() - this.#renewedAt >= this.#options.renewMs || this.#lost()) break;
    }
    this.#tell(false);
  }

  /** Gives the lease back, so that another need not wait for its end. */
  async close(): Promise<void> {
    this.#ending.abort(new SlipstreamError("draining", "the process is shutting down"));
    if (!this.leading) return;
    this.#tell(false);
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

  /** Another holds it now. */
  #lost(): boolean {
    return this.#seen !== undefined && !this.#seen.mark.startsWith(`${this.#options.identity} `);
  }

  async #claim(): Promise<boolean> {
    const { cluster, clock } = this.#deps;
    const { namespace, name, identity, leaseMs } = this.#options;
    const lease = await cluster.get(kinds.Lease, namespace, name);
    if (!lease) {
      await cluster.create(this.#lease({ metadata: { namespace, name } }, 0));
      return true;
    }
    const { holderIdentity: holder = "", renewTime = "", leaseDurationSeconds, leaseTransitions = 0 } = lease.spec ?? {};
    const mark = `${holder} ${renewTime}`;
    if (this.#seen?.mark !== mark) this.#seen = { mark, at: clock.now() };
    const lasts = Math.max(leaseMs, (leaseDurationSeconds ?? 0) * 1_000);
    if (holder !== identity && holder !== "" && clock.now() - this.#seen.at < lasts) return false;
    const taken = await cluster.replace(this.#lease(lease, leaseTransitions + (holder === identity ? 0 : 1)));
    this.#seen = { mark: `${identity} ${taken.spec?.renewTime}`, at: clock.now() };
    return true;
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

  #pause(): number {
    return this.#options.retryMs * (1 + 0.2 * this.#deps.random.next());
  }

  #tell(leading: boolean): void {
    if (this.leading !== leading) this.#deps.log.info({ lease: this.#options.name, leading }, leading ? "leads" : "leads no more");
    this.leading = leading;
    this.#deps.metrics?.leader_election_master_status.set({ name: this.#options.name }, leading ? 1 : 0);
  }
}

/** Six digits after the point, as Kubernetes writes and asks for in a Lease. */
function microTime(wallMs: number): string {
  return writtenTime(wallMs).replace(/Z$/, "000Z");
}
