// settled: situations in which a plan did not pay in, whether such a one need be thought over again out. Thinking costs a small
// model's step some hundredths; most steps on a processor are plain and like the one before. Cleared when a draft taught
// something; nothing is held for more than some hundred steps.
import { matchKind } from "./odds.ts";

export interface Asked {
  readonly load: number;
  readonly lengthMax: number;
  readonly lookup: { readonly match: number; readonly length: number };
  readonly behindTokens: number | undefined;
}

/** How long it holds: at most so many steps; when reading for the draft model decided it, no longer than this generation. */
export interface Holds {
  readonly steps: number;
  readonly byReading: boolean;
}

/** Costs and odds drift. */
const stepsMax = 256;

interface Known extends Holds {
  readonly asked: Asked;
  readonly untilStep: number;
}

export class Settled {
  #steps = 0;
  /** Not even the longest match would pay: until which step, and at what load. */
  #rest: (Holds & { readonly load: number; readonly untilStep: number }) | undefined;
  /** By kind of match, 0 where there is none. */
  readonly #known: (Known | undefined)[] = [];

  stepped(): void {
    this.#steps += 1;
  }

  clear(): void {
    this.#known.length = 0;
    this.#rest = undefined;
  }

  /** A generation ended: the next one has as much before it to read for. */
  finished(): void {
    for (const [key, known] of this.#known.entries()) if (known?.byReading) this.#known[key] = undefined;
    if (this.#rest?.byReading) this.#rest = undefined;
  }

  /** Whatever could be looked up. */
  rest(load: number, holds: Holds): void {
    this.#rest = { ...holds, load, untilStep: this.#until(holds) };
  }

  rests(load: number): boolean {
    return this.#rest !== undefined && this.#rest.load === load && this.#steps < this.#rest.untilStep;
  }

  add(asked: Asked, holds: Holds): void {
    this.#known[keyOf(asked)] = { ...holds, asked, untilStep: this.#until(holds) };
  }

  has(asked: Asked): boolean {
    const known = this.#known[keyOf(asked)];
    if (!known || this.#steps >= known.untilStep) return false;
    // What is shorter, has less to draft from or more to read promises no more.
    const { load, lengthMax, lookup, behindTokens } = known.asked;
    if (asked.load !== load || asked.lengthMax > lengthMax || asked.lookup.length > lookup.length) return false;
    if (asked.behindTokens === undefined) return true;
    return behindTokens !== undefined && (!known.byReading || asked.behindTokens >= behindTokens);
  }

  #until({ steps }: Holds): number {
    return this.#steps + Math.min(stepsMax, steps);
  }
}

const keyOf = ({ lookup }: Asked): number => (lookup.length === 0 ? 0 : 1 + matchKind(lookup.match));
