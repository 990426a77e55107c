// kv-feed: trtllm-serve's KV events by asking for them in, each once and in order out. The page has one reader: what it gives is gone, to
// another reader too. So events are numbered, and a number that is missing is an event that nobody will tell again: all that was known
// is forgotten then, and learned anew from what is stored after it. Until a prompt's first block is, nothing can be placed, and the feed
// is not synced: what was asked of the engine says more then.
import type { Clock } from "../../../lib/clock.ts";
import type { Log } from "../../../lib/log.ts";
import type { HttpEngine } from "../http.ts";
import type { KvMessage } from "../kv-message.ts";
import type { Feed, FeedDeps } from "../kv-watch.ts";
import { KvEventReader, type NumberedEvent } from "./kv-events.ts";
import type { Origins } from "./origins.ts";
import { Polled } from "./polled.ts";

export const eventsPath = "/kv_cache_events";
/** Between an answer and the next question. */
const everyMs = 50;
/** Some versions answer only when nothing has happened for two seconds, which under load is long. */
const timeoutMs = 600_000;
/** A full buffer of 16,384 blocks, at some 2 KB each, and as much again. */
export const eventsBytesMax = 64 << 20;
/** Between two words of the log on what is missing. */
const sayEveryMs = 60_000;
/** A question that waits for longer than one that found nothing: the engine goes on, and we do not know it. */
const lateMs = 2_500;

interface Deps extends FeedDeps {
  readonly clock: Clock;
  readonly http: Pick<HttpEngine, "ask">;
  readonly origins: Origins;
  readonly log?: Log;
  /** What was read already, to learn whether there is anything to read. */
  readonly first?: string;
}

export class PolledKvFeed implements Feed {
  readonly #deps: Deps;
  readonly #reader: KvEventReader;
  readonly #polled: Polled;
  readonly #lateMs: number;
  /** Number of the last event, by rank. */
  readonly #last = new Map<number, number>();
  /** The last question was answered. */
  #answered = false;
  /** A prompt's first block was told since all was forgotten: those that follow have a place. */
  #rooted = false;
  /** How often events were missing. */
  gaps = 0;
  /** Since when nothing is said of it. */
  #saidMs: number | undefined;

  constructor(options: { readonly blockTokens: number; readonly lateMs?: number }, deps: Deps) {
    this.#deps = deps;
    this.#reader = new KvEventReader(options);
    this.#lateMs = options.lateMs ?? lateMs;
    if (deps.first !== undefined) this.#take(this.#reader.read(deps.first) ?? []);
    this.#polled = new Polled({ everyMs, timeoutMs }, { clock: deps.clock, ask: (how) => this.#ask(how) });
  }

  get synced(): boolean {
    return this.#answered && this.#rooted && this.#polled.waitingMs < this.#lateMs;
  }

  close(): void {
    this.#polled.close();
  }

  async #ask(how: { readonly signal: AbortSignal; readonly timeoutMs: number }): Promise<boolean> {
    try {
      const { status, text } = await this.#deps.http.ask(eventsPath, {}, { ...how, bytesMax: eventsBytesMax });
      const over = status === 404 || status === 405;
      const events = status === 200 ? this.#reader.read(text) : undefined;
      if (!over && !events) throw new Error(`status ${status}`);
      this.#answered = !over;
      if (over) this.#forget();
      else this.#take(events ?? []);
      return over;
    } catch (thrown) {
      this.#answered = false;
      throw thrown;
    }
  }

  #take(events: readonly NumberedEvent[]): void {
    let messages: KvMessage[] = [];
    const give = () => {
      if (messages.length > 0) this.#deps.take(messages);
      messages = [];
    };
    for (const { id, rank, message } of events) {
      const last = this.#last.get(rank);
      this.#last.set(rank, id);
      if (last !== undefined && id !== last + 1) {
        give();
        this.#missing(last, id);
      }
      const placed = message && this.#placed(message);
      if (!placed) continue;
      messages.push(placed);
      if (placed.kind === "stored" && placed.parent === undefined) this.#rooted = true;
    }
    give();
  }

  #missing(last: number, next: number): void {
    this.gaps += 1;
    this.#forget();
    const now = this.#deps.clock.now();
    if (this.#saidMs !== undefined && now - this.#saidMs < sayEveryMs) return;
    this.#saidMs = now;
    const { gaps } = this;
    this.#deps.log?.warn({ last, next, gaps }, "KV events of the engine are missing: does somebody else read /kv_cache_events?");
  }

  #forget(): void {
    this.#rooted = false;
    this.#deps.origins.clear();
    this.#deps.lost();
  }

  /** A prompt's first block with its tenant; undefined: nobody can say whose it is. */
  #placed(message: KvMessage): KvMessage | undefined {
    const { origins } = this.#deps;
    if (message.kind === "removed") for (const hash of message.hashes) origins.removed(hash);
    if (message.kind !== "stored" || message.parent !== undefined) return message;
    const origin = origins.of(message.tokens, message.hashes[0] as string);
    return origin && { ...message, ...{ salt: origin.salt, adapter: origin.adapter } };
  }
}
