// kv-watch: what is known of an engine's KV cache: by its own events where it tells them, else by what was asked of it. Prompts in, how
// much of each is there out, and the router's blocks that came and went. One feed for each of the engine's ranks.
import type { Clock } from "../../../lib/clock.ts";
import type { Log } from "../../../lib/log.ts";
import type { KvEvent } from "../engine.ts";
import { AskedBlocks } from "./asked-blocks.ts";
import { KvFeed } from "./events/events.ts";
import { KvTruth, type Prompted } from "./kv-truth.ts";
import type { KvSource } from "./probe.ts";

export interface KvWatchOptions {
  readonly url: string;
  readonly sources: readonly KvSource[];
  readonly blockTokens: number;
  readonly blocksMax: number;
}

/** Hosts that mean "where the engine is". */
const anywhere = /^(\*|0\.0\.0\.0|::|\[::\]|localhost|127\.0\.0\.1|\[::1\])$/;

export class KvWatch {
  readonly #blockTokens: number;
  readonly #asked: AskedBlocks;
  readonly #truth: KvTruth;
  readonly #feeds: readonly KvFeed[];
  #listener: ((event: KvEvent) => void) | undefined;

  constructor(options: KvWatchOptions, deps: { clock: Clock; log?: Log }) {
    const { url, sources, blockTokens, blocksMax } = options;
    this.#blockTokens = blockTokens;
    this.#asked = new AskedBlocks({ blocksMax });
    this.#truth = new KvTruth({ blockTokens, blocksMax: blocksMax * sources.length }, { tell: (event) => this.#listener?.(event) });
    this.#feeds = sources.map(({ endpoint, replay, topic }, rank) => {
      const at = { endpoint: reachable(endpoint, url), replay: replay && reachable(replay, url), topic };
      const take = (messages: Parameters<KvTruth["take"]>[0]) => this.#truth.take(messages, String(rank));
      return new KvFeed(at, { ...deps, take, lost: () => this.#truth.clear() });
    });
  }

  /** Whether the engine tells what it holds. */
  get tells(): boolean {
    return this.#feeds.length > 0;
  }

  /** Whether all that it told is known. */
  get synced(): boolean {
    return this.tells && this.#feeds.every(({ synced }) => synced);
  }

  listen(listener: (event: KvEvent) => void): void {
    this.#listener = listener;
  }

  /** Tokens of a prompt that need not be computed. The engine computes at least the last one anew, and with it its block. */
  expected(keys: readonly number[], promptTokens: number): number {
    const known = this.synced ? this.#truth.known(keys) : this.#asked.known(keys);
    return Math.min(known, Math.floor((promptTokens - 1) / this.#blockTokens)) * this.#blockTokens;
  }

  /** A prompt is on its way: its blocks have names for routers. */
  prompted(prompt: Prompted): void {
    if (this.tells) this.#truth.prompted(prompt);
  }

  computed(keys: readonly number[]): void {
    this.#asked.computed(keys);
  }

  close(): void {
    for (const feed of this.#feeds) feed.close();
  }
}

function reachable(endpoint: string, url: string): string {
  const found = /^tcp:\/\/(.+):(\d+)$/.exec(endpoint);
  if (!found || !anywhere.test(found[1] as string)) return endpoint;
  return `tcp://${new URL(url).hostname}:${found[2]}`;
}
