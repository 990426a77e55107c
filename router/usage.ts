// usage: what several generations cost together, where one trigger needed more than one, and what came of one so far.
import { type Delta, noUsage, type Usage } from "./completion.ts";

export function added(a: Usage, b: Usage | undefined): Usage {
  if (!b) return a;
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    recomputedTokens: a.recomputedTokens + b.recomputedTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    drafted: a.drafted + b.drafted,
    draftAccepted: a.draftAccepted + b.draftAccepted,
  };
}

/** What came of a generation so far, whoever made it: one object for all of its deltas. */
export class Begun {
  text = "";
  tokens = 0;
  #promptTokens = 0;
  #cachedTokens = 0;
  #recomputedTokens = 0;

  add({ text, tokens, prompt }: Delta): void {
    this.text += text;
    this.tokens += tokens;
    if (!prompt) return;
    this.#promptTokens += prompt.promptTokens;
    this.#cachedTokens += prompt.cachedTokens;
    this.#recomputedTokens += prompt.recomputedTokens;
  }

  usage(): Usage {
    if (this.tokens === 0 && this.#promptTokens === 0) return noUsage;
    return {
      promptTokens: this.#promptTokens,
      cachedTokens: this.#cachedTokens,
      recomputedTokens: this.#recomputedTokens,
      completionTokens: this.tokens,
      drafted: 0,
      draftAccepted: 0,
    };
  }
}
