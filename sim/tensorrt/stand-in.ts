// stand-in: how a pretend TensorRT-LLM is started, whichever server stands before it: its model, its vocabulary (the built-in one's) and
// what the real one would refuse to start with.
import { join } from "node:path";
import { z } from "zod";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { FileTokenizer } from "../../workers/engine/file-tokenizer.ts";
import { type TensorrtRelease, tensorrtConfig } from "./config-schema.ts";
import { type ModelOptions, StandInModel } from "./model.ts";

export interface StandInOptions extends Partial<ModelOptions> {
  readonly port?: number;
  /** What it would be started with. */
  readonly config?: EngineConfig;
}

/** The file of settings of `trtllm-serve`, and the release that reads it. */
export interface EngineConfig {
  readonly release: TensorrtRelease;
  readonly settings: unknown;
}

export const standInFolder = join(packageRoot(), "models");
export const standInModelName = "slipstream-fim";

const defaults: ModelOptions = {
  ...{ blockTokens: 32, blocks: 4_096, seats: 64, policy: "priority", perStep: 1, contextTokens: 2_048, eventsMax: 65_536 },
  text: "a + b; // 漢字\n}\n",
  pace: { prefillTokensPerSecond: 200_000, s0Ms: 2, s1Ms: 0 },
};

export async function standInModel(
  { port: _port, config, ...options }: StandInOptions,
  clock: Clock = systemClock,
): Promise<StandInModel> {
  if (config) checkConfig(config);
  return new StandInModel({ ...defaults, ...options }, { clock, tokenizer: await FileTokenizer.open(standInFolder) });
}

/** Throws what the engine would end with: settings that the release does not have, and those that exclude each other. */
export function checkConfig({ release, settings }: EngineConfig): void {
  const { data, error } = tensorrtConfig(release).safeParse(settings);
  if (error) throw new Error(`${release}: ${z.prettifyError(error)}`);
  const type = data.speculative_config?.decoding_type;
  // Drafts that are made between two steps cannot be made while the next one is being prepared; from 1.3 on a draft model's can.
  if ((type === "DraftTarget" || type === "NGram") && !data.disable_overlap_scheduler)
    throw new Error(`${type} is not supported with the overlap scheduler: set disable_overlap_scheduler: true`);
}
