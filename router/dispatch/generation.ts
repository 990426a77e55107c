// generation: one generation on a link, from Submit to the frame that ends it. Its reader may leave early; the record stays
// until the worker says it stopped, because only then is the credit free and the cost known.
import { SlipstreamError } from "../../lib/errors.ts";
import type { Mailbox } from "../../lib/structures/mailbox.ts";
import type { Bill, Booking, Delta, Generated, Lane, Spent, Usage } from "../completion.ts";
import { noUsage } from "../completion.ts";

/** Bytes a worker may send ahead of the reader; an inline completion is far below it. */
export const windowBytes = 64 << 10;

/** What a worker says of a generation, for its reader. */
export type Item = { readonly from: LinkGeneration } & (
  | { readonly delta: Delta }
  | { readonly end: Generated }
  | { readonly error: SlipstreamError }
);

export interface GenerationOptions {
  readonly id: bigint;
  readonly worker: string;
  readonly lane: Lane;
  readonly booking: Booking;
  readonly submittedMs: number;
  /** The reader's, who may read two workers. Deltas are at most the window, which a worker that keeps to it cannot fill. */
  readonly inbox: Mailbox<Item>;
  readonly bill?: Bill | undefined;
}

export class LinkGeneration {
  readonly id: bigint;
  readonly worker: string;
  readonly lane: Lane;
  readonly booking: Booking;
  readonly submittedMs: number;
  readonly inbox: Mailbox<Item>;
  readonly bill: Bill | undefined;
  cancelledMs: number | undefined;
  /** Another worker answered first. */
  hedged = false;
  /** When its first delta came. */
  firstMs: number | undefined;
  /** Of its prompt; all of it with Done, Refused or CancelAck. */
  usage: Usage = noUsage;
  /** Its time in the engine, where the worker said it. */
  spent: Spent | undefined;
  delivered = 0;
  #unread = 0;
  #tokens = 0;

  constructor({ id, worker, lane, booking, submittedMs, inbox, bill }: GenerationOptions) {
    this.id = id;
    this.worker = worker;
    this.lane = lane;
    this.booking = booking;
    this.submittedMs = submittedMs;
    this.inbox = inbox;
    this.bill = bill;
  }

  delta(delta: Delta): void {
    // The first delta says what the prompt cost; a new object for each of the others would be most of what a delta costs here.
    if (delta.prompt) this.#add(delta.prompt);
    this.#tokens += delta.tokens;
    this.#say({ from: this, delta });
  }

  /** As far as its deltas told, until its end says all of it. */
  get told(): Usage {
    return { ...this.usage, completionTokens: this.#tokens };
  }

  #add({ promptTokens, cachedTokens, recomputedTokens }: NonNullable<Delta["prompt"]>): void {
    this.usage = { ...this.usage, promptTokens, cachedTokens, recomputedTokens };
  }

  /** The last of it: its credit is free. */
  end(end: { readonly end: Generated } | { readonly error: SlipstreamError }): void {
    this.#say({ from: this, ...end });
    this.booking.release(this.spent);
  }

  /** Its reader hears that the worker is lost, while the worker may not know it yet. */
  giveUp(error: SlipstreamError): void {
    this.#say({ from: this, error });
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

  #say(item: Item): void {
    // What comes after Cancel is nobody's.
    if (this.cancelledMs !== undefined || this.inbox.push(item)) return;
    this.inbox.end(new SlipstreamError("protocol", "the worker sends more than its window"));
  }
}
