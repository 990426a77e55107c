// drafting: the draft model beside one generation. The tokens so far in, the tokens it would go on with out, with how sure it
// was of each. Its sequence is kept in step with the target's lazily: what it has not read it reads when it is asked, in
// chunks, and what it drafted in vain is erased then.
import type { LlamaContextSequence, Token } from "node-llama-cpp";
import type { Clock } from "../../../lib/clock.ts";
import type { Pace } from "./pace.ts";
import { commonPrefix } from "./slot-choice.ts";

export type DraftSequence = Pick<
  LlamaContextSequence,
  "contextTokens" | "nextTokenIndex" | "controlledEvaluate" | "evaluateWithoutGeneratingNewTokens" | "eraseContextTokenRanges"
>;

export interface Drafts {
  readonly tokens: readonly number[];
  /** The draft model's probability of each, among its few best. */
  readonly confidences: readonly number[];
  readonly ms: number;
  /** Of this the first pass, and the tokens it read besides. */
  readonly firstMs: number;
  readonly read: number;
}

/**
 * Greedy asks for no probabilities without sorting the whole vocabulary, half a pass's time; the few best come for next to
 * nothing. The first of them is the greedy choice.
 */
const best = { temperature: 1, topK: 8, topP: 1, minP: 0, seed: 1 };

export class Drafting {
  readonly #sequence: DraftSequence;
  readonly #chunkTokens: number;
  readonly #clock: Clock;
  readonly #pace: Pace;
  /** Tokens of the text whose KV the sequence holds. */
  #held: number;

  constructor(
    options: { sequence: DraftSequence; chunkTokens: number; prompt: readonly number[] },
    deps: { clock: Clock; pace: Pace },
  ) {
    this.#sequence = options.sequence;
    this.#chunkTokens = options.chunkTokens;
    this.#clock = deps.clock;
    this.#pace = deps.pace;
    this.#held = commonPrefix(options.sequence.contextTokens, options.prompt);
  }

  /** What it has to read before it can draft, but for the last chunk, which the first drafting pass reads. */
  behind(textTokens: number): number {
    return textTokens - this.#held;
  }

  /** Reads one chunk of what it missed; call until `behind` fits a pass. */
  async read(text: readonly number[]): Promise<number> {
    const startedMs = this.#clock.now();
    await this.#trim();
    const chunk = text.slice(this.#held, Math.min(this.#held + this.#chunkTokens, text.length - 1));
    await this.#sequence.evaluateWithoutGeneratingNewTokens(chunk as Token[]);
    this.#held += chunk.length;
    await this.#pace.draft(startedMs);
    return this.#clock.now() - startedMs;
  }

  /** Drafts at most `max` tokens after `text`, as long as `goOn` says so; undefined when the signal aborted. */
  async draft(
    text: readonly number[],
    max: number,
    goOn: (confidences: readonly number[]) => boolean,
    signal: AbortSignal,
  ): Promise<Drafts | undefined> {
    const startedMs = this.#clock.now();
    await this.#trim();
    const tokens: number[] = [];
    const confidences: number[] = [];
    let feed = text.slice(this.#held);
    const read = feed.length - 1;
    let firstMs = 0;
    for (;;) {
      const passMs = this.#clock.now();
      const last = feed.length - 1;
      const input = feed.map((token, index) =>
        index < last
          ? (token as Token)
          : ([token as Token, { generateNext: { probabilities: true, options: best } }] as [Token, object]),
      );
      const output = await this.#sequence.controlledEvaluate(input);
      await this.#pace.draft(passMs);
      if (tokens.length === 0) {
        this.#held = text.length;
        firstMs = this.#clock.now() - passMs;
      }
      const next = output[last]?.next.probabilities?.entries().next().value;
      if (!next || signal.aborted) break;
      tokens.push(next[0]);
      confidences.push(next[1]);
      if (tokens.length >= max || !goOn(confidences)) break;
      feed = [next[0]];
    }
    return signal.aborted ? undefined : { tokens, confidences, ms: this.#clock.now() - startedMs, firstMs, read };
  }

  /** `text` is as before and `accepted` drafts and one token more: the KV of accepted drafts that were read is kept. */
  accept(textTokens: number, drafted: number, accepted: number): void {
    this.#held = textTokens + Math.min(accepted, drafted - 1);
  }

  async #trim(): Promise<void> {
    const end = this.#sequence.nextTokenIndex;
    if (end > this.#held) await this.#sequence.eraseContextTokenRanges([{ start: this.#held, end }]);
  }
}
