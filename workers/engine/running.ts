// running: one generation on an engine behind a wire: a request in, Pieces out as they come, its end returned. Leaving it closes its
// connection in the same tick. Whatever comes over the wire ends in one Finished, with what was counted until then.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { Mailbox } from "../../lib/structures/mailbox.ts";
import { pulled } from "../../lib/structures/pulled.ts";
import { type Finished, noUsage, type Piece, type Usage } from "../generation.ts";
import { type Answering, sentenceOf } from "./completion-stream.ts";
import type { Answer, StreamReader } from "./http.ts";
import type { Meter } from "./meter.ts";

export interface Asked {
  readonly path: string;
  readonly body: object;
  readonly traceparent: string;
  readonly promptTokens: number;
  /** Of them, those expected in the cache; undefined: nothing is known until the engine says it. */
  readonly expectedCached: number | undefined;
  readonly maxTokens: number;
  readonly receivedMs: number;
  /** What an answer by its status means there (default: what the status says). */
  readonly refused?: (answer: Answer) => SlipstreamError;
  /** Whether what the first text took beyond its prompt's cost is told as time in the engine's queue. */
  readonly timesQueue?: boolean;
  /** Has the engine stop by the request's name, false where it would not hear; absent: it is left, and stops for that. */
  readonly abort?: () => Promise<boolean>;
}

/** Where a request goes, and its answer comes from in parts; the returned function leaves it. */
export interface Wire<Chunk> {
  stream(path: string, body: object, reader: StreamReader<Chunk>, headers: Readonly<Record<string, string>>): () => void;
}

export interface RunningDeps<Chunk> {
  readonly clock: Clock;
  readonly wire: Wire<Chunk>;
  readonly answering: (asked: Pick<Asked, "maxTokens">) => Answering<Chunk>;
  readonly meter: Meter;
  /** Called when nobody was there to ask. */
  readonly doubted: () => void;
  readonly aborted: (how: Aborted) => void;
  /** Nobody reads it any more. */
  readonly over: () => void;
  /** The engine's own count of cached tokens, where it says it. */
  readonly counted?: (expected: number, cached: number) => void;
  /** The prompt is computed, and in the engine's cache. */
  readonly computed?: () => void;
}

/** "late": it had ended by itself. */
export type Aborted = "closed" | "by_id" | "late";

/** From the last word until the answer ends: then its connection is good for the next one. Some servers keep it open for long. */
const lingerMs = 1_000;

type End = undefined | Answer | SlipstreamError | "aborted";

export class Running<Chunk> {
  /** When it last moved. */
  movedMs: number;
  readonly usage: Usage = noUsage();
  readonly #asked: Asked;
  readonly #deps: RunningDeps<Chunk>;
  readonly #stream: Answering<Chunk>;
  readonly #mailbox: Mailbox<Piece>;
  #firstMs: number | undefined;
  /** Whether a piece has said what the prompt cost. */
  #told = false;
  #how: End;
  /** Nobody reads it any more. */
  #lingering: Disposable | undefined;
  #leave: () => void = () => {};

  constructor(asked: Asked, deps: RunningDeps<Chunk>) {
    this.#asked = asked;
    this.#deps = deps;
    this.#stream = deps.answering(asked);
    this.movedMs = deps.clock.now();
    // At most one piece a token, and what is left of a character at the end.
    this.#mailbox = new Mailbox({ max: asked.maxTokens + 8, full: "refuse" });
    this.usage.promptTokens = asked.promptTokens;
  }

  /** Asks now; what is returned is to be read to its end, or left. */
  read(signal: AbortSignal): AsyncGenerator<Piece, Finished> {
    const { path, body, traceparent, promptTokens } = this.#asked;
    const { wire, meter } = this.#deps;
    const abort = () => this.#abort();
    if (signal.aborted) this.#end("aborted");
    else {
      const headers = traceparent === "" ? {} : { traceparent };
      meter.prefilling(this, promptTokens);
      signal.addEventListener("abort", abort, { once: true });
      this.#leave = wire.stream(path, body, { chunk: (chunk) => this.#chunk(chunk), end: (how) => this.#ended(how) }, headers);
    }
    return pulled({
      step: () => this.#step(),
      wait: (wake) => this.#mailbox.whenFilled(wake),
      over: () => {
        signal.removeEventListener("abort", abort);
        meter.prefilling(this, 0);
        if (!this.#lingering) this.#leave();
        this.#deps.over();
      },
    });
  }

  #step(): IteratorResult<Piece, Finished> | undefined {
    const value = this.#mailbox.take();
    if (value) return { done: false, value };
    return this.#mailbox.over ? { done: true, value: this.#finished(this.#how) } : undefined;
  }

  /** The engine is gone. */
  fail(error: SlipstreamError): void {
    this.#leave();
    this.#end(error);
  }

