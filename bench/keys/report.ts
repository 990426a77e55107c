// report: what was measured in, the JSON of `slipstream bench keys --json` and the same as a table for a person out.

import { fates } from "../../router/completion.ts";
import type { KeysOptions, KeysReport } from "./keys.ts";
import type { Figures } from "./measure.ts";

/** Names and shape are the interface: scripts read them. */
export function jsonOf({ main, ablations, ends, agreements, builtIn, sessions }: KeysReport, options: KeysOptions) {
  const { profile, profileEnd, seed, agreement, workers, slots, virtual } = options;
  const waste = ablations.supersede_off?.waste_share ?? null;
  return {
    trace: options.traces ? `${options.traces.length} traces` : `this package's own sources typed again; seed ${seed}`,
    ...{ seed, profile, profile_end: profileEnd, workers, slots, virtual },
    load_share: main.load_share,
    triggers: main.triggers,
    generations: main.generations,
    answered_without_generation_share: main.answered_without_generation_share,
    waste_share: main.waste_share,
    waste_share_without_supersede: waste,
    abort_ms: main.abort_ms,
    recomputed_tokens_per_key: {
      suffix_first: main.recomputed_tokens_per_key,
      prefix_first: ablations.prefix_first?.recomputed_tokens_per_key ?? null,
    },
    typed_ahead_ms_p99: main.typed_ahead_ms_p99,
    router_added_ms: main.router_added_ms,
    router_cpu_ms_per_trigger: main.router_cpu_ms_per_trigger,
    router_cpu_ms_per_generation: main.router_cpu_ms_per_generation,
    rss_mib_10k_sessions: sessions?.sessions === 10_000 ? sessions.rss_mib : null,
    agreement,
    agreement_built_in: builtIn ? builtIn.agreement_measured : null,
    exactly_one_answer: main.violations === 0,
    main,
    ablations,
    ends,
    agreements,
    built_in: builtIn ?? null,
    sessions: sessions ?? null,
  };
}

/** "shown 71.2 % (accepted 12.0 %), superseded 4.1 %, …; 3.1 ms an accepted character". */
function engineTime({ value }: Figures): string {
  const { engine_share_by: by, engine_share_accepted: accepted, engine_ms_per_accepted_character: each } = value;
  const parts = fates.map((fate) => `${fate} ${percent(by[fate])}${fate === "shown" ? ` (accepted ${percent(accepted)})` : ""}`);
  return `${parts.join(", ")}${each === null ? "" : `; ${each} ms an accepted character`}`;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const columns: readonly (readonly [string, (figures: Figures) => string])[] = [
  ["load", (figures) => percent(figures.load_share)],
  ["waste", (figures) => percent(figures.waste_share)],
  ["of keys", (figures) => percent(figures.waste_share_of_keys)],
  ["tokens/trigger", (figures) => figures.tokens_per_trigger.toFixed(1)],
  ["no generation", (figures) => percent(figures.answered_without_generation_share)],
  ["answered", (figures) => percent(figures.answered_share)],
  ["fresh", (figures) => percent(figures.fresh_share)],
  ["first text p50/p95 ms", ({ first_text_ms: ms }) => `${ms.p50.toFixed(0)} / ${ms.p95.toFixed(0)}`],
  ["recomputed/key mean/p95", ({ recomputed_tokens_per_key: tokens }) => `${tokens.mean.toFixed(0)} / ${tokens.p95}`],
  ["abort p99 ms", (figures) => figures.abort_ms.p99.toFixed(1)],
];

export function tableOf(report: KeysReport, options: KeysOptions): string {
  const { main, ablations, ends, agreements, builtIn, sessions } = report;
  const named: [string, Figures][] = [
    ["as shipped", main],
    ...Object.entries(ablations),
    ...Object.entries(ends).map(([end, figures]): [string, Figures] => [`${end} end of the profile`, figures]),
    ...Object.entries(agreements)
      .filter(([, figures]) => figures !== main)
      .map(([share, figures]): [string, Figures] => [`model knows ${percent(Number(share))} of lines`, figures]),
    ...(builtIn ? [["built-in model, this machine", builtIn] as [string, Figures]] : []),
  ];
  const rows = [
    ["", ...columns.map(([name]) => name)],
    ...named.map(([name, figures]) => [name, ...columns.map(([, of]) => of(figures))]),
  ];
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  const table = rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "),
  );
  return `${options.profile} (${options.profileEnd}), ${options.workers} workers of ${options.slots} slots, ${main.sessions} typists, ${main.triggers} triggers in ${main.seconds} s

${table.join("\n")}

Cancel to the abort    p50 ${main.abort_issued_ms.p50} ms, p99 ${main.abort_issued_ms.p99} ms
abort to free slot     p50 ${main.abort_ms.p50} ms, p99 ${main.abort_ms.p99} ms
typed ahead            p99 ${main.typed_ahead_ms_p99} ms in the router, ${main.typed_ahead_client_ms_p99} ms at the client
router adds            p50 ${main.router_added_ms.p50} ms, p99 ${main.router_added_ms.p99} ms
router CPU             ${main.router_cpu_ms_per_trigger} ms a trigger, ${main.router_cpu_ms_per_generation} ms a generation
engine time            ${engineTime(main)}
text agrees with keys  ${percent(main.agreement_measured)} of keys (the model knows ${percent(options.agreement)} of lines)${builtIn ? `; built-in model ${percent(builtIn.agreement_measured)}` : ""}
${sessions ? `${sessions.sessions} sessions        ${sessions.rss_mib} MiB of router (${sessions.rss_mib_before} before), ${sessions.answered} of ${sessions.triggers} triggers answered in ${sessions.seconds} s\n` : ""}`;
}
