// value-status: the router's own metrics of what became of engine time in, a row for each pool, tenant and language out.
import { type Fate, fates } from "./completion.ts";

export interface ValueRow {
  readonly by: string;
  readonly of: string;
  readonly engineMs: number;
  readonly tokens: number;
  /** Shares of the engine time; of the tokens, where the engine does not say its time. */
  readonly shares: Readonly<Record<Fate, number>>;
  /** Of the same: a part of what was shown. */
  readonly accepted: number;
  readonly acceptedCharacters: number;
}

export interface Sample {
  readonly value: number;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
}

/** Names of each split, the dearest first. */
const rowsMax = 8;

export async function valueRows(samples: (name: string) => Promise<readonly Sample[]>): Promise<readonly ValueRow[]> {
  const [seconds, tokens, acceptedSeconds, acceptedTokens, characters] = await Promise.all(
    ["engine_seconds", "tokens", "accepted_engine_seconds", "accepted_tokens", "accepted_characters"].map((name) =>
      samples(`value_${name}_total`),
    ),
  );
  const sum = (of: readonly Sample[] = [], labels: Readonly<Record<string, string>>) =>
    of
      .filter((sample) => Object.entries(labels).every(([name, value]) => sample.labels[name] === value))
      .reduce((all, { value }) => all + value, 0);
  return ["pool", "tenant", "language"].flatMap((by) => {
    const names = new Set(
      [...(tokens ?? []), ...(characters ?? [])].flatMap(({ labels }) => (labels["by"] === by ? [String(labels["of"])] : [])),
    );
    const rows = [...names].map((of): ValueRow => {
      const [allSeconds, allTokens] = [sum(seconds, { by, of }), sum(tokens, { by, of })];
      const timed = allSeconds > 0;
      const all = Math.max(timed ? allSeconds : allTokens, 1e-12);
      const share = (fate: Fate) => sum(timed ? seconds : tokens, { by, of, fate }) / all;
      return {
        ...{ by, of, engineMs: Math.round(allSeconds * 1_000), tokens: allTokens },
        shares: Object.fromEntries(fates.map((fate) => [fate, share(fate)])) as Record<Fate, number>,
        accepted: sum(timed ? acceptedSeconds : acceptedTokens, { by, of }) / all,
        acceptedCharacters: sum(characters, { by, of }),
      };
    });
    // What was typed ahead cost nothing: its characters are in the splits by tenant and language.
    return rows
      .filter((row) => row.tokens > 0)
      .sort((a, b) => b.engineMs - a.engineMs || b.tokens - a.tokens)
      .slice(0, rowsMax);
  });
}
