// profiles: how fast pretend GPUs are. Estimates (weight bytes over memory bandwidth, published rates), not measurements:
// figures are given at both ends of each range, until a GPU at hand replaces them.
//
// One step of the engine serves b sequences and costs step(b) = s0 + s1·b ms: s0 reads the weights once, s1 is each
// sequence's own attention. Verifying k drafted tokens makes the step wider, step × (1 + 0.03 k), after k passes of the
// draft model; the tokens accepted then all come out of that one step.

export const profileNames = ["h100-7b-eagle3", "h100-7b-draft", "l40s-3b-eagle3", "l40s-7b-eagle3", "2xh100-32b-eagle3"] as const;
export type ProfileName = (typeof profileNames)[number];
export const profileEnds = ["slow", "mid", "fast"] as const;
export type ProfileEnd = (typeof profileEnds)[number];

/** One GPU and model, at one end of its range. */
export interface Profile {
  readonly prefillTokensPerSecond: number;
  readonly s0Ms: number;
  readonly s1Ms: number;
  readonly draftMsPerToken: number;
  /** Tokens out of one step that verifies `blockDepth` drafts, the model's own token included. */
  readonly acceptedPerBlock: number;
  readonly kvBlocks: number;
}

/** Drafts a step that `acceptedPerBlock` was given for. */
const blockDepth = 4;
/** Each verified draft widens the step by this share. */
const verifyShare = 0.03;

type Range = readonly [slow: number, fast: number];
interface Row {
  readonly prefill: Range;
  readonly s0: Range;
  readonly s1: Range;
  readonly draft: Range;
  readonly accepted: Range;
  readonly kvBlocks: number;
}

const table: Readonly<Record<ProfileName, Row>> = {
  "h100-7b-eagle3": {
    prefill: [30_000, 60_000],
    s0: [7, 4],
    s1: [0.1, 0.05],
    draft: [0.4, 0.25],
    accepted: [2.6, 3.0],
    kvBlocks: 28_000,
  },
  "h100-7b-draft": {
    prefill: [30_000, 60_000],
    s0: [7, 4],
    s1: [0.1, 0.05],
    draft: [1.2, 0.8],
    accepted: [2.8, 3.2],
    kvBlocks: 26_000,
  },
  "l40s-3b-eagle3": {
    prefill: [20_000, 35_000],
    s0: [8, 5],
    s1: [0.2, 0.1],
    draft: [0.5, 0.3],
    accepted: [2.4, 2.8],
    kvBlocks: 40_000,
  },
  "l40s-7b-eagle3": {
    prefill: [8_000, 15_000],
    s0: [15, 10],
    s1: [0.3, 0.15],
    draft: [0.6, 0.4],
    accepted: [2.6, 3.0],
    kvBlocks: 14_000,
  },
  "2xh100-32b-eagle3": {
    prefill: [12_000, 25_000],
    s0: [15, 10],
    s1: [0.2, 0.1],
    draft: [0.8, 0.5],
    accepted: [2.6, 3.0],
    kvBlocks: 20_000,
  },
};

export function profile(name: ProfileName, end: ProfileEnd): Profile {
  const row = table[name];
  const at = ([slow, fast]: Range) => (end === "slow" ? slow : end === "fast" ? fast : (slow + fast) / 2);
  return {
    prefillTokensPerSecond: at(row.prefill),
    s0Ms: at(row.s0),
    s1Ms: at(row.s1),
    draftMsPerToken: at(row.draft),
    acceptedPerBlock: at(row.accepted),
    kvBlocks: row.kvBlocks,
  };
}

/** Milliseconds of one step for `sequences` that together draft `drafts` tokens, at most `depth` each. */
export function stepMs(of: Profile, sequences: number, drafts: number, depth: number): number {
  if (sequences === 0) return 0;
  const plain = of.s0Ms + of.s1Ms * sequences;
  return plain * (1 + verifyShare * (drafts / sequences)) + depth * of.draftMsPerToken;
}

/** Chance that a draft is right, such that a block of `blockDepth` yields `tokens` in the mean: tokens = 1 + p + p² + … */
export function agreementFor(tokens: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 40; i++) {
    const p = (low + high) / 2;
    if (expectedTokens(p, blockDepth) < tokens) low = p;
    else high = p;
  }
  return (low + high) / 2;
}

/** Mean tokens out of one step that verifies `depth` drafts, each right with chance `agreement` if all before it were. */
export function expectedTokens(agreement: number, depth: number): number {
  let sum = 1;
  for (let i = 1; i <= depth; i++) sum += agreement ** i;
  return sum;
}

/** The depth with the most tokens a millisecond for one sequence among `sequences`; 0: drafting does not pay. */
export function bestDepth(of: Profile, agreement: number, sequences: number, depthMax: number): number {
  let best = 0;
  let bestRate = 0;
  for (let depth = 0; depth <= depthMax; depth++) {
    const rate = expectedTokens(agreement, depth) / stepMs(of, sequences, depth * sequences, depth);
    if (rate > bestRate) [best, bestRate] = [depth, rate];
  }
  return best;
}
