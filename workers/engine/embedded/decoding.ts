// decoding: a claimed sequence and a prompt in, tokens out one by one. The prompt is evaluated in chunks and the signal is
// looked at between chunks and between steps: llama.cpp itself cannot be interrupted inside a batch.
import type { ControlledEvaluateInputItem, LlamaContextSequence, Token } from "node-llama-cpp";
import type { Clock } from "../../../lib/clock.ts";
import { SlipstreamError } from "../../../lib/errors.ts";
import type { Usage } from "../../generation.ts";
import type { Meter } from "./meter.ts";
import type { PrefillBudget } from "./prefill-budget.ts";

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

export class Decoding {
  readonly #sequence: LlamaContextSequence;
  readonly #sampling: SamplingOptions;
  /** The probability of a token costs about half a step (the vocabulary is sorted): only the first ones are asked for. */
  readonly #confidenceTokens: number;
  readonly #usage: Usage;
  readonly #deps: { clock: Clock; budget: PrefillBudget; meter: Meter };
  #steps = 0;

  constructor(
    options: { sequence: LlamaContextSequence; sampling: SamplingOptions; confidenceTokens: number; usage: Usage },
    deps: { clock: Clock; budget: PrefillBudget; meter: Meter },
  ) {
    this.#sequence = options.sequence;
    this.#sampling = options.sampling;
    this.#confidenceTokens = options.confidenceTokens;
    this.#usage = options.usage;
    this.#deps = deps;
  }

  /** Evaluates `tokens` from `from` on. Gives the first chosen token, when one is wanted; undefined when the signal aborted. */
  async prefill(tokens: readonly number[], from: number, signal: AbortSignal, choose: boolean): Promise<Chosen | undefined> {
    const { clock, budget, meter } = this.#deps;
    const startedMs = clock.now();
    try {
      for (let at = from; at < tokens.length; ) {
        if (signal.aborted) return undefined;
        budget.set(this, tokens.length - at);
        const chunk = tokens.slice(at, at + budget.share()) as Token[];
        at += chunk.length;
        const chunkMs = clock.now();
        const last = at === tokens.length;
        const chosen =
          last && choose ? await this.#evaluate(chunk) : await this.#sequence.evaluateWithoutGeneratingNewTokens(chunk);
        meter.prefilled(chunk.length, clock.now() - chunkMs);
        this.#usage.recomputedTokens += chunk.length;
        if (chosen) return chosen;
      }
      return undefined;
    } finally {
      budget.set(this, 0);
      this.#usage.prefillMs += clock.now() - startedMs;
    }
  }

  /** One step: evaluates the token chosen last and chooses the next. */
  async next(token: Token): Promise<Chosen> {
    const startedMs = this.#deps.clock.now();
    const chosen = await this.#evaluate([token]);
    const stepMs = this.#deps.clock.now() - startedMs;
    this.#usage.decodeMs += stepMs;
    this.#deps.meter.stepped(stepMs);
    return chosen;
  }

  async #evaluate(tokens: readonly Token[]): Promise<Chosen> {
    const step = this.#steps++;
    const { temperature, topP, topK, seed } = this.#sampling;
    // Each step has a sampler of its own, so each needs a seed of its own; greedy steps take no chance at all.
    const options =
      temperature === 0 ? { temperature } : { temperature, topP, topK, seed: (seed + Math.imul(step, 0x9e3779b1)) >>> 0 };
    const input: ControlledEvaluateInputItem[] = [...tokens];
    const last = tokens.length - 1;
    input[last] = [tokens[last] as Token, { generateNext: { token: true, confidence: step < this.#confidenceTokens, options } }];
    const output = (await this.#sequence.controlledEvaluate(input))[last]?.next;
    if (output?.token == null) throw new SlipstreamError("engine_failed", "llama.cpp chose no token");
    return { token: output.token, confidence: output.confidence };
  }
}
