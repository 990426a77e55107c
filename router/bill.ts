// bill: the noun of who pays for a generation: told what it cost, as it becomes known, and how the triggers ended that read it; value/
// keeps them. A generation that a second worker was asked for has two costs and one bill.

/** What became of what was computed. */
export const fates = ["shown", "superseded", "late", "speculative", "empty", "hedged", "other"] as const;
export type Fate = (typeof fates)[number];

/** Tokens decoded and tokens of the prompt that were computed, and the share of the engine's time where the engine says it. */
export interface Cost {
  readonly tokens: number;
  readonly engineMs: number;
}

export interface Bill {
  /** One more trigger reads its text. */
  read(): void;
  /** One of them ended so. When the last one has, it is known what became of it. */
  ended(fate: Fate): void;
  /** `hedged`: of the worker that lost. */
  spent(cost: Cost, hedged: boolean): void;
  /** So much of its text is accepted besides, of all of it. */
  accepted(share: number): void;
}