  #abort(): void {
    // It has ended by itself, and what it cost is on the way.
    if (this.#stream.finish !== undefined) {
      this.#deps.aborted("late");
      return;
    }
    const { abort } = this.#asked;
    if (abort) {
      this.#linger();
      void abort().then((heard) => heard || this.#leave());
    } else this.#leave();
    this.#deps.aborted(abort ? "by_id" : "closed");
    this.#end("aborted");
  }

  /** Nothing more is read of it, and it may end by itself. */
  #linger(): void {
    this.#lingering = this.#deps.clock.timer(lingerMs, () => this.#leave());
  }

  #chunk(chunk: Chunk): void {
    const { clock, meter } = this.#deps;
    if (this.#lingering) return;
    const now = clock.now();
    try {
      for (const piece of this.#stream.push(chunk)) {
        if (this.#firstMs === undefined) this.#first(now);
        else meter.stepped(now - this.movedMs);
        this.movedMs = now;
        this.#piece(piece);
      }
      if (!this.#stream.done) return;
      this.#linger();
      this.#end(undefined);
    } catch (thrown) {
      this.#leave();
      this.#end(SlipstreamError.from(thrown));
    }
  }

  #first(now: number): void {
    const { meter, computed } = this.#deps;
    this.#firstMs = now;
    computed?.();
    const uncached = this.#asked.promptTokens - (this.#asked.expectedCached ?? 0);
    const tookMs = now - this.#asked.receivedMs;
    if (this.#asked.timesQueue) this.usage.queueMs = meter.beyond(uncached, tookMs);
    this.usage.prefillMs = tookMs - this.usage.queueMs;
    meter.prefilling(this, 0);
    meter.answered(uncached, this.usage.prefillMs);
  }

  #piece(piece: Piece): void {
    const { expectedCached: cachedTokens, promptTokens } = this.#asked;
    const told = this.#told || cachedTokens === undefined;
    this.#told = true;
    const prompt = told ? {} : { prompt: { promptTokens, cachedTokens, recomputedTokens: promptTokens - cachedTokens } };
    if (this.#mailbox.push({ ...piece, ...prompt })) return;
    this.#leave();
    this.#end(
      new SlipstreamError("engine_failed", `the engine said more than the ${this.#asked.maxTokens} tokens it was asked for`),
    );
  }

  #ended(how: End): void {
    if (how === undefined) this.#stream.over?.();
    this.#end(how);
  }

  #end(how: End): void {
    if (this.#mailbox.ended) {
      this.#lingering?.[Symbol.dispose]();
      return;
    }
    this.#how = how;
    this.#mailbox.end();
  }

  #finished(how: End): Finished {
    const { usage } = this;
    const { told, finish } = this.#stream;
    const { expectedCached } = this.#asked;
    if (expectedCached !== undefined && told.cachedTokens !== undefined) this.#deps.counted?.(expectedCached, told.cachedTokens);
    usage.promptTokens = told.promptTokens ?? usage.promptTokens;
    usage.completionTokens = told.completionTokens;
    usage.drafted = told.drafted ?? 0;
    usage.draftAccepted = told.draftAccepted ?? 0;
    usage.cachedTokens = Math.min(usage.promptTokens, told.cachedTokens ?? expectedCached ?? 0);
    // Of a prompt that never came to its first token nobody knows how far it came.
    usage.recomputedTokens = this.#firstMs === undefined ? 0 : usage.promptTokens - usage.cachedTokens;
    usage.decodeMs = this.#firstMs === undefined ? 0 : this.movedMs - this.#firstMs;
    if (how === "aborted" || finish === "abort") return { kind: "aborted", usage };
    if (how instanceof SlipstreamError) {
      if (how.code === "unavailable") this.#deps.doubted();
      return { kind: "failed", error: failure(how), usage };
    }
    if (how !== undefined) return { kind: "failed", error: (this.#asked.refused ?? refusal)(how), usage };
    if (finish === undefined)
      return { kind: "failed", error: new SlipstreamError("engine_failed", "the engine's answer ended before its end"), usage };
    return { kind: "done", finish, usage };
  }
}

/** For a router, an engine that cannot be reached is one that failed: it goes elsewhere. */
function failure(error: SlipstreamError): SlipstreamError {
  return error.code === "unavailable" ? new SlipstreamError("engine_failed", error.message, { cause: error }) : error;
}

/** What the engine answers instead of a stream. A prompt that it will not have is the asker's; all else may go elsewhere. */
export function refusal({ status, text }: Answer): SlipstreamError {
  const said = sentenceOf(messageIn(text));
  if (status === 400 || status === 413 || status === 422)
    return new SlipstreamError("invalid_request", `the engine refuses: ${said}`);
  if (status === 404) return new SlipstreamError("not_found", `the engine says: ${said}`);
  if (status === 429 || status === 503) return new SlipstreamError("overloaded", `the engine takes no more: ${said}`);
  return new SlipstreamError("engine_failed", `the engine answers with status ${status}: ${said}`);
}

function messageIn(text: string): unknown {
  try {
    const body = JSON.parse(text) as { error?: unknown; message?: unknown };
    return body.error ?? body.message ?? "no reason given";
  } catch {
    return "no reason given";
  }
}
