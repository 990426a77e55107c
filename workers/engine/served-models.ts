// served-models: what a server serves in, the models a router is told of out: names, context, infilling tokens found in the vocabulary, bytes
// a token measured on code. A served adapter is a model of its own, of the same family.
import { SlipstreamError } from "../../lib/errors.ts";
import { families } from "../../lib/fim/families.ts";
import type { Model } from "../generation.ts";
import { findFimTokens } from "./fim-tokens.ts";
import { sampleCode } from "./sample-code.ts";
import type { EngineTokenizer } from "./tokenizer.ts";

export interface ServedModel {
  readonly id: string;
  /** Folder or name that it was loaded from. */
  readonly root: string;
  /** Of an adapter: the model it changes. */
  readonly parent: string | undefined;
  readonly contextTokens: number | undefined;
}

/** Rounds of asking a vocabulary for spellings: each family's forms name a few more. */
const roundsMax = 8;
const contextMin = 64;

export async function describeModels(
  served: readonly ServedModel[],
  wanted: string,
  tokenizer: EngineTokenizer,
  signal: AbortSignal,
): Promise<Model[]> {
  const base = served.find(({ id, parent }) => !parent && (wanted === "" || id === wanted));
  if (!base) {
    const names = served.map(({ id }) => JSON.stringify(id)).join(", ");
    throw new SlipstreamError("model_unusable", `the engine serves ${names}, not ${JSON.stringify(wanted)}`);
  }
  const contextTokens = base.contextTokens ?? 0;
  if (contextTokens < contextMin)
    throw new SlipstreamError(
      "model_unusable",
      `the engine says no context length of ${JSON.stringify(base.id)} above ${contextMin}`,
    );
  const found = await infillingTokens(base, tokenizer, signal);
  await tokenizer.know([sampleCode], signal);
  const bytesPerToken = Buffer.byteLength(sampleCode) / tokenizer.encodeText(sampleCode).length;
  const own = served.filter(({ id, parent }) => id === base.id || parent === base.id);
  return own.map(({ id }) => ({ name: id, ...found, contextTokens, bytesPerToken, chatTemplate: false }));
}

async function infillingTokens({ id, root }: ServedModel, tokenizer: EngineTokenizer, signal: AbortSignal) {
  const spellings = new Set(families.flatMap(({ tokens, ends, begin = "" }) => [...Object.values(tokens), ...ends, begin]));
  spellings.delete("");
  const names = [id, root.split("/").at(-1) ?? ""];
  // What is looked for is known only by looking: each round asks for the spellings that the one before came upon.
  for (let round = 0; round < roundsMax; round++) {
    await tokenizer.know([...spellings], signal);
    const before = spellings.size;
    const isSpecialToken = (text: string) => {
      spellings.add(text);
      return tokenizer.specialToken(text) !== undefined;
    };
    const found = findFimTokens({}, { textOf: () => "", isSpecialToken }, { names });
    if (spellings.size > before && tokenizer.kind === "asked") continue;
    return { fim: found?.fim ?? noTokens, fimFamily: found?.family ?? "", specials: found?.specials ?? [] };
  }
  return { fim: noTokens, fimFamily: "", specials: [] };
}

/** A model for chat alone. */
const noTokens = { prefix: "", suffix: "", middle: "", fileSeparator: "", repository: "" };
