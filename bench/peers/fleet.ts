// fleet: what a comparison runs on, whoever routes: workers, a crowd, and what happened in a window of it. One window in, the
// figures of a row of the report out.
import { percentile } from "../../sim/statistics.ts";
import type { Source } from "../../sim/trace/generate.ts";
import type { ProfileEnd, ProfileName } from "../../workers/engine/simulated/profiles.ts";
import type { Cost } from "../keys/counted.ts";
import { added, latencyOf, type Scored } from "./scores.ts";

export interface FleetOptions {
  readonly profile: ProfileName;
  readonly end: ProfileEnd;
  /** Share of the lines that the model knows. */
  readonly agreement: number;
  readonly workers: number;
  /** Generations that a GPU runs at once. */
  readonly slots: number;
  readonly people: number;
  readonly seed: number;
  readonly sources: readonly Source[];
  readonly maxTokens: number;
  /** The crowd comes within this time. */
  readonly startWithinMs: number;
}

export interface Taken {
  readonly wallMs: number;
  readonly scored: Scored;
  /** Of the generations that ended in the window. */
  readonly costs: readonly Cost[];
  /** Ids of all generations so far whose text reached a person in time. */
  readonly reached: ReadonlySet<string>;
  readonly loadShare: number;
}

export interface Crowd {
  pass(ms: number, signal: AbortSignal): Promise<void>;
  take(): Promise<Taken>;
  end(): Promise<void>;
}

export interface Figures {
  readonly keys: number;
  readonly triggers: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  readonly fresh_per_key: number;
  readonly recomputed_tokens_per_key: number;
  readonly waste_share: number;
  /** Of the triggers that were decided, those late; and of all keys those that no rule decides, by why. */
  readonly late_share: number;
  readonly typed_on_per_key: number;
  readonly empty_per_key: number;
  readonly unasked_per_key: number;
  readonly gated_per_key: number;
  /** Keys typed along a text that stood there. */
  readonly along_per_key: number;
  readonly load_share: number;
}

/** Windows that follow each other as one. */
export function together(parts: readonly Taken[]): Taken {
  const [first, ...rest] = parts as [Taken, ...Taken[]];
  return rest.reduce((all, part) => {
    const wallMs = all.wallMs + part.wallMs;
    return {
      ...{ wallMs, scored: added(all.scored, part.scored), costs: [...all.costs, ...part.costs], reached: part.reached },
      loadShare: (all.loadShare * all.wallMs + part.loadShare * part.wallMs) / Math.max(1, wallMs),
    };
  }, first);
}

const round = (value: number, digits = 3) => (Number.isFinite(value) ? Math.round(value * 10 ** digits) / 10 ** digits : 0);

export function figuresOf({ scored, costs, reached, loadShare }: Taken): Figures {
  const { keys, triggers, latencyMs, answered, late, typedOn, empty, unasked, gated, along } = scored;
  const tokens = (of: readonly Cost[]) => of.reduce((sum, { recomputed, completion }) => sum + recomputed + completion, 0);
  const { p50, p95, p99 } = latencyOf(latencyMs);
  const perKey = (count: number) => round(count / Math.max(1, keys));
  return {
    ...{ keys, triggers, p50_ms: p50, p95_ms: p95, p99_ms: p99 },
    fresh_per_key: perKey(answered),
    recomputed_tokens_per_key: round(costs.reduce((sum, { recomputed }) => sum + recomputed, 0) / Math.max(1, keys), 1),
    waste_share: round(tokens(costs.filter(({ id }) => !reached.has(id))) / Math.max(1, tokens(costs)), 4),
    late_share: round(late / Math.max(1, triggers)),
    typed_on_per_key: perKey(typedOn),
    empty_per_key: perKey(empty),
    unasked_per_key: perKey(unasked),
    gated_per_key: perKey(gated),
    along_per_key: perKey(along),
    load_share: round(loadShare),
  };
}

/** Of several rounds: the median of each figure, and the sums of what was counted. */
export function overRounds(rounds: readonly Figures[]): Figures {
  const names = Object.keys(rounds[0] ?? {}) as (keyof Figures)[];
  const of = (name: keyof Figures) => rounds.map((round) => round[name]);
  return Object.fromEntries(
    names.map((name) => [
      name,
      name === "keys" || name === "triggers" ? of(name).reduce((a, b) => a + b, 0) : round(percentile(of(name), 0.5), 4),
    ]),
  ) as unknown as Figures;
}
