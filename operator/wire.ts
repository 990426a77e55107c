// wire: the one place of the operator that says `new` for its rooms: settings, clock, chance, a way to the cluster and the bus in;
// an operator that leads when it may out. The process (main.ts) and tests start here.
import type { Bus } from "../lib/bus/bus.ts";
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import { Act, authorityDefaults, Certificates, library } from "./act/act.ts";
import {
  Events,
  eventsDefaults,
  Kube,
  type KubeOptions,
  Leader,
  type LeaderOptions,
  type Target,
  WorkQueue,
  workQueueDefaults,
} from "./kube/kube.ts";
import type { createOperatorMetrics } from "./metrics.ts";
import { type KindName, type KubeObject, kinds } from "./objects.ts";
import { Observe, Signals, signalsDefaults } from "./observe/observe.ts";
import type { Setting } from "./pool.ts";
import { Reconciler } from "./reconciler.ts";
import { Report } from "./report/report.ts";
import { FollowedStores } from "./stores.ts";
import { followed, indexes, keysOf } from "./watch/watch.ts";

export interface OperatorOptions {
  readonly setting: Setting;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly lease: Omit<LeaderOptions, "identity">;
  readonly name: string;
  readonly atOnce: number;
  readonly kube?: Omit<KubeOptions, "manager">;
  readonly authority?: Partial<typeof authorityDefaults>;
  readonly queue?: Partial<typeof workQueueDefaults>;
}

export interface OperatorDeps {
  readonly target: Target;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly bus?: Bus;
  readonly metrics?: ReturnType<typeof createOperatorMetrics>;
  /** Key lines of the operator's own administrators, as they are now. */
  readonly administrators?: () => string;
}

/**
 * The lease's own way to the apiserver: its calls wait behind no list, no watch and no bucket of others, and one that is not answered
 * leaves time for another, over another connection.
 */
function leaseWay({ kube, lease: { renewMs, retryMs } }: OperatorOptions): Omit<KubeOptions, "manager"> {
  const timeoutMs = renewMs / 2;
  return {
    ...kube,
    rest: { ...kube?.rest, perSecond: 20, burst: 20, timeoutMs, triesMax: 1, dropsWhenLate: true },
    connection: { ...kube?.connection, connectTimeoutMs: timeoutMs, pingEveryMs: retryMs * 5, pingTimeoutMs: timeoutMs },
  };
}

/** Looks again whether the cluster has learnt a kind that it lacked. */
const discoverEveryMs = 60_000;

export class Operator {
  readonly name = "operator";
  readonly kube: Kube;
  readonly #options: OperatorOptions;
  readonly #deps: OperatorDeps;
  readonly #stores = new FollowedStores();
  readonly #queue: WorkQueue;
  readonly #leader: Leader;
  readonly #leaseKube: Kube;
  readonly #signals: Signals | undefined;
  #servesLeaderWorkerSets = false;
  #closed = false;
  #ledSinceMs = 0;

