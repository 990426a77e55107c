// token-request: what an engine that takes tokens is asked with, before it is put in its own words.
import type { Sampling } from "../generation.ts";
import type { AskedPrompt } from "./served.ts";

export type TokenPrompt = Pick<AskedPrompt, "requestId" | "tokens" | "maxTokens">;

export type TokenSampling = Pick<Sampling, "temperature" | "topP" | "topK" | "seed">;

export interface TokenWishes {
  readonly stop?: readonly string[];
  readonly confidence?: boolean;
  readonly ignoreEnd?: boolean;
}
