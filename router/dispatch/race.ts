// race: one wish at one worker, or at two where the first stalls: what they say in, the Deltas of the one that answers first
// out. Whoever loses is cancelled in the tick in which the other one's text is read; both are when the reader leaves. Holds at
// most two generations and their window.
import { SlipstreamError } from "../../lib/errors.ts";
import { Mailbox } from "../../lib/structures/mailbox.ts";
import { pulled } from "../../lib/structures/pulled.ts";
import { type Delta, type Generated, Retired, type Work } from "../completion.ts";
import { type Item, type LinkGeneration, windowBytes } from "./generation.ts";

/** What it needs of a link. */
export interface Track {
  cancel(generation: LinkGeneration, cause: string): void;
  grant(generation: LinkGeneration, bytes: number): void;
}

/** Who wants to know how it goes, once each; of `broke`, `ended` and `left` one. */
export interface Watcher {
  first(): void;
  ended(end: Generated): void;
  broke(thrown: unknown): void;
  /** Its reader left before the end. */
  left(): void;
}

interface Entrant {
  readonly track: Track;
  readonly generation: LinkGeneration;
}

export class Race {
  readonly inbox = new Mailbox<Item>({ max: windowBytes, full: "refuse" });
  readonly work: Work;
  #entrants: Entrant[] = [];
  #winner: LinkGeneration | undefined;
  /** Told once, who answered first and whom it left behind. */
  readonly #won: (winner: LinkGeneration, losers: readonly LinkGeneration[]) => void;
  readonly #retired: () => void;
  readonly #watcher: Watcher | undefined;

  constructor(work: Work, won: (winner: LinkGeneration, losers: readonly LinkGeneration[]) => void, watcher?: Watcher) {
    this.work = work;
    this.#won = won;
    this.#watcher = watcher;
    const { signal } = work;
    this.#retired = () => {
      // The cancel first, then the reader: the worker must not compute while we tidy up.
      this.#leave(signal.reason instanceof Retired ? signal.reason.outcome : "cut");
      this.inbox.end(signal.reason);
    };
    signal.addEventListener("abort", this.#retired, { once: true });
  }

  enter(track: Track, generation: LinkGeneration): void {
    this.#entrants.push({ track, generation });
  }

  /** Nobody has answered, and nobody but the first was asked. */
  get undecided(): boolean {
    return this.#entrants.length === 1 && this.#entrants[0]?.generation.firstMs === undefined && !this.work.signal.aborted;
  }

  read(): AsyncGenerator<Delta, Generated> {
    return pulled({
      step: () => this.#step(),
      wait: (wake) => this.inbox.whenFilled(wake),
      over: (how, thrown) => {
        if (how === "left") this.#watcher?.left();
        else if (how === "broke") this.#watcher?.broke(thrown);
        this.work.signal.removeEventListener("abort", this.#retired);
        this.#leave("cut");
      },
    });
  }

  /** The next delta or the end, where one is there. */
  #step(): IteratorResult<Delta, Generated> | undefined {
    const { signal } = this.work;
    for (let item = this.inbox.take(); item; item = this.inbox.take()) {
      const { from } = item;
      // Both may have spoken in one tick.
      if (this.#winner && from !== this.#winner) continue;
      if ("error" in item) {
        this.#entrants = this.#entrants.filter(({ generation }) => generation !== from);
        // The other one may still answer.
        if (this.#entrants.length > 0) continue;
        throw item.error;
      }
      if (!this.#winner) {
        this.#winner = from;
        this.#decide(from);
        if ("delta" in item) this.#watcher?.first();
      }
      if ("end" in item) {
        this.#watcher?.ended(item.end);
        return { done: true, value: item.end };
      }
      const { track } = this.#entrants[0] as Entrant;
      track.grant(from, from.read(item.delta.text));
      // A trigger that ended while the delta waited wants none of it.
      if (signal.aborted) throw signal.reason;
      return { done: false, value: item.delta };
    }
    if (!this.inbox.over) return undefined;
    throw signal.aborted ? signal.reason : new SlipstreamError("worker_lost", "the generation ended without a word");
  }

  #decide(winner: LinkGeneration): void {
    const losers = this.#entrants.filter(({ generation }) => generation !== winner);
    this.#entrants = this.#entrants.filter(({ generation }) => generation === winner);
    for (const { track, generation } of losers) track.cancel(generation, "hedged");
    this.#won(
      winner,
      losers.map(({ generation }) => generation),
    );
  }

  #leave(cause: string): void {
    for (const { track, generation } of this.#entrants) track.cancel(generation, cause);
  }
}
