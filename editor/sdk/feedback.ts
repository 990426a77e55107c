// feedback: what became of a completion in, reports to the router out. How long it stood is measured here; what cannot be said
// now waits, up to a bound. Accepted text is followed through its retention windows.
import type { Clock } from "../../lib/clock.ts";
import type { ClientMessage } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Document, Edit } from "./document.ts";
import { Retention } from "./retention.ts";
import { type Reaction, reactionNumber } from "./words.ts";

export interface FeedbackOptions {
  /** Seconds after an acceptance; empty: accepted text is not followed. */
  readonly retentionWindowsS: readonly number[];
}

interface Deps {
  readonly clock: Clock;
  /** False: nobody listens now. */
  readonly say: (message: ClientMessage["message"]) => boolean;
}

/** Where an accepted text stands. */
export interface Place {
  readonly document: Document;
  readonly start: number;
  readonly text: string;
}

type Report = Extract<ClientMessage["message"], { case: "feedback" }>;
interface Figures {
  readonly acceptedUtf16?: number;
  readonly shownMs?: number;
  readonly afterS?: number;
  readonly keptRatio?: number;
}

const waitingMax = 256;
const shownMax = 256;

export class Feedback {
  readonly #deps: Deps;
  readonly #retention: Retention;
  /** Since when it stands, of those without an end. */
  readonly #shown = new Map<string, number>();
  #waiting: Report[] = [];
  /** Reports that were never sent: too many waited. */
  dropped = 0;

  constructor({ retentionWindowsS }: FeedbackOptions, deps: Deps) {
    this.#deps = deps;
    const report = (completionId: string, afterS: number, keptRatio: number) =>
      this.#say(completionId, "retained", { afterS, keptRatio });
    this.#retention = new Retention(retentionWindowsS, { clock: deps.clock, report });
  }

  /** The person sees it. Saying so again is nothing. */
  shown(completionId: string): void {
    if (this.#shown.has(completionId)) return;
    const [oldest] = this.#shown.keys();
    if (oldest !== undefined && this.#shown.size >= shownMax) this.#shown.delete(oldest);
    this.#shown.set(completionId, this.#deps.clock.now());
    this.#say(completionId, "shown", {});
  }

  /** All of it. With a place it is followed there: call it once the text stands in the document. */
  accepted(completionId: string, place?: Place): void {
    this.#end(completionId, "accepted");
    if (place) this.#retention.follow(completionId, place.document, place.start, place.text);
  }

  /** The first `acceptedUtf16` units by now: a word, then another. */
  partial(completionId: string, acceptedUtf16: number): void {
    this.#say(completionId, "partial", { acceptedUtf16, ...this.#stood(completionId) });
  }

  rejected(completionId: string): void {
    this.#end(completionId, "rejected");
  }

  /** Neither taken nor refused: the person typed something else, or left. */
  ignored(completionId: string): void {
    this.#end(completionId, "ignored");
  }

  /** Another text goes on where it was: the person typed along, or took a part. */
  superseded(completionId: string): void {
    this.#end(completionId, "superseded");
  }

  edited(document: Document, edits: readonly Edit[]): void {
    this.#retention.edited(document, edits);
  }

  closed(document: Document): void {
    this.#retention.closed(document);
  }

  /** Somebody listens again. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const report of waiting) this.#send(report);
  }

  close(): void {
    this.#retention.close();
  }

  #end(completionId: string, reaction: Reaction): void {
    this.#say(completionId, reaction, this.#stood(completionId));
    this.#shown.delete(completionId);
  }

  #stood(completionId: string): Figures {
    const since = this.#shown.get(completionId);
    return since === undefined ? {} : { shownMs: Math.max(1, Math.round(this.#deps.clock.now() - since)) };
  }

  #say(completionId: string, reaction: Reaction, figures: Figures): void {
    this.#send({ case: "feedback", value: { completionId, event: reactionNumber(reaction), ...figures } } as Report);
  }

  #send(report: Report): void {
    if (this.#deps.say(report)) return;
    this.#waiting.push(report);
    if (this.#waiting.length <= waitingMax) return;
    this.#waiting.shift();
    this.dropped += 1;
  }
}
