// flight: one generation under way, read by whoever wants its text: the trigger that asked, one that joined, one that follows
// the typist. It lives while it has a reader; when the last one leaves, its signal aborts in that same moment. Holds the text
// of one generation, which its token limit bounds.
import { pulled } from "../../lib/structures/pulled.ts";
import { type Bill, type Delta, type Flight, type Generated, noUsage, Retired, type Usage, type Work } from "../completion.ts";

export interface Flying {
  readonly model: string;
  readonly work: Omit<Work, "signal" | "due">;
  /** Says each delta as it comes. */
  readonly run: (work: Work, say: (delta: Delta) => void) => Promise<Generated>;
  /** Told when nothing more comes. */
  readonly landed: () => void;
}

export class SharedFlight implements Flight {
  readonly #flying: Flying;
  readonly #controller = new AbortController();
  readonly #deltas: Delta[] = [];
  /** Wakes each reader that waits. */
  readonly #readers = new Set<() => void>();
  #text = "";
  #started = false;
  #landed = false;
  #booked = false;
  #dueMs = Number.NEGATIVE_INFINITY;
  #end: Generated | undefined;
  #error: unknown;
  worker = "";

  constructor(flying: Flying) {
    this.#flying = flying;
  }

  get model(): string {
    return this.#flying.model;
  }

  get bill(): Bill | undefined {
    return this.#flying.work.bill;
  }

  get text(): string {
    return this.#text;
  }

  get over(): boolean {
    return this.#landed || this.#controller.signal.aborted;
  }

  wanted(untilMs: number): void {
    this.#dueMs = Math.max(this.#dueMs, untilMs);
  }

  /** The generation begins with its first reader: until then nothing would keep it. */
  read(signal: AbortSignal): AsyncGenerator<Delta, Generated> {
    let waiting: (() => void) | undefined;
    const wake = () => {
      const woken = waiting;
      waiting = undefined;
      woken?.();
    };
    this.#readers.add(wake);
    const leave = () => {
      // The last one's leaving ends the generation in this tick, before anyone is woken to tidy up.
      if (this.#readers.delete(wake) && this.#readers.size === 0 && !this.#landed) this.#controller.abort(reasonOf(signal));
      wake();
    };
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    if (!this.#started) void this.#fly();
    let at = 0;
    return pulled<Delta, Generated>({
      step: () => {
        if (signal.aborted) throw signal.reason;
        const delta = this.#deltas[at];
        if (delta) at += 1;
        else if (!this.#landed) return undefined;
        else if (!this.#end) throw this.#error;
        return delta ? { done: false, value: delta } : { done: true, value: this.#end as Generated };
      },
      wait: (woken) => {
        waiting = woken;
      },
      over: () => {
        signal.removeEventListener("abort", leave);
        leave();
      },
    });
  }

  /** Tokens are booked once, to the last of the readers, after it has left. */
  book(usage: Usage): Usage {
    if (this.#booked || this.#readers.size > 0) return noUsage;
    this.#booked = true;
    return usage;
  }

  async #fly(): Promise<void> {
    this.#started = true;
    try {
      const work = {
        ...this.#flying.work,
        signal: this.#controller.signal,
        due: () => (Number.isFinite(this.#dueMs) ? this.#dueMs : this.#flying.work.deadlineMs),
      };
      this.#end = await this.#flying.run(work, (delta) => {
        this.#deltas.push(delta);
        this.#text += delta.text;
        this.#wake();
      });
    } catch (thrown) {
      this.#error = thrown;
    }
    this.#landed = true;
    this.#flying.landed();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#readers) wake();
  }
}

/** Most completions end so; which one does not matter to anybody. */
const enough = new Error("read to its cut");

/** Why the last reader left: its trigger ended, or it has read enough. */
function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Retired ? signal.reason : enough;
}
