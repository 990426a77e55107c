// running: one generation on an engine behind HTTP: a request in, Pieces out as they come, its end returned. Leaving it closes its
// connection in the same tick. Whatever comes over the wire ends in one Finished, with what was counted until then.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { Mailbox } from "../../lib/structures/mailbox.ts";
import { type Finished, noUsage, type Piece, type Usage } from "../generation.ts";
import { CompletionStream, sentenceOf } from "./completion-stream.ts";
import type { Answer, HttpEngine } from "./http.ts";
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
}

export interface RunningDeps {
  readonly clock: Clock;
  readonly http: Pick<HttpEngine, "stream">;
  readonly meter: Meter;
  /** Called when nobody was there to ask. */
  readonly doubted: () => void;
  readonly aborted: (how: "closed" | "late") => void;
  /** The engine's own count of cached tokens, where it says it. */
  readonly counted?: (expected: number, cached: number) => void;
  /** The prompt is computed, and in the engine's cache. */
  readonly computed?: () => void;
}

type End = undefined | Answer | SlipstreamError | "aborted";

export class Running {
  /** When it last moved. */
  movedMs: number;
  readonly usage: Usage = noUsage();
  readonly #asked: Asked;
  readonly #deps: RunningDeps;
  readonly #stream = new CompletionStream();
  readonly #mailbox: Mailbox<Piece>;
  #firstMs: number | undefined;
  /** Whether a piece has said what the prompt cost. */
  #told = false;
  #how: End;
  #leave: () => void = () => {};

  constructor(asked: Asked, deps: RunningDeps) {
    this.#asked = asked;
    this.#deps = deps;
    this.movedMs = deps.clock.now();
    // At most one piece a token, and what is left of a character at the end.
    this.#mailbox = new Mailbox({ max: asked.maxTokens + 8, full: "refuse" });
    this.usage.promptTokens = asked.promptTokens;
  }

  async *read(signal: AbortSignal): AsyncGenerator<Piece, Finished> {
    const { path, body, traceparent, promptTokens } = this.#asked;
    const { http, meter } = this.#deps;
    if (signal.aborted) return { kind: "aborted", usage: this.usage };
    const headers = traceparent === "" ? {} : { traceparent };
    meter.prefilling(this, promptTokens);
    const abort = () => this.#abort();
    signal.addEventListener("abort", abort, { once: true });
    try {
      this.#leave = http.stream(path, body, { chunk: (chunk) => this.#chunk(chunk), end: (how) => this.#end(how) }, headers);
      yield* this.#mailbox;
      return this.#finished(this.#how);
    } finally {
      signal.removeEventListener("abort", abort);
      meter.prefilling(this, 0);
      this.#leave();
    }
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
    this.#leave();
    this.#deps.aborted("closed");
    this.#end("aborted");
  }

  #chunk(chunk: Buffer): void {
    const { clock, meter } = this.#deps;
    const now = clock.now();
    try {
      for (const piece of this.#stream.push(chunk)) {
        if (this.#firstMs === undefined) this.#first(now);
        else meter.stepped(now - this.movedMs);
        this.movedMs = now;
        this.#piece(piece);
      }
      // Some servers keep an answer open a while after the last word.
      if (this.#stream.done) this.#end(undefined);
    } catch (thrown) {
      this.#leave();
      this.#end(SlipstreamError.from(thrown));
    }
  }

  #first(now: number): void {
    const { meter, computed } = this.#deps;
    this.#firstMs = now;
    computed?.();
    this.usage.prefillMs = now - this.#asked.receivedMs;
    meter.prefilling(this, 0);
    meter.prefilled(this.#asked.promptTokens - (this.#asked.expectedCached ?? 0), this.usage.prefillMs);
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

  #end(how: End): void {
    if (this.#mailbox.ended) return;
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
    usage.cachedTokens = Math.min(usage.promptTokens, told.cachedTokens ?? expectedCached ?? 0);
    // Of a prompt that never came to its first token nobody knows how far it came.
    usage.recomputedTokens = this.#firstMs === undefined ? 0 : usage.promptTokens - usage.cachedTokens;
    usage.decodeMs = this.#firstMs === undefined ? 0 : this.movedMs - this.#firstMs;
    if (how === "aborted" || finish === "abort") return { kind: "aborted", usage };
    if (how instanceof SlipstreamError) {
      if (how.code === "unavailable") this.#deps.doubted();
      return { kind: "failed", error: failure(how), usage };
    }
    if (how !== undefined) return { kind: "failed", error: refusal(how), usage };
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
