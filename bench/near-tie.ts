// near-tie: a prompt and another completion of it in, the gap between the two best tokens of the plain decode where the two
// part out. Rounding differs with the number of tokens in a pass; it may tip a tie, and nothing but a tie.
import type { Token } from "node-llama-cpp";
import { circles } from "../workers/engine/embedded/circles.ts";
import { type LoadedModel, loadModel } from "../workers/engine/embedded/loaded-model.ts";
import { Healing } from "../workers/engine/healing.ts";
import { encodePrompt } from "../workers/engine/prompt-tokens.ts";
import type { Segment } from "../workers/generation.ts";

/** In logits. Other kernels round otherwise by up to 0.04; those here not at all (docs/decisions/0011-own-block-speculation.md). */
export const epsilonLogits = 0.05;

export async function openPlain(modelPath: string, chunkTokens: number): Promise<LoadedModel> {
  return loadModel({
    kind: "start",
    modelPath,
    paceMs: 0,
    threads: 1,
    slots: 1,
    chunkTokens,
    contextTokensMax: 4_096,
    confidenceTokens: 0,
  });
}

/** Undefined: they never part. */
export async function gapWhereTheyPart(
  loaded: LoadedModel,
  options: { segments: readonly Segment[]; maxTokens: number; chunkTokens: number; other: string },
): Promise<number | undefined> {
  const [sequence] = loaded.sequences;
  if (!sequence) throw new Error("a model without a sequence");
  await sequence.clearHistory();
  const { tokens, takenBack } = encodePrompt(options.segments, loaded, { heal: true, completionTokens: options.maxTokens });
  const healing = new Healing(takenBack, loaded);
  // As the engine feeds it: chunks of the same size leave the same rounding in the KV.
  let feed = tokens as readonly Token[];
  for (; feed.length > options.chunkTokens; feed = feed.slice(options.chunkTokens))
    await sequence.evaluateWithoutGeneratingNewTokens(feed.slice(0, options.chunkTokens));
  const whole = takenBack.text + options.other;
  const chosen: Token[] = [];
  for (let step = 0; step < options.maxTokens; step++) {
    const { allowed } = healing;
    const last = feed.length - 1;
    // As the engine chooses greedily.
    const closing = loaded.small && !allowed ? circles(chosen) : [];
    const bias = allowed ? loaded.biasTo(allowed) : closing.length > 0 ? loaded.biasAgainst(closing) : undefined;
    const sampling = { temperature: 1, topK: 2, topP: 1, minP: 0, seed: 1, ...(bias && { tokenBias: bias }) };
    const output = await sequence.controlledEvaluate([
      ...feed.slice(0, last),
      [feed[last] as Token, { generateNext: { probabilities: true, options: sampling } }],
    ]);
    const [best, second] = [...(output[last]?.next.probabilities ?? [])];
    if (!best) return undefined;
    chosen.push(best[0]);
    const text = loaded.endsText(best[0]) ? undefined : loaded.detokenize(chosen, tokens);
    const agrees = text === undefined ? whole === loaded.detokenize(chosen.slice(0, -1), tokens) : whole.startsWith(text);
    // A token that ends inside a character agrees until that is whole.
    if (!agrees && !text?.endsWith("\uFFFD")) return second ? Math.log(best[1] / second[1]) : Number.POSITIVE_INFINITY;
    if (text === undefined) return undefined;
    healing.accept(best[0], loaded.detokenize([best[0]], []));
    feed = [best[0]];
  }
  return undefined;
}
