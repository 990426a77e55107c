// options: what an agent before a TensorRT-LLM is told beyond what all engines of another process are, whichever of its servers it asks.
import type { StartDeps, StartOptions } from "../served-start.ts";

export interface TensorRtOptions extends StartOptions {
  /** Tokens of a prompt and its completion; absent: asked for, or read beside the tokenizer. */
  readonly contextTokens?: number;
  /** Of a KV block, where the engine does not say. */
  readonly blockTokens?: number;
}

/** Of cached prompts that may go: it was told of them, could not be told, or they were dropped before. */
export type HintFate = "told" | "failed" | "dropped";

export interface TensorRtDeps extends StartDeps {
  readonly hinted?: (fate: HintFate, prompts: number) => void;
}

/** kv_cache_config.tokens_per_block, where nobody says otherwise. */
export const blockTokensUsual = 32;
