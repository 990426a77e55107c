// plan: the sequences that run in, one step out: how much of whose prompt is computed, who decodes how deep, what it costs.
// Pure. Chunked prefill: a step takes a bounded share of prompt tokens beside the decodes, so that nobody's decode waits
// for a long prompt and an abort never waits for more than a chunk.
import type { Sampling } from "../../generation.ts";
import { bestDepth, type Profile, stepMs } from "./profiles.ts";
import type { Sequence } from "./sequence.ts";

export interface Step {
  readonly prefill: readonly { readonly sequence: Sequence; readonly tokens: number }[];
  readonly decode: readonly { readonly sequence: Sequence; readonly depth: number }[];
  readonly prefillMs: number;
  readonly ms: number;
}

export interface PlanOptions {
  readonly profile: Profile;
  /** Chance that a draft is right. */
  readonly agreement: number;
  readonly draftDepthMax: number;
  /** Prompt tokens of one step. */
  readonly chunkTokens: number;
}

/** `running` in order of rank and arrival. */
export function planStep(running: readonly Sequence[], options: PlanOptions): Step {
  const { profile } = options;
  const decoding = running.filter((sequence) => sequence.prefilled);
  const decode = decoding.map((sequence) => ({ sequence, depth: depthOf(sequence, decoding.length, options) }));
  const prefill: { sequence: Sequence; tokens: number }[] = [];
  let left = options.chunkTokens;
  for (const sequence of running) {
    if (left === 0) break;
    if (sequence.prefilled) continue;
    const tokens = Math.min(left, sequence.promptTokens - sequence.computed);
    prefill.push({ sequence, tokens });
    left -= tokens;
  }
  const drafts = decode.reduce((sum, { depth }) => sum + depth, 0);
  // The draft model runs once a position for the whole batch: the deepest sequence sets its time.
  const decodeMs = stepMs(
    profile,
    decode.length,
    drafts,
    decode.reduce((max, { depth }) => Math.max(max, depth), 0),
  );
  const prefillMs = ((options.chunkTokens - left) / profile.prefillTokensPerSecond) * 1_000;
  // A step of prompt alone still reads the weights once.
  const ms = Math.max(decodeMs + prefillMs, profile.s0Ms);
  return { prefill, decode, prefillMs: ms - decodeMs, ms };
}

function depthOf(sequence: Sequence, batch: number, options: PlanOptions): number {
  const { speculation } = sequence.work.sampling satisfies Sampling;
  if (speculation === "off") return 0;
  // No draft reaches beyond the tokens still wanted: the step itself brings one.
  const useful = Math.min(options.draftDepthMax, sequence.tokensMax - sequence.usage.completionTokens - 1);
  if (sequence.work.draftDepthHint > 0) return Math.min(sequence.work.draftDepthHint, useful);
  const best = bestDepth(options.profile, options.agreement, batch, options.draftDepthMax);
  return Math.min(speculation === "always" ? Math.max(1, best) : best, useful);
}
