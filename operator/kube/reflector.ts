// reflector: one kind of object in the apiserver, a store that follows it out. Lists in pages, then watches from there; a watch
// that ends goes on from the last version told, one whose version is too old lists anew, and whatever fails is tried again, for
// ever, after a growing pause. Handlers of changes only note what changed; one that throws is told of and changes nothing.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import type { ClientMetrics } from "../metrics.ts";
import type { Json, Kind, KubeObject } from "../objects.ts";
import { eachLine } from "./lines.ts";
import { pathOf, query } from "./paths.ts";
import { Refused, type Rest } from "./rest.ts";
import { type Change, type Index, Store } from "./store.ts";

export interface ReflectorOptions {
  readonly kind: Kind;
  /** undefined: all. */
  readonly namespace?: string;
  readonly selector?: string;
  readonly indexes?: Readonly<Record<string, Index>>;
  readonly pageSize: number;
  /** A watch is asked to end after this, up to twice as long. */
  readonly watchSeconds: number;
  /** Bookmarks come each minute; longer silence is a dead watch. */
  readonly silenceMs: number;
  readonly pauseMs: number;
  readonly pauseMaxMs: number;
}

export const reflectorDefaults = {
  pageSize: 500,
  watchSeconds: 300,
  silenceMs: 90_000,
  pauseMs: 800,
  pauseMaxMs: 30_000,
} as const;

interface Deps {
  readonly rest: Rest;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics?: ClientMetrics;
  readonly changed: (change: Change) => void;
}

export class Reflector {
  readonly store: Store;
  readonly #options: ReflectorOptions;
  readonly #deps: Deps;
  readonly #ending = new AbortController();
  #version: string | undefined;
  #failures = 0;
  #running: Promise<void> | undefined;
  /** The first list is in the store. */
  synced = false;

  constructor(options: ReflectorOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    this.store = new Store(options.indexes);
  }

  get kind(): Kind {
    return this.#options.kind;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#ending.abort(new SlipstreamError("draining", "the process is shutting down"));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random, log } = this.#deps;
    while (!this.#ending.signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list();
        await this.#watch();
        this.#failures = 0;
      } catch (thrown) {
        if (this.#ending.signal.aborted) return;
        if (isTooOld(thrown)) {
          this.#version = undefined;
          // A list that is too old at once is no reason to ask without a pause.
          if (this.#failures++ === 0) continue;
        } else this.#failures += 1;
        const { pauseMs, pauseMaxMs } = this.#options;
        const pause = Math.min(pauseMaxMs, pauseMs * 2 ** Math.min(this.#failures - 1, 10)) * (0.5 + random.next());
        log.debug({ kind: this.kind.kind, err: thrown, failures: this.#failures }, "following is interrupted");
        if (this.#failures === 3)
          log.warn({ kind: this.kind.kind, err: thrown }, "a kind of object cannot be followed; tried again");
        await clock.sleep(pause, this.#ending.signal).catch(() => undefined);
      }
    }
  }

  async #list(): Promise<void> {
    const { rest, metrics, clock } = this.#deps;
    const { kind, namespace, selector, pageSize } = this.#options;
    const began = clock.now();
    const objects: KubeObject[] = [];
    let next: string | undefined;
    let version = "";
    do {
      const words = { limit: String(pageSize), labelSelector: selector, continue: next };
      const page: Json = await rest.call({ method: "GET", path: pathOf(kind, namespace) + query(words) });
      // Items of a list do not say what they are.
      for (const item of page.items ?? []) objects.push({ ...item, apiVersion: kind.apiVersion, kind: kind.kind });
      version = page.metadata.resourceVersion;
      next = page.metadata.continue || undefined;
    } while (next !== undefined);
    metrics?.reflector_lists_total.inc({ name: kind.plural });
    metrics?.reflector_list_duration_seconds.observe({ name: kind.plural }, (clock.now() - began) / 1_000);
    this.#tell(this.store.replace(objects));
    this.#at(version);
    this.synced = true;
  }

  async #watch(): Promise<void> {
    const { rest, clock, random, metrics } = this.#deps;
    const { kind, namespace, selector, watchSeconds, silenceMs } = this.#options;
    const words = {
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: this.#version,
      timeoutSeconds: String(Math.round(watchSeconds * (1 + random.next()))),
      labelSelector: selector,
    };
    const silent = new AbortController();
    let timer: Disposable | undefined;
    const heard = () => {
      timer?.[Symbol.dispose]();
      timer = clock.timer(silenceMs, () =>
        silent.abort(new SlipstreamError("unavailable", "a watch has been silent for too long")),
      );
    };
    heard();
    try {
      const signal = AbortSignal.any([silent.signal, this.#ending.signal]);
      const { stream } = await rest.open({ method: "GET", path: pathOf(kind, namespace) + query(words) }, signal);
      metrics?.reflector_watches_total.inc({ name: kind.plural });
      signal.addEventListener("abort", () => stream.close());
      await eachLine(stream, (event) => {
        heard();
        this.#failures = 0;
        this.#take(event);
      });
      if (silent.signal.aborted) throw silent.signal.reason as Error;
    } finally {
      timer?.[Symbol.dispose]();
    }
  }

  #take({ type, object }: { type: string; object: Json }): void {
    if (type === "ERROR")
      throw new Refused(object.code ?? 500, object.reason ?? "", object.message ?? "a watch ended with an error");
    const version = object.metadata.resourceVersion as string;
    if (type === "ADDED" || type === "MODIFIED") this.#tell([this.store.set(object)]);
    if (type === "DELETED") {
      // Its last state comes with it: whoever owned it can be found.
      this.store.set(object);
      const { namespace, name } = object.metadata;
      this.#tell([this.store.delete(namespace === undefined ? name : `${namespace}/${name}`)]);
    }
    this.#at(version);
  }

  #at(version: string): void {
    this.#version = version;
    const number = Number(version);
    if (Number.isFinite(number)) this.#deps.metrics?.reflector_last_resource_version.set({ name: this.kind.plural }, number);
  }

  #tell(changes: readonly Change[]): void {
    for (const change of changes) {
      try {
        this.#deps.changed(change);
      } catch (thrown) {
        this.#deps.log.error({ kind: this.kind.kind, key: change.key, err: thrown }, "a change could not be noted");
      }
    }
  }
}

/** HTTP 410, in answer or in the stream: what was asked from is forgotten. */
function isTooOld(thrown: unknown): boolean {
  return thrown instanceof Refused && (thrown.status === 410 || thrown.reason === "Expired" || thrown.reason === "Gone");
}
