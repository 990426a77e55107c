// events: an engine's stream of KV events in, each of its batches once and in order out. What is missed is asked for again; what
// cannot be had any more, or an engine that counts from the beginning again, is told as "lost": all that was known is worth nothing
// then. Bounded by the batches that wait for a gap to close.
import type { Clock } from "../../../../lib/clock.ts";
import { SlipstreamError } from "../../../../lib/errors.ts";
import type { Log } from "../../../../lib/log.ts";
import type { KvMessage } from "../../kv-message.ts";
import { LoopTurns } from "../../loop-turns.ts";
import { readKvBatch } from "./kv-batch.ts";
import { ZmtpConnection } from "./zmtp.ts";

export interface FeedOptions {
  readonly endpoint: string;
  /** Where missed batches are asked for; undefined: they are lost. */
  readonly replay: string | undefined;
  readonly topic: string;
  readonly retryMs?: number;
  readonly retryMaxMs?: number;
  /** How often it asks whether it missed the last one. */
  readonly checkMs?: number;
  /** Without a connection for so long nothing of what was known holds. */
  readonly lostMs?: number;
}

interface Deps {
  readonly clock: Clock;
  readonly log?: Log;
  take(messages: readonly KvMessage[]): void;
  lost(): void;
}

const waitingMax = 20_000;
/** Given out in one turn of the event loop: what was missed may be thousands, and a Cancel waits for no more than these. */
const turnMax = 32;
const endOfReplay = -1n;
const defaults = { retryMs: 50, retryMaxMs: 2_000, checkMs: 1_000, lostMs: 5_000 };

export class KvFeed {
  readonly #options: FeedOptions & typeof defaults;
  readonly #deps: Deps;
  #live: ZmtpConnection | undefined;
  /** Not agreed yet. */
  #connecting: ZmtpConnection | undefined;
  #replay: ZmtpConnection | undefined;
  /** Number of the batch that comes next; undefined before the first. */
  #next: bigint | undefined;
  /** Heard live while an earlier one is missing. */
  #waiting = new Map<bigint, Buffer>();
  /** Given out. */
  #last: { readonly sequence: bigint; readonly payload: Buffer } | undefined;
  #retryMs: number;
  #timers = new Set<Disposable>();
  readonly #turns = new LoopTurns();
  /** The next turn goes on giving out. */
  #giving = false;
  /** The next question whether something was missed. */
  #checking: Disposable | undefined;
  #gone: Disposable | undefined;
  #closed = false;

  constructor(options: FeedOptions, deps: Deps) {
    this.#options = { ...defaults, ...options };
    this.#deps = deps;
    this.#retryMs = this.#options.retryMs;
    this.#connect();
  }

  /** Connected, and nothing is missing. */
  get synced(): boolean {
    return this.#live !== undefined && this.#replay === undefined && this.#waiting.size === 0 && this.#next !== undefined;
  }

  close(): void {
    this.#closed = true;
    this.#live?.close();
    this.#connecting?.close();
    this.#replay?.close();
    this.#gone?.[Symbol.dispose]();
    for (const timer of this.#timers) timer[Symbol.dispose]();
  }

  #connect(): void {
    const { endpoint, topic } = this.#options;
    const live: ZmtpConnection = new ZmtpConnection(
      { endpoint, kind: "SUB", topic },
      {
        reader: {
          ready: () => {
            this.#retryMs = this.#options.retryMs;
            this.#gone?.[Symbol.dispose]();
            this.#gone = undefined;
            this.#connecting = undefined;
            this.#live = live;
            // What was published before the subscription, or while there was none.
            this.#ask();
          },
          message: (frames) => this.#heard(frames),
          end: (why) => this.#broken(why),
        },
      },
    );
    this.#connecting = live;
  }

  #broken(why: SlipstreamError): void {
    this.#live = undefined;
    this.#connecting = undefined;
    if (this.#closed) return;
    this.#deps.log?.debug({ why: why.message }, "the engine's KV events broke off");
    this.#gone ??= this.#deps.clock.timer(this.#options.lostMs, () => this.#lose());
    this.#later(this.#retryMs, () => this.#connect());
    this.#retryMs = Math.min(this.#options.retryMaxMs, this.#retryMs * 2);
  }

  #heard(frames: readonly Buffer[]): void {
    const [, number, payload] = frames;
    if (number?.length !== 8 || !payload) return;
    const sequence = number.readBigUInt64BE();
    this.#waiting.set(sequence, payload);
    if (this.#waiting.size > waitingMax) {
      this.#waiting.clear();
      this.#lose();
    }
    if (this.#replay === undefined && !this.#giving) this.#advance();
  }

