// value: what the router's own metrics say of engine time and tokens by what became of their text, taken at two moments; the
// difference out.
import { type Fate, fates } from "../../router/completion.ts";

export interface ValueSums {
  readonly tokens: Readonly<Record<Fate, number>>;
  readonly engineMs: Readonly<Record<Fate, number>>;
  readonly acceptedTokens: number;
  readonly acceptedEngineMs: number;
  readonly acceptedCharacters: number;
}

type Count = (
  name: `value_${"engine_seconds" | "tokens" | "accepted_engine_seconds" | "accepted_tokens" | "accepted_characters"}_total`,
  labels: { readonly by: "pool"; readonly fate?: Fate },
) => number;

const byFate = (of: (fate: Fate) => number) => Object.fromEntries(fates.map((fate) => [fate, of(fate)])) as Record<Fate, number>;
const none = byFate(() => 0);
export const noValue: ValueSums = { tokens: none, engineMs: none, acceptedTokens: 0, acceptedEngineMs: 0, acceptedCharacters: 0 };

export function valueFrom(count: Count): ValueSums {
  const by = "pool";
  return {
    tokens: byFate((fate) => count("value_tokens_total", { by, fate })),
    engineMs: byFate((fate) => 1_000 * count("value_engine_seconds_total", { by, fate })),
    acceptedTokens: count("value_accepted_tokens_total", { by }),
    acceptedEngineMs: 1_000 * count("value_accepted_engine_seconds_total", { by }),
    acceptedCharacters: count("value_accepted_characters_total", { by }),
  };
}

/** From a router's sums by "name{values of labels}". */
export function valueFromTotals(totals: Readonly<Record<string, number>>): ValueSums {
  return valueFrom((name, { by, fate }) =>
    Object.entries(totals)
      .filter(([key]) => key.startsWith(`${name}{${by},`) && (fate === undefined || key.endsWith(`,${fate}}`)))
      .reduce((sum, [, value]) => sum + value, 0),
  );
}

export function less(a: ValueSums, b: ValueSums): ValueSums {
  return {
    tokens: byFate((fate) => a.tokens[fate] - b.tokens[fate]),
    engineMs: byFate((fate) => a.engineMs[fate] - b.engineMs[fate]),
    acceptedTokens: a.acceptedTokens - b.acceptedTokens,
    acceptedEngineMs: a.acceptedEngineMs - b.acceptedEngineMs,
    acceptedCharacters: a.acceptedCharacters - b.acceptedCharacters,
  };
}

export interface ValueFigures {
  /** Shares of all engine time, by what became of its text. */
  readonly engine_share_by: Readonly<Record<Fate, number>>;
  readonly token_share_by: Readonly<Record<Fate, number>>;
  /** Of all engine time: what was accepted; it is a part of what was shown. */
  readonly engine_share_accepted: number;
  readonly token_share_accepted: number;
  readonly engine_ms: number;
  readonly accepted_characters: number;
  /** All engine time, over the characters that were accepted; null: none were. */
  readonly engine_ms_per_accepted_character: number | null;
}

const round = (value: number, digits = 4) => Math.round(value * 10 ** digits) / 10 ** digits;

export function valueFigures({ tokens, engineMs, acceptedTokens, acceptedEngineMs, acceptedCharacters }: ValueSums): ValueFigures {
  const sum = (of: Readonly<Record<Fate, number>>) => Object.values(of).reduce((all, value) => all + value, 0);
  const [allTokens, allMs] = [Math.max(1, sum(tokens)), Math.max(1e-9, sum(engineMs))];
  return {
    engine_share_by: byFate((fate) => round(engineMs[fate] / allMs)),
    token_share_by: byFate((fate) => round(tokens[fate] / allTokens)),
    engine_share_accepted: round(acceptedEngineMs / allMs),
    token_share_accepted: round(acceptedTokens / allTokens),
    engine_ms: round(sum(engineMs), 1),
    accepted_characters: acceptedCharacters,
    engine_ms_per_accepted_character: acceptedCharacters === 0 ? null : round(sum(engineMs) / acceptedCharacters, 3),
  };
}
