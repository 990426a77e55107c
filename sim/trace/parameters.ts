// parameters: the one table of numbers that make a generated typist, each with its source. "assumed" means that nobody
// published it: change it in a run, not here, and say so beside the result.

interface Parameter {
  readonly value: number;
  readonly unit: string;
  readonly means: string;
  readonly source: string;
}

export const typingParameters = {
  burstKeysMean: {
    value: 12,
    unit: "keys",
    means: "Mean length of a run of keys without a pause; geometric, at least 1.",
    source: "assumed",
  },
  keyIntervalMeanMs: {
    value: 239,
    unit: "ms",
    means: "Mean time between keys within a burst; lognormal.",
    source: "Dhakal et al. 2018, 168,000 typists: 238.7 ms (as recalled)",
  },
  keyIntervalSdMs: {
    value: 112,
    unit: "ms",
    means: "Standard deviation of the same.",
    source: "Dhakal et al. 2018: 111.6 ms (as recalled)",
  },
  pauseMedianMs: { value: 2_000, unit: "ms", means: "Median pause between bursts; lognormal.", source: "assumed" },
  pauseSigma: { value: 0.9, unit: "", means: "Sigma of the logarithm of the pause.", source: "assumed" },
  lineEndPauseProbability: {
    value: 0,
    unit: "",
    means: "Chance that a newline ends the burst whatever its length.",
    source: "assumed; 0 keeps the mean rate of 2.13 keys a second",
  },
  typoProbability: {
    value: 0,
    unit: "",
    means: "Chance that a letter is first typed as its neighbour on the keyboard, then taken back.",
    source: "assumed; 0 keeps one key a character",
  },
  typoNoticeKeysMax: {
    value: 2,
    unit: "keys",
    means: "Most keys typed after a wrong one before it is noticed; uniform from 0.",
    source: "assumed",
  },
  repeatAfterMs: {
    value: 400,
    unit: "ms",
    means: "How long a key is held until it repeats.",
    source: "between the defaults of Windows (500 ms), macOS and X11 (as recalled)",
  },
  repeatMs: {
    value: 33,
    unit: "ms",
    means: "Between the repeats of a key that is held.",
    source: "30 a second: Windows' default (as recalled)",
  },
} as const satisfies Record<string, Parameter>;

export type TypingName = keyof typeof typingParameters;
export type Typing = Readonly<Record<TypingName, number>>;

export const defaultTyping = Object.fromEntries(Object.entries(typingParameters).map(([name, row]) => [name, row.value])) as Typing;

/** Median and sigma of the lognormal that has this mean and standard deviation. */
export function lognormalOf(mean: number, sd: number): { median: number; sigma: number } {
  const variance = Math.log(1 + (sd / mean) ** 2);
  return { median: mean / Math.exp(variance / 2), sigma: Math.sqrt(variance) };
}

/** Keys a second that these parameters give, without typos: a burst of n keys has n − 1 intervals and a pause. */
export function meanKeysPerSecond(typing: Typing): number {
  const pauseMeanMs = typing.pauseMedianMs * Math.exp(typing.pauseSigma ** 2 / 2);
  return (1_000 * typing.burstKeysMean) / ((typing.burstKeysMean - 1) * typing.keyIntervalMeanMs + pauseMeanMs);
}
