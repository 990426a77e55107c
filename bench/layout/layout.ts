// layout: `slipstream bench layout`: how many prompt tokens a key costs, by the form of the family, with every rule of the layout
// on and with one off at a time; as an engine with blocks of 16 tokens counts them, and as the embedded engine computed them.
// docs/operations/prompts.md says what each figure means.
import type { Clock } from "../../lib/clock.ts";
import type { ServedModel } from "../../router/completion.ts";
import { mean, percentile } from "../../sim/statistics.ts";
import type { Source } from "../../sim/trace/generate.ts";
import { embeddedEngine, type LayoutEngine, pretendEngine } from "./engines.ts";
import { type Played, type PlayOptions, play } from "./player.ts";

export const forms = ["suffix_first", "prefix_first"] as const;
export type FormName = (typeof forms)[number];

/** What is off in a row; each changes one thing alone, but the last. */
export const layoutAblations = {
  as_shipped: {},
  sliding_window: { rules: { window: "sliding" } },
  fresh_suffix: { rules: { suffix: "fresh" } },
  line_after_middle: { rules: { typed: "line" } },
  nothing_after_middle: { rules: { typed: "none" } },
  context_ranked_anew: { context: "ranked" },
  no_context: { context: "none" },
  all_off: { rules: { window: "sliding", suffix: "fresh", typed: "none" }, context: "ranked" },
} as const satisfies Record<string, Partial<Pick<PlayOptions, "rules" | "context">>>;
export type LayoutAblation = keyof typeof layoutAblations;

export interface LayoutOptions {
  readonly engine: "pretend" | "embedded";
  readonly seed: number;
  readonly sources: readonly Source[];
  readonly keysPerSource: number;
  readonly forms: readonly FormName[];
  readonly ablations: readonly LayoutAblation[];
  /** Of the embedded engine. */
  readonly modelPath: string;
}

export interface LayoutRow {
  readonly form: FormName;
  readonly off: LayoutAblation;
  readonly keys: number;
  readonly prompt_tokens: number;
  readonly context_bytes: number;
  readonly recomputed_tokens: { readonly mean: number; readonly p50: number; readonly p95: number; readonly p99: number };
  /** Of a document's first prompt, which is not among the keys. */
  readonly first_prompt_tokens: number;
  readonly expected_within_a_block_share: number;
}

export interface LayoutReport {
  readonly engine: LayoutOptions["engine"];
  readonly block_tokens: number;
  readonly sources: number;
  readonly rows: readonly LayoutRow[];
}

interface Deps {
  readonly clock: Clock;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export async function benchLayout(options: LayoutOptions, deps: Deps): Promise<LayoutReport> {
  const { clock, say, signal } = deps;
  const engine = options.engine === "pretend" ? pretendEngine() : await embeddedEngine(options, { clock });
  const rows: LayoutRow[] = [];
  try {
    for (const form of options.forms)
      for (const off of options.ablations) {
        // Only where something stands behind the middle token.
        if (form === "suffix_first" && off.endsWith("after_middle")) continue;
        say(`${form}, ${off}`);
        const { rules = {}, context = "kept" } = layoutAblations[off] as Partial<Pick<PlayOptions, "rules" | "context">>;
        const { sources, seed, keysPerSource } = options;
        const model = modelOf(form, engine);
        const person = {
          ...engine,
          compute: (...[segments, who]: Parameters<LayoutEngine["compute"]>) => engine.compute(segments, `${form} ${off} ${who}`),
        };
        rows.push(rowOf(form, off, await play({ sources, seed, keysPerSource, model, rules, context }, person, signal)));
      }
  } finally {
    await engine.close();
  }
  return { engine: engine.name, block_tokens: engine.blockTokens, sources: options.sources.length, rows };
}

/** A model of no known family, so that both forms are measured on the same text with the same shares. */
function modelOf(form: FormName, { model }: LayoutEngine): ServedModel {
  const middle = form === "prefix_first" ? "<|fim_middle|>" : "";
  return {
    ...model,
    ...{ name: `bench-${form}`, fimFamily: `generic-${form.replace("_", "-")}` },
    fim: { prefix: "<|fim_prefix|>", suffix: "<|fim_suffix|>", middle, fileSeparator: "", repository: "" },
  };
}

function rowOf(form: FormName, off: LayoutAblation, played: Played): LayoutRow {
  const { recomputed, firstTokens, promptTokens, contextBytes, expectedShare } = played;
  const round = (value: number, digits = 0) => Math.round(value * 10 ** digits) / 10 ** digits;
  return {
    ...{ form, off, keys: recomputed.length, prompt_tokens: round(promptTokens), context_bytes: round(contextBytes) },
    recomputed_tokens: {
      mean: round(mean(recomputed), 1),
      p50: round(percentile(recomputed, 0.5)),
      p95: round(percentile(recomputed, 0.95)),
      p99: round(percentile(recomputed, 0.99)),
    },
    first_prompt_tokens: round(mean(firstTokens)),
    expected_within_a_block_share: round(expectedShare, 4),
  };
}
