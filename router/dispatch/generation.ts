// generation: one generation on a link, from Submit to the frame that ends it. Its reader may leave early; the record stays
// until the worker says it stopped, because only then is the credit free and the cost known.
import { SlipstreamError } from "../../lib/errors.ts";
import { Mailbox } from "../../lib/structures/mailbox.ts";
import type { Booking, Delta, Generated, Usage } from "../completion.ts";
import { noUsage } from "../completion.ts";

/** Bytes a worker may send ahead of the reader; an inline completion is far below it. */
export const windowBytes = 64 << 10;

type Item = { readonly delta: Delta } | { readonly end: Generated } | { readonly error: SlipstreamError };

export class LinkGeneration {
  readonly id: bigint;
  readonly worker: string;
  readonly booking: Booking;
  readonly submittedMs: number;
  /** Deltas are at most the window, which a worker that keeps to it cannot fill even a byte at a time; one end follows. */
  readonly inbox = new Mailbox<Item>({ max: windowBytes, full: "refuse" });
  cancelledMs: number | undefined;
  /** Known so far; final with Done, Refused or CancelAck. */
  usage: Usage = noUsage;
  delivered = 0;
  #unread = 0;

  constructor(options: { id: bigint; worker: string; booking: Booking; submittedMs: number }) {
    this.id = options.id;
    this.worker = options.worker;
    this.booking = options.booking;
    this.submittedMs = options.submittedMs;
  }

  delta(delta: Delta): void {
    this.usage = { ...this.usage, ...delta.prompt, completionTokens: this.usage.completionTokens + delta.tokens };
    // What comes after Cancel is nobody's.
    if (this.cancelledMs !== undefined || this.inbox.push({ delta })) return;
    this.inbox.end(new SlipstreamError("protocol", "the worker sends more than its window"));
  }

  end(end: { readonly end: Generated } | { readonly error: SlipstreamError }): void {
    if (!this.inbox.push(end)) this.inbox.end(new SlipstreamError("protocol", "the worker sends more than its window"));
    this.inbox.end();
    this.booking.release();
  }

  /** The reader took `text`; bytes to grant the worker, in steps of half a window. */
  read(text: string): number {
    this.delivered += 1;
    this.#unread += Buffer.byteLength(text);
    if (this.#unread < windowBytes / 2) return 0;
    const grant = this.#unread;
    this.#unread = 0;
    return grant;
  }
}
