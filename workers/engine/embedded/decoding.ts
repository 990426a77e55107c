// decoding: a claimed sequence and a prompt in, tokens out. The prompt is evaluated in chunks and the signal is looked at
// between chunks and between steps: llama.cpp itself cannot be interrupted inside a batch. A step may carry drafts: it chooses
// at each of them what it would have chosen without, and keeps those that are the same.
import type { ControlledEvaluateInputItem, LlamaContextSequence, Token, TokenBias } from "node-llama-cpp";
import type { Clock } from "../../../lib/clock.ts";
import { SlipstreamError } from "../../../lib/errors.ts";
import type { Usage } from "../../generation.ts";
import type { Meter } from "../meter.ts";
import { type Circle, circles } from "./circles.ts";
import type { Pace } from "./pace.ts";
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
export type Evaluator = Pick<
  LlamaContextSequence,
  "controlledEvaluate" | "evaluateWithoutGeneratingNewTokens" | "eraseContextTokenRanges" | "nextTokenIndex"
>;

interface Options {
  readonly sequence: Evaluator;
  /** Of its lane; 0 goes first. */
  readonly rank: number;
  readonly sampling: SamplingOptions;
  /** What the next token may be, when not any. */
  readonly allowed: () => readonly number[] | undefined;
  /** Whether what closes a circle is held back (circles.ts). */
  readonly circles: boolean;
  readonly chunkTokens: number;
  /** The probability of a token costs half a step (the vocabulary is sorted for it): only the first tokens are asked for. */
  readonly confidenceTokens: number;
  readonly usage: Usage;
}

interface Deps {
  readonly clock: Clock;
  readonly turns: Pick<Turns, "take">;
  readonly meter: Meter;
  readonly onProgress: () => void;
  readonly pace: Pace;
  /** Makes the sampler choose among these tokens. */
  readonly biasTo: (tokens: readonly number[]) => TokenBias;
  /** Makes the sampler less willing to choose what closes a circle. */
  readonly biasAgainst: (closing: readonly Circle[]) => TokenBias;
  endsText(token: Token): boolean;
}

export class Decoding {
  readonly #options: Options;
  readonly #deps: Deps;
  /** What was chosen so far. */
  readonly #said: number[] = [];

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
          at === tokens.length && choose ? await this.#choose(chunk) : await sequence.evaluateWithoutGeneratingNewTokens(chunk);
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

  /**
   * One step: evaluates the token chosen last and `drafts` after it; gives the drafts that were right and one token more.
   * Lossless: each token is chosen as without drafts, with its own seed, so that a draft is only ever right or wrong. For
   * tokens drawn by chance this is rejection sampling with a draft of probability one. The caller holds the turn.
   */
  async step(last: Token, drafts: readonly number[]): Promise<{ chosen: readonly Chosen[]; ms: number }> {
    const { clock, meter, onProgress, pace, endsText } = this.#deps;
    const { sequence } = this.#options;
    const startedMs = clock.now();
    const start = sequence.nextTokenIndex;
    const output = await this.#evaluate([last, ...(drafts as Token[])], 0);
    const chosen: Chosen[] = [];
    for (const one of output) {
      chosen.push(one);
      if (one.token !== drafts[chosen.length - 1] || endsText(one.token)) break;
    }
    for (const { token } of chosen) this.#said.push(token);
    if (chosen.length <= drafts.length)
      await sequence.eraseContextTokenRanges([{ start: start + chosen.length, end: sequence.nextTokenIndex }]);
    await pace.target(startedMs);
    const ms = clock.now() - startedMs;
    meter.stepped(ms);
    onProgress();
    return { chosen, ms };
  }

  async #choose(tokens: readonly Token[]): Promise<Chosen> {
    const [chosen] = await this.#evaluate(tokens, tokens.length - 1);
    this.#said.push((chosen as Chosen).token);
    return chosen as Chosen;
  }

  /** Evaluates `tokens` and chooses what follows each from the one at `from` on. */
  async #evaluate(tokens: readonly Token[], from: number): Promise<Chosen[]> {
    const { confidenceTokens, sequence } = this.#options;
    const input = tokens.map((token, index): ControlledEvaluateInputItem => {
      if (index < from) return token;
      const step = this.#said.length + index - from;
      const options = { ...this.#chance(step), ...this.#bias(tokens.slice(from + 1, index + 1)) };
      return [token, { generateNext: { token: true, confidence: step < confidenceTokens, options } }];
    });
    const output = await sequence.controlledEvaluate(input);
    return output.slice(from).map((one) => {
      if (one?.next?.token == null) throw new SlipstreamError("engine_failed", "llama.cpp chose no token");
      return { token: one.next.token, confidence: one.next.confidence };
    });
  }

  /** After what was chosen and `drafts`: only tokens that heal, and against going round in circles. */
  #bias(drafts: readonly Token[]): { readonly tokenBias?: TokenBias } {
    const allowed = this.#options.allowed();
    if (allowed) return { tokenBias: this.#deps.biasTo(allowed) };
    const closing = this.#options.circles ? circles([...this.#said, ...drafts]) : [];
    return closing.length > 0 ? { tokenBias: this.#deps.biasAgainst(closing) } : {};
  }

  /** Each step has a sampler of its own, so each needs a seed of its own; greedy steps take no chance at all. */
  #chance(step: number) {
    const { temperature, topP, topK, seed } = this.#options.sampling;
    if (temperature === 0) return { temperature };
    return { temperature, topP, topK, seed: (seed + Math.imul(step, 0x9e3779b1)) >>> 0 };
  }
}
