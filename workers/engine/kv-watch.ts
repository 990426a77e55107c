// kv-watch: what is known of an engine's KV cache: by its own events where it tells them, else by what was asked of it. Prompts in, how
// much of each is there out, and the router's blocks that came and went. One feed for each of the engine's ranks.

import { AskedBlocks } from "./asked-blocks.ts";
import type { KvEvent } from "./engine.ts";
import type { KvMessage } from "./kv-message.ts";
import { KvTruth, type Prompted } from "./kv-truth.ts";

export interface FeedDeps {
  /** Batches in order, each once. */
  readonly take: (messages: readonly KvMessage[]) => void;
  /** What was told until now is worth nothing. */
  readonly lost: () => void;
}

/** Where a rank's events come from. */
export interface Feed {
  /** All that was told so far has come. */
  readonly synced: boolean;
  close(): void;
}

export type FeedStart = (deps: FeedDeps) => Feed;

export class KvWatch {
  readonly #blockTokens: number;
  readonly #asked: AskedBlocks;
  readonly #truth: KvTruth;
  readonly #feeds: readonly Feed[];
  #listener: ((event: KvEvent) => void) | undefined;

  constructor(options: { blockTokens: number; blocksMax: number }, deps: { feeds: readonly FeedStart[] }) {
    const { blockTokens, blocksMax } = options;
    const { feeds } = deps;
    this.#blockTokens = blockTokens;
    this.#asked = new AskedBlocks({ blocksMax });
    this.#truth = new KvTruth({ blockTokens, blocksMax: blocksMax * feeds.length }, { tell: (event) => this.#listener?.(event) });
    this.#feeds = feeds.map((start, rank) =>
      start({ take: (messages) => this.#truth.take(messages, String(rank)), lost: () => this.#truth.clear() }),
    );
  }

  /** Whether the engine tells what it holds. */
  get tells(): boolean {
    return this.#feeds.length > 0;
  }

  /** Whether all that it told is known. */
  get synced(): boolean {
    return this.tells && this.#feeds.every(({ synced }) => synced);
  }

  /** Blocks that the engine said it gave up for others. */
  get evicted(): number {
    return this.#truth.evicted;
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
