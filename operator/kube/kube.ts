// kube: what is wanted of a Kubernetes cluster in, its objects out: calls over one connection, stores that follow kinds of object,
// a queue of keys, a lease, events. Bounded: calls a second, tries, sizes of pages, answers and lines, events remembered.
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import type { ClientMetrics } from "../metrics.ts";
import type { Kind } from "../objects.ts";
import { Client } from "./client.ts";
import { Connection, type ConnectionOptions, connectionDefaults, type Wanted } from "./connection.ts";
import { Reflector, type ReflectorOptions, reflectorDefaults } from "./reflector.ts";
import { Rest, type RestOptions, restDefaults } from "./rest.ts";
import type { Change, Index } from "./store.ts";
import type { Target } from "./target.ts";

export { Events, eventsDefaults } from "./events.ts";
export { Leader, type LeaderOptions } from "./leader.ts";
export type { Reflector } from "./reflector.ts";
export type { Change } from "./store.ts";
export { findTarget, type Target } from "./target.ts";
export { WorkQueue, workQueueDefaults } from "./work-queue.ts";

export interface KubeOptions {
  /** Field manager of what is applied. */
  readonly manager: string;
  readonly rest?: Partial<RestOptions>;
  readonly connection?: Partial<ConnectionOptions>;
  readonly reflector?: Partial<typeof reflectorDefaults>;
}

export interface KubeDeps {
  readonly target: Target;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics?: ClientMetrics;
  /** Asked before each write; absent: always. */
  readonly mayWrite?: () => boolean;
}

export class Kube {
  readonly name = "kube";
  readonly cluster: Client;
  readonly connection: Connection;
  readonly #rest: Rest;
  readonly #options: KubeOptions;
  readonly #deps: KubeDeps;
  readonly #reflectors: Reflector[] = [];

  constructor(options: KubeOptions, deps: KubeDeps) {
    this.#options = options;
    this.#deps = deps;
    this.connection = new Connection({ ...connectionDefaults, ...options.connection }, deps);
    this.#rest = new Rest({ ...restDefaults, ...options.rest }, { ...deps, connection: this.connection });
    this.cluster = new Client(options, { rest: this.#rest });
  }

  /** Follows one kind, from `start` on. */
  reflect(
    wanted: { kind: Kind; namespace?: string; selector?: string; indexes?: Readonly<Record<string, Index>> },
    changed: (change: Change) => void,
  ): Reflector {
    const options: ReflectorOptions = { ...reflectorDefaults, ...this.#options.reflector, ...wanted };
    const reflector = new Reflector(options, { ...this.#deps, rest: this.#rest, changed });
    this.#reflectors.push(reflector);
    return reflector;
  }

  /** Everything that is followed has been listed once. */
  get synced(): boolean {
    return this.#reflectors.every(({ synced }) => synced);
  }

  /** Any call, as it is answered, tried once: for what is no object of a kind. */
  ask(wanted: Wanted): Promise<{ readonly status: number; readonly body: string }> {
    return this.#rest.ask(wanted);
  }

  start(): void {
    for (const reflector of this.#reflectors) reflector.start();
  }

  async close(): Promise<void> {
    const ended = this.#reflectors.map((reflector) => reflector.close());
    this.#rest.close();
    await Promise.all(ended);
  }
}
