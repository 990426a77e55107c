// tally: keys and answers of all typists in, the figures of one window out. An answer counts in the window in which it came.
import type { Answer } from "../../sim/session-client.ts";
import type { TriggerRecord } from "../records/records.ts";

export interface Tallied {
  readonly keys: number;
  /** Triggers that had their answer. */
  readonly triggers: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Text that came before the next key. */
  readonly fresh: number;
  /** Client's clock, where there was text: to its first part. */
  readonly firstTextMs: readonly number[];
  /** Router's and client's clock, of typed-ahead answers. */
  readonly typedAheadMs: readonly number[];
  readonly typedAheadClientMs: readonly number[];
  /** Keys typed while text for their place was there, and those of them that it began with. */
  readonly keysWithText: number;
  readonly keysThatFollow: number;
}

const empty = () => ({
  ...{ keys: 0, triggers: 0, fresh: 0, keysWithText: 0, keysThatFollow: 0 },
  outcomes: {} as Record<string, number>,
  firstTextMs: [] as number[],
  typedAheadMs: [] as number[],
  typedAheadClientMs: [] as number[],
});

/** One trigger, and when it was asked on the typists' clock. */
export interface AskedOf {
  readonly id: string;
  readonly kind: string;
  readonly askedMs: number;
}

export class Tally {
  readonly #recorded: ((record: TriggerRecord) => void) | undefined;
  #window = empty();

  constructor(recorded?: (record: TriggerRecord) => void) {
    this.#recorded = recorded;
  }

  take(): Tallied {
    const taken = this.#window;
    this.#window = empty();
    return taken;
  }

  key(): void {
    this.#window.keys += 1;
  }

  followed(follows: boolean): void {
    this.#window.keysWithText += 1;
    if (follows) this.#window.keysThatFollow += 1;
  }

  answer(answer: Answer, fresh: boolean, of: AskedOf): void {
    const { outcome, text, firstTextMs, totalMs, routerMs } = answer;
    const window = this.#window;
    this.#recorded?.(recordOf(answer, fresh, of));
    window.triggers += 1;
    window.outcomes[outcome] = (window.outcomes[outcome] ?? 0) + 1;
    if (text !== "" && fresh) window.fresh += 1;
    if (firstTextMs !== undefined && text !== "") window.firstTextMs.push(firstTextMs);
    if (outcome === "typed_ahead") {
      if (routerMs !== undefined) window.typedAheadMs.push(routerMs);
      window.typedAheadClientMs.push(totalMs);
    }
  }
}

const round = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(ms * 1_000) / 1_000);

function recordOf(
  { outcome, reason, detail, text, firstTextMs, totalMs, usage, worker }: Answer,
  fresh: boolean,
  of: AskedOf,
): TriggerRecord {
  const { promptTokens, recomputedTokens, completionTokens } = usage;
  return {
    ...{ t_ms: Math.round(of.askedMs * 1_000) / 1_000, id: of.id, kind: of.kind, outcome, reason, fresh: text !== "" && fresh },
    detail: detail === "" ? undefined : detail,
    ...{ first_text_ms: text === "" ? undefined : round(firstTextMs), total_ms: round(totalMs), worker },
    ...{ prompt_tokens: promptTokens, recomputed_tokens: recomputedTokens, completion_tokens: completionTokens },
  };
}
