// events: what happened to an object, as events.k8s.io. The same again within minutes is one event with a count: told at once when
// it is the second time, then at most once in a while. Losing one changes nothing, so nobody waits for it.
import { type Clock, writtenTime } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import { Lru } from "../../lib/structures/lru.ts";
import { type Cluster, type KubeObject, kinds } from "../objects.ts";

export interface EventsOptions {
  readonly controller: string;
  readonly instance: string;
  /** Events remembered. */
  readonly max: number;
  /** The same later than this is a new event. */
  readonly seriesMs: number;
  readonly everyMs: number;
}

export const eventsDefaults = { max: 1_000, seriesMs: 6 * 60_000, everyMs: 30_000 } as const;

export interface Happening {
  readonly about: KubeObject;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  /** What was done: a verb. */
  readonly action: string;
  readonly note: string;
}

interface Series {
  readonly name: Promise<string | undefined>;
  readonly namespace: string;
  count: number;
  lastMs: number;
  toldMs: number;
}

const noteMax = 1_024;

export class Events {
  readonly #options: EventsOptions;
  readonly #deps: { cluster: Pick<Cluster, "create" | "patchEvent">; clock: Clock; random: Random; log: Log };
  readonly #series: Lru<Series>;

  constructor(
    options: EventsOptions,
    deps: { cluster: Pick<Cluster, "create" | "patchEvent">; clock: Clock; random: Random; log: Log },
  ) {
    this.#options = options;
    this.#deps = deps;
    this.#series = new Lru({ max: options.max });
  }

  tell(happening: Happening): void {
    const { about, reason, note } = happening;
    const { clock } = this.#deps;
    const key = [about.metadata.uid, reason, note].join(" ");
    const series = this.#series.get(key, clock.now());
    if (!series || clock.now() - series.lastMs > this.#options.seriesMs) {
      const namespace = about.metadata.namespace ?? "default";
      const name = this.#create(happening, namespace);
      this.#series.set(key, { name, namespace, count: 1, lastMs: clock.now(), toldMs: Number.NEGATIVE_INFINITY }, clock.now());
      return;
    }
    series.count += 1;
    series.lastMs = clock.now();
    if (clock.now() - series.toldMs < this.#options.everyMs) return;
    series.toldMs = clock.now();
    void this.#again(series);
  }

  async #create({ about, type, reason, action, note }: Happening, namespace: string): Promise<string | undefined> {
    const { cluster, clock, random, log } = this.#deps;
    const { controller, instance } = this.#options;
    const { name, uid, resourceVersion } = about.metadata;
    const own = `${name}.${random.hex(16)}`;
    try {
      await cluster.create({
        apiVersion: kinds.Event.apiVersion,
        kind: "Event",
        metadata: { name: own, namespace },
        eventTime: microTime(clock.wall()),
        reportingController: controller,
        reportingInstance: instance,
        action,
        reason,
        type,
        note: note.length > noteMax ? `${note.slice(0, noteMax - 1)}…` : note,
        regarding: {
          ...{ apiVersion: about.apiVersion, kind: about.kind, name, uid, resourceVersion },
          ...(about.metadata.namespace === undefined ? {} : { namespace }),
        },
      });
      return own;
    } catch (thrown) {
      log.debug({ err: thrown, reason }, "an event could not be told");
      return undefined;
    }
  }

  async #again(series: Series): Promise<void> {
    const { cluster, clock, log } = this.#deps;
    const name = await series.name;
    if (name === undefined) return;
    try {
      await cluster.patchEvent(series.namespace, name, {
        series: { count: series.count, lastObservedTime: microTime(clock.wall()) },
      });
    } catch (thrown) {
      log.debug({ err: thrown }, "an event's count could not be told");
    }
  }
}

const microTime = (wallMs: number) => writtenTime(wallMs).replace(/Z$/, "000Z");
