// reuse: a Trigger in; out comes what is already known of its answer, because the person is typing what was shown, or what is
// being generated in that document right now ("follow the typist"). Nothing below it runs then, and nothing waits. Holds the
// last few shown texts and the one flight of a document, `documentsMax` documents, for `ttlMs`.
import type { Clock } from "../../lib/clock.ts";
import { Lru } from "../../lib/structures/lru.ts";
import type { Delta, Flight, Generated, Trigger } from "../completion.ts";
import { type Place, placeOf, restOf, typedSince } from "./shown.ts";

export interface ReuseOptions {
  readonly documentsMax: number;
  /** Texts kept of one document: as many as a person goes back and forth over. */
  readonly textsMax: number;
  readonly ttlMs: number;
}

interface Known {
  /** Newest first. */
  readonly shown: { readonly place: Place; readonly text: string }[];
  flight: { readonly place: Place; readonly flight: Flight } | undefined;
}

/** A generation under way that agrees with what was typed since it began. */
export interface Followed {
  readonly flight: Flight;
  /** To be dropped from the flight's beginning. */
  readonly typed: string;
}

/** The typist went another way than the flight that was followed. */
export class Diverged extends Error {}

export class Reuse {
  readonly #options: ReuseOptions;
  readonly #clock: Clock;
  readonly #known: Lru<Known>;

  constructor(options: ReuseOptions, deps: { clock: Clock }) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#known = new Lru({ max: options.documentsMax, ttlMs: options.ttlMs });
  }

  /** The rest of a shown text, if what was typed since is its beginning. */
  typedAhead(trigger: Trigger): Delta | undefined {
    if (trigger.lane !== "inline") return undefined;
    for (const { place, text } of this.#known.get(trigger.document, this.#clock.now())?.shown ?? []) {
      const since = typedSince(place, trigger);
      const rest = since ? restOf(text, since) : "";
      if (rest !== "") return { text: rest, tokens: 0 };
    }
    return undefined;
  }

  /** The document's flight, if its text so far and what was typed since agree as far as both go. */
  followed(trigger: Trigger): Followed | undefined {
    const known = this.#known.get(trigger.document, this.#clock.now())?.flight;
    if (trigger.lane !== "inline" || !known || known.flight.over) return undefined;
    const since = typedSince(known.place, trigger);
    const { text } = known.flight;
    // A flight without text knows nothing yet, and a new prompt would find its KV anyway.
    if (since?.closed !== "" || text === "") return undefined;
    const { typed } = since;
    return text.startsWith(typed) || typed.startsWith(text) ? { flight: known.flight, typed } : undefined;
  }

  /** The flight's deltas without what was typed of them; throws Diverged as soon as they disagree. */
  async *drop(typed: string, deltas: AsyncGenerator<Delta, Generated>): AsyncGenerator<Delta, Generated> {
    let left = typed;
    try {
      for (;;) {
        const step = await deltas.next();
        if (step.done) {
          if (left !== "") throw new Diverged();
          return step.value;
        }
        const { text } = step.value;
        const shared = Math.min(left.length, text.length);
        if (text.slice(0, shared) !== left.slice(0, shared)) throw new Diverged();
        left = left.slice(shared);
        yield { ...step.value, text: text.slice(shared) };
      }
    } finally {
      await deltas.return(undefined as never);
    }
  }

  /** A flight began for this trigger: the next keys may follow it. */
  watch(trigger: Trigger, flight: Flight): void {
    if (trigger.lane === "inline") this.#of(trigger).flight = { place: placeOf(trigger), flight };
  }

  /** The text was delivered for this trigger, or will be when the person has accepted what comes before it. */
  remember(trigger: Trigger, text: string): void {
    if (text === "" || trigger.lane === "chat" || trigger.lane === "batch") return;
    const { shown } = this.#of(trigger);
    shown.unshift({ place: placeOf(trigger), text });
    if (shown.length > this.#options.textsMax) shown.pop();
  }

  #of(trigger: Trigger): Known {
    const now = this.#clock.now();
    const known = this.#known.get(trigger.document, now) ?? { shown: [], flight: undefined };
    this.#known.set(trigger.document, known, now);
    return known;
  }
}