  /** Gives out what is next. A gap is asked for, and given up when it cannot be had: the engine keeps only its last batches. */
  #advance(gapIsLost = this.#options.replay === undefined): void {
    const sorted = [...this.#waiting.keys()].sort((a, b) => (a < b ? -1 : 1));
    for (const [turn, sequence] of sorted.entries()) {
      if (turn === turnMax) {
        this.#goOn(gapIsLost);
        return;
      }
      const payload = this.#waiting.get(sequence) as Buffer;
      const next = this.#next ?? sequence;
      if (sequence > next && !gapIsLost) {
        this.#ask();
        return;
      }
      this.#waiting.delete(sequence);
      if (sequence === this.#last?.sequence && payload.equals(this.#last.payload)) continue;
      // Counted from the beginning again: another engine, which holds nothing of what was known.
      if (sequence !== next) this.#lose();
      this.#next = sequence + 1n;
      this.#last = { sequence, payload };
      this.#give(payload);
    }
  }

  #goOn(gapIsLost: boolean): void {
    if (this.#giving) return;
    this.#giving = true;
    // No timer: several of them may fire in one turn of a loop that is late.
    void this.#turns.next().then(() => {
      this.#giving = false;
      if (this.#closed) return;
      // What is asked for again meanwhile is not lost yet.
      this.#advance(gapIsLost && this.#replay === undefined);
    });
  }

  #give(payload: Buffer): void {
    try {
      this.#deps.take(readKvBatch(payload));
    } catch (thrown) {
      this.#deps.log?.warn({ why: SlipstreamError.from(thrown).message }, "a batch of the engine's KV events makes no sense");
      this.#deps.lost();
    }
  }

  /** Asks for the last batch that was given out, and all after it. */
  #ask(): void {
    const { replay: endpoint, checkMs, retryMaxMs } = this.#options;
    if (this.#closed || this.#replay !== undefined) return;
    if (endpoint === undefined) {
      this.#advance();
      return;
    }
    const heard = new Map<bigint, Buffer>();
    const over = (whole: boolean) => {
      replay.close();
      this.#replay = undefined;
      if (whole) this.#answered(heard);
      // One chain of questions, however often the stream broke: each new one would ask as often as the first.
      if (this.#checking) {
        this.#checking[Symbol.dispose]();
        this.#timers.delete(this.#checking);
      }
      this.#checking = this.#later(whole ? checkMs : retryMaxMs, () => this.#live && this.#ask());
    };
    const replay: ZmtpConnection = new ZmtpConnection(
      { endpoint, kind: "DEALER" },
      {
        reader: {
          ready: () => {
            const number = Buffer.alloc(8);
            number.writeBigUInt64BE(this.#last?.sequence ?? 0n);
            replay.send([Buffer.alloc(0), number]);
          },
          message: (frames) => {
            const [number, payload] = frames.slice(-2);
            if (number?.length !== 8 || !payload) return;
            const sequence = number.readBigInt64BE();
            if (sequence === endOfReplay) over(true);
            else if (heard.size < waitingMax) heard.set(sequence, payload);
          },
          end: () => over(false),
        },
      },
    );
    this.#replay = replay;
  }

  #answered(heard: ReadonlyMap<bigint, Buffer>): void {
    const last = this.#last;
    if (last && !heard.get(last.sequence)?.equals(last.payload)) {
      const rolled = [...heard.keys()].some((sequence) => sequence > last.sequence);
      this.#lose();
      // An engine that knows nothing of it is another one, and is asked for all that it has.
      if (!rolled) {
        this.#ask();
        return;
      }
    }
    // What was given out while it was asked is not news.
    const given = this.#last?.sequence ?? -1n;
    for (const [sequence, payload] of heard) if (sequence > given) this.#waiting.set(sequence, payload);
    this.#advance(true);
    this.#next ??= 0n;
  }

  #lose(): void {
    this.#next = undefined;
    if (this.#last === undefined) return;
    this.#last = undefined;
    this.#deps.lost();
  }

  #later(ms: number, act: () => void): Disposable {
    const timer = this.#deps.clock.timer(ms, () => {
      this.#timers.delete(timer);
      if (!this.#closed) act();
    });
    this.#timers.add(timer);
    return timer;
  }
}