  constructor(options: OperatorOptions, deps: OperatorDeps) {
    this.#options = options;
    this.#deps = deps;
    const { clock, random, log, metrics, bus } = deps;
    const client = metrics ? { metrics: metrics.client } : {};
    const own = metrics ? { metrics } : {};
    const identity = `${options.name}_${random.hex(12)}`;
    const to = { target: deps.target, clock, random, log, ...client };
    this.kube = new Kube({ manager: "slipstream", ...options.kube }, { ...to, mayWrite: () => this.#leader.leading });
    this.#leaseKube = new Kube({ manager: "slipstream", ...leaseWay(options) }, to);
    const { cluster } = this.kube;
    const events = new Events(
      { controller: "slipstream.dev/operator", instance: options.name, ...eventsDefaults },
      { cluster, clock, random, log },
    );
    this.#signals =
      bus && new Signals(signalsDefaults, { bus, clock, ...own, changed: (namespace, pool) => this.#poolSaid(namespace, pool) });
    const observe = new Observe(options.setting, {
      ...{ clock, stores: this.#stores, servesLeaderWorkerSets: () => this.#servesLeaderWorkerSets },
      says: (namespace, worker) => this.#signals?.says(namespace, worker),
      seconds: (namespace, pool, tier) => this.#signals?.seconds(namespace, pool, tier) ?? [],
      ledSinceMs: () => this.#ledSinceMs,
      figures: (namespace, pool, tier) => this.#signals?.figures(namespace, pool, tier),
    });
    const authority = { ...authorityDefaults, ...options.authority, namespace: options.setting.namespace };
    const certificates = new Certificates(authority, {
      ...{ cluster, clock, random, ...own },
      ...(deps.administrators ? { administrators: deps.administrators } : {}),
    });
    const rooms = {
      observe,
      act: new Act(
        {},
        { cluster, certificates, clock, ...own, ...(bus && { tell: (subject, message) => bus.publish(subject, message) }) },
      ),
      report: new Report({}, { cluster, clock, ...own, tell: (happening) => events.tell(happening) }),
    };
    const reconciler = new Reconciler(rooms, { clock, log, ...own, again: (key, ms) => this.#queue.addAfter(key, ms) });
    const run = (key: string) => reconciler.run(key);
    this.#queue = new WorkQueue(
      { name: "operator", ...workQueueDefaults, ...options.queue, atOnce: options.atOnce },
      { clock, random, ...client, run },
    );
    this.#leader = new Leader({ ...options.lease, identity }, { cluster: this.#leaseKube.cluster, clock, random, log, ...client });
  }

  get leading(): boolean {
    return this.#leader.leading;
  }

  /** Nothing waits, nothing runs. */
  get idle(): boolean {
    return this.#queue.idle;
  }

  missing(): string[] {
    return this.#stores.missing();
  }

  /** What is followed of a kind, as it was last heard of. */
  all(kind: KindName): readonly KubeObject[] {
    return this.#stores.all(kind);
  }

  /** Follows, waits for its turn, leads. Resolves when it leads no more, which ends the process. */
  async run(): Promise<void> {
    const { clock } = this.#deps;
    await library();
    await this.#discover(true);
    for (const { kind, selector, clusterWide } of followed({ leaderWorkerSets: this.#servesLeaderWorkerSets }))
      this.#follow(kind.kind as KindName, selector, clusterWide);
    this.kube.start();
    await this.#leader.elected();
    this.#ledSinceMs = clock.wall();
    // From now on: what is followed may take longer to be there than the lease lasts.
    const held = this.#leader.held();
    let over = false;
    void held.then(() => {
      over = true;
    });
    while (!this.#closed && !over && this.missing().length > 0) await clock.sleep(20);
    if (this.#closed) return;
    if (!over) this.#queue.start();
    await held;
    // Before it ends nothing of this one may be under way.
    await this.#queue.stop();
    if (!this.#closed) throw new SlipstreamError("unavailable", "the lease is lost: another operator leads now");
  }

  /** Politely: what runs ends, the lease is given back. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#signals?.close();
    await this.#queue.stop();
    await this.#leader.close();
    await this.kube.close();
    await this.#leaseKube.close();
  }

  /** As a process that is killed: nothing more is said to anybody. For tests. */
  async kill(): Promise<void> {
    this.#closed = true;
    this.#signals?.close();
    void this.#queue.stop();
    await this.kube.close();
    await this.#leaseKube.close();
  }

  #follow(kind: KindName, selector: string | undefined, clusterWide: boolean): void {
    const namespaces = clusterWide || this.#options.namespaces.length === 0 ? [undefined] : this.#options.namespaces;
    for (const namespace of namespaces) {
      const wanted = {
        kind: kinds[kind],
        ...(namespace === undefined ? {} : { namespace }),
        ...(selector === undefined ? {} : { selector }),
        ...(indexes[kind] ? { indexes: indexes[kind] } : {}),
      };
      const reflector = this.kube.reflect(wanted, (change) => {
        const find = (of: KindName, index: string, value: string) => this.#stores.by(of, index, value);
        for (const key of keysOf(kinds[kind], change, find, (of) => this.#stores.all(of))) this.#queue.add(key);
      });
      this.#stores.add(kind, reflector);
    }
  }

  /** Does the cluster know LeaderWorkerSets? Asked until it answers, then now and again until it does. */
  async #discover(first: boolean): Promise<void> {
    const { clock, log } = this.#deps;
    while (!this.#closed) {
      try {
        this.#servesLeaderWorkerSets = await this.kube.cluster.serves(kinds.LeaderWorkerSet);
        break;
      } catch (thrown) {
        log.warn({ err: thrown }, "the cluster does not answer; tried again");
        await clock.sleep(1_000);
      }
    }
    if (this.#servesLeaderWorkerSets && !first) {
      const [wanted] = followed({ leaderWorkerSets: true }).filter(({ kind }) => kind.kind === "LeaderWorkerSet");
      if (wanted) this.#follow("LeaderWorkerSet", wanted.selector, wanted.clusterWide);
      this.kube.start();
      for (const { metadata } of this.#stores.all("WorkerPool"))
        this.#queue.add(`WorkerPool/${metadata.namespace}/${metadata.name}`);
    } else if (!this.#servesLeaderWorkerSets && !this.#closed) clock.timer(discoverEveryMs, () => void this.#discover(false));
  }

  /** Who speaks in no space of the bus does not say of which namespace its pool is. */
  #poolSaid(namespace: string, pool: string): void {
    for (const { metadata } of this.#stores.all("WorkerPool"))
      if (metadata.name === pool && (namespace === "" || metadata.namespace === namespace))
        this.#queue.add(`WorkerPool/${metadata.namespace}/${pool}`);
  }
}
