// reuse: a Trigger in; the rest of what was last shown in that document out, when the person is typing just that. Nothing
// below it runs then. Holds one shown text a document, `documentsMax` documents, for `ttlMs`; of a prefix only its tail.
import type { Clock } from "../../lib/clock.ts";
import { Lru } from "../../lib/structures/lru.ts";
import type { Delta, Trigger } from "../completion.ts";

export interface ReuseOptions {
  readonly documentsMax: number;
  readonly ttlMs: number;
}

/** What was shown, and where. */
interface Shown {
  /** Length of the prefix and its last characters: with the document's key that is as good as the whole. */
  readonly prefixLength: number;
  readonly prefixTail: string;
  readonly suffixHead: string;
  readonly suffixLength: number;
  readonly wish: string;
  readonly text: string;
}

/** Enough that an edit above the line is noticed nearly always, little enough to keep for every session. */
const tailUtf16 = 512;

export class Reuse {
  readonly #clock: Clock;
  readonly #shown: Lru<Shown>;

  constructor(options: ReuseOptions, deps: { clock: Clock }) {
    this.#clock = deps.clock;
    this.#shown = new Lru({ max: options.documentsMax, ttlMs: options.ttlMs });
  }

  /** The rest of the shown text, if what was typed since is its beginning. */
  typedAhead(trigger: Trigger): Delta | undefined {
    const shown = this.#shown.get(trigger.document, this.#clock.now());
    if (!shown || trigger.lane !== "inline" || shown.wish !== wishOf(trigger)) return undefined;
    const typed = trigger.prefix.length - shown.prefixLength;
    if (typed < 0 || typed >= shown.text.length) return undefined;
    if (trigger.suffix.length !== shown.suffixLength || trigger.suffix.slice(0, tailUtf16) !== shown.suffixHead) return undefined;
    if (trigger.prefix.slice(shown.prefixLength) !== shown.text.slice(0, typed)) return undefined;
    if (trigger.prefix.slice(Math.max(0, shown.prefixLength - tailUtf16), shown.prefixLength) !== shown.prefixTail)
      return undefined;
    return { text: shown.text.slice(typed), tokens: 0 };
  }

  /** The text was delivered for this trigger. */
  remember(trigger: Trigger, text: string): void {
    if (text === "" || trigger.lane !== "inline") return;
    this.#shown.set(
      trigger.document,
      {
        prefixLength: trigger.prefix.length,
        prefixTail: trigger.prefix.slice(-tailUtf16),
        suffixHead: trigger.suffix.slice(0, tailUtf16),
        suffixLength: trigger.suffix.length,
        wish: wishOf(trigger),
        text,
      },
      this.#clock.now(),
    );
  }
}

/** What was asked for, the place apart: text made for another wish is not what is wanted now. */
function wishOf({ model, shape, sampling }: Trigger): string {
  return JSON.stringify([model, shape, sampling]);
}
