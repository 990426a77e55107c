// settled: situations in which a plan did not pay in, whether such a one need be thought over again out. Thinking costs a small
// model's step some hundredths; most steps on a processor are plain and like the one before. Cleared when a draft taught
// something; nothing is held for more than some steps.
import { matchKind } from "./odds.ts";

export interface Asked {
  readonly load: number;
  readonly lengthMax: number;
  readonly lookup: { readonly match: number; readonly length: number };
  readonly behindTokens: number | undefined;
}

const stepsMax = 32;

export class Settled {
  #steps = 0;
  /** By kind of match, 0 where there is none. */
  readonly #known: ({ readonly asked: Asked; readonly untilStep: number } | undefined)[] = [];

  stepped(): void {
    this.#steps += 1;
  }

  clear(): void {
    this.#known.length = 0;
  }

  /** For at most so many steps: then a source is curious again. */
  add(asked: Asked, steps: number): void {
    this.#known[keyOf(asked)] = { asked, untilStep: this.#steps + Math.min(stepsMax, steps) };
  }

  has(asked: Asked): boolean {
    const known = this.#known[keyOf(asked)];
    if (!known || this.#steps >= known.untilStep) return false;
    // What is shorter or has less to draft from promises no more.
    const { load, lengthMax, lookup, behindTokens } = known.asked;
    return (
      asked.load === load &&
      asked.lengthMax <= lengthMax &&
      asked.lookup.length <= lookup.length &&
      (asked.behindTokens === undefined || behindTokens !== undefined)
    );
  }
}

const keyOf = ({ lookup }: Asked): number => (lookup.length === 0 ? 0 : 1 + matchKind(lookup.match));
