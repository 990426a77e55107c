// pretend: the pretend GPU of this bench: a profile, and how much of what will be typed its model knows.
import type { Clock } from "../../lib/clock.ts";
import { seeded } from "../../lib/random.ts";
import type { ProfileEnd, ProfileName } from "../../workers/engine/simulated/profiles.ts";
import { SimulatedEngine } from "../../workers/engine/simulated/simulated.ts";
import { knowing } from "./knowing.ts";

export interface PretendOptions {
  readonly profile: ProfileName;
  readonly profileEnd: ProfileEnd;
  readonly slots: number;
  readonly seed: number;
  readonly agreement: number;
  /** What is typed. */
  readonly texts: readonly string[];
  readonly suffixFirst: boolean;
  readonly chunkMs?: number;
}

const fim = { prefix: "<|fim_prefix|>", suffix: "<|fim_suffix|>", fileSeparator: "<|file_sep|>", repository: "<|repo_name|>" };

export function pretend(options: PretendOptions, deps: { clock: Clock }): SimulatedEngine {
  const { profile, profileEnd, slots, seed, agreement, chunkMs, texts, suffixFirst } = options;
  return new SimulatedEngine(
    {
      ...{ profile, profileEnd, slots, seed, fim: { ...fim, middle: suffixFirst ? "" : "<|fim_middle|>" } },
      ...(chunkMs === undefined ? {} : { chunkMs }),
    },
    { ...deps, random: seeded(seed), oracle: knowing({ texts, agreement, seed }) },
  );
}
