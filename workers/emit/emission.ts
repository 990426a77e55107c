// emission: the text of one generation on its way to one reader. Pieces in, Delta frames out: the first at once, what
// follows within `coalesceMs` together, never more than the reader's window. What the window keeps back waits here, so
// that a reader that stops delays nobody else; it is bounded by the generation's own length.
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../lib/clock.ts";
import { PromptUseSchema, type WorkerFrame, WorkerFrameSchema } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Finish, Piece } from "../generation.ts";
import { StopScanner } from "./stops.ts";

export interface EmissionOptions {
  readonly id: bigint;
  readonly coalesceMs: number;
  readonly stops: readonly string[];
  readonly stopAtNewline: boolean;
  /** Bytes the reader will take; Infinity: no bound. */
  readonly windowBytes: number;
}

export interface EmissionDeps {
  readonly clock: Clock;
  readonly send: (frame: WorkerFrame) => unknown;
  readonly sent: (bytes: number) => void;
  readonly waits: () => void;
}

export class Emission {
  readonly #options: EmissionOptions;
  readonly #deps: EmissionDeps;
  readonly #scanner: StopScanner;
  #window: number;
  #text = "";
  #tokens = 0;
  #confidence = 0;
  #confident = 0;
  /** Of the first piece, until a delta carries it. */
  #prompt: Piece["prompt"];
  #sentMs = Number.NEGATIVE_INFINITY;
  #flushing: Disposable | undefined;
  #ended = false;
  #closed = false;
  #waited = false;
  #drained: (() => void) | undefined;

  constructor(options: EmissionOptions, deps: EmissionDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#scanner = new StopScanner(options);
    this.#window = options.windowBytes;
  }

  /** Says how the text ended, if this piece ended it; later pieces are no part of it. */
  take(piece: Piece): Finish | undefined {
    if (this.#ended) return undefined;
    const { text, end } = this.#scanner.take(piece.text);
    this.#text += text;
    this.#tokens += piece.tokens;
    this.#prompt ??= piece.prompt;
    if (piece.confidence !== undefined) {
      this.#confidence += piece.confidence * piece.tokens;
      this.#confident += piece.tokens;
    }
    if (end) this.#ended = true;
    const waitMs = this.#sentMs + this.#options.coalesceMs - this.#deps.clock.now();
    if (end || waitMs <= 0) this.#flush();
    else if (this.#text !== "") this.#flushing ??= this.#deps.clock.timer(waitMs, () => this.#flush());
    return end;
  }

  /** The reader takes more. */
  open(bytes: number): void {
    this.#window += bytes;
    if (this.#waited) this.#flush();
  }

  /** No piece follows: what was held back for a stop string is text after all. Resolves when all is sent, or closed. */
  finish(): Promise<void> {
    if (!this.#ended) this.#text += this.#scanner.rest();
    this.#ended = true;
    this.#flush();
    if (this.#text === "" || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  /** Nothing more is sent, from this call on. */
  close(): void {
    this.#closed = true;
    this.#ended = true;
    this.#text = "";
    this.#flushing?.[Symbol.dispose]();
    this.#drained?.();
  }

  #flush(): void {
    this.#flushing?.[Symbol.dispose]();
    this.#flushing = undefined;
    if (this.#closed || this.#text === "") return;
    const { head, bytes } = fitting(this.#text, this.#window);
    if (head.length < this.#text.length && !this.#waited) {
      this.#waited = true;
      this.#deps.waits();
    }
    if (head === "") return;
    const whole = head.length === this.#text.length;
    const tokens = whole ? this.#tokens : Math.floor((this.#tokens * head.length) / this.#text.length);
    const confidence = this.#confident > 0 ? { confidence: this.#confidence / this.#confident } : {};
    this.#text = this.#text.slice(head.length);
    this.#tokens -= tokens;
    if (whole) this.#confidence = this.#confident = 0;
    this.#window -= bytes;
    this.#sentMs = this.#deps.clock.now();
    this.#deps.sent(bytes);
    const prompt = this.#prompt ? { prompt: create(PromptUseSchema, this.#prompt) } : {};
    this.#prompt = undefined;
    const value = { id: this.#options.id, text: head, tokens, ...confidence, ...prompt };
    this.#deps.send(create(WorkerFrameSchema, { frame: { case: "delta", value } }));
    if (this.#text === "") this.#drained?.();
  }
}

/** The longest beginning of `text`, in whole characters, of at most `bytesMax` bytes. */
function fitting(text: string, bytesMax: number): { head: string; bytes: number } {
  const all = Buffer.byteLength(text);
  if (all <= bytesMax) return { head: text, bytes: all };
  let bytes = 0;
  let head = "";
  for (const character of text) {
    const more = Buffer.byteLength(character);
    if (bytes + more > bytesMax) break;
    bytes += more;
    head += character;
  }
  return { head, bytes };
}
