// decoding: a claimed sequence and a prompt in, tokens out one by one. The prompt is evaluated in chunks and the signal is
// looked at between chunks and between steps: llama.cpp itself cannot be interrupted inside a batch.
import type { ControlledEvaluateInputItem, LlamaContextSequence, Token, TokenBias } from "node-llama-cpp";
import type { Clock } from "../../../lib/clock.ts";
import { SlipstreamError } from "../../../lib/errors.ts";
import type { Usage } from "../../generation.ts";
import type { Meter } from "./meter.ts";
import type { Turns } from "./turns.ts";

export interface Chosen {
  readonly token: Token;
  readonly confidence: number | undefined;
}

export interface SamplingOptions {
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly seed: number;
}

/** What of a sequence evaluates tokens. */
export type Evaluator = Pick<LlamaContextSequence, "controlledEvaluate" | "evaluateWithoutGeneratingNewTokens">;

interface Options {
  readonly sequence: Evaluator;
  /** Of its lane; 0 goes first. */
  readonly rank: number;
  readonly sampling: SamplingOptions;
  /** What the next token may be, when not any. */
  readonly allowed: () => readonly number[] | undefined;
  readonly chunkTokens: number;
  /** The probability of a token costs half a step (the vocabulary is sorted for it): only the first tokens are asked for. */
  readonly confidenceTokens: number;
  readonly usage: Usage;
}

interface Deps {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly meter: Meter;
  readonly onProgress: () => void;
  /** Makes the sampler choose among these tokens. */
  readonly biasTo: (tokens: readonly number[]) => TokenBias;
}

export class Decoding {
  readonly #options: Options;
  readonly #deps: Deps;
  #steps = 0;

  constructor(options: Options, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Evaluates `tokens` from `from` on. Gives the first chosen token, when one is wanted; undefined when the signal aborted. */
  async prefill(tokens: readonly number[], from: number, signal: AbortSignal, choose: boolean): Promise<Chosen | undefined> {
    const { sequence, usage, rank, chunkTokens } = this.#options;
    const { clock, turns, meter, onProgress } = this.#deps;
    const startedMs = clock.now();
    try {
      for (let at = from; at < tokens.length; ) {
        meter.prefilling(this, tokens.length - at);
        onProgress();
        using turn = await turns.take(rank, signal);
        if (!turn) return undefined;
        const chunk = tokens.slice(at, at + chunkTokens) as Token[];
        at += chunk.length;
        const chunkMs = clock.now();
        const chosen =
          at === tokens.length && choose ? await this.#evaluate(chunk) : await sequence.evaluateWithoutGeneratingNewTokens(chunk);
        meter.prefilled(chunk.length, clock.now() - chunkMs);
        usage.recomputedTokens += chunk.length;
        if (chosen) return chosen;
      }
      return undefined;
    } finally {
      meter.prefilling(this, 0);
      usage.prefillMs += clock.now() - startedMs;
    }
  }

  /** One step: evaluates the token chosen last and chooses the next; undefined when the signal aborted. */
  async next(token: Token, signal: AbortSignal): Promise<Chosen | undefined> {
    const { clock, turns, meter, onProgress } = this.#deps;
    const startedMs = clock.now();
    using turn = await turns.take(this.#options.rank, signal);
    if (!turn) return undefined;
    const stepMs = clock.now();
    const chosen = await this.#evaluate([token]);
    meter.stepped(clock.now() - stepMs);
    this.#options.usage.decodeMs += clock.now() - startedMs;
    onProgress();
    return chosen;
  }

  async #evaluate(tokens: readonly Token[]): Promise<Chosen> {
    const step = this.#steps++;
    const { temperature, topP, topK, seed } = this.#options.sampling;
    // Each step has a sampler of its own, so each needs a seed of its own; greedy steps take no chance at all.
    const chance =
      temperature === 0 ? { temperature } : { temperature, topP, topK, seed: (seed + Math.imul(step, 0x9e3779b1)) >>> 0 };
    const allowed = this.#options.allowed();
    const options = allowed ? { ...chance, tokenBias: this.#deps.biasTo(allowed) } : chance;
    const confidence = step < this.#options.confidenceTokens;
    const input: ControlledEvaluateInputItem[] = [...tokens];
    const last = tokens.length - 1;
    input[last] = [tokens[last] as Token, { generateNext: { token: true, confidence, options } }];
    const output = (await this.#options.sequence.controlledEvaluate(input))[last]?.next;
    if (output?.token == null) throw new SlipstreamError("engine_failed", "llama.cpp chose no token");
    return { token: output.token, confidence: output.confidence };
  }
}
