// loaded-model: a start message in, a loaded model with its sequences out, or an error with one sentence. Runs in the child
// process only; the one file that opens llama.cpp.

import { basename } from "node:path";
import {
  getLlama,
  InsufficientMemoryError,
  type Llama,
  type LlamaContext,
  type LlamaContextSequence,
  type LlamaModel,
  LlamaVocabularyType,
  NoBinaryFoundError,
  type Token,
  TokenBias,
} from "node-llama-cpp";
import { SlipstreamError } from "../../../lib/errors.ts";
import type { Model } from "../../generation.ts";
import { remembering } from "../encoded.ts";
import { findFimTokens } from "../fim-tokens.ts";
import { nothingTakenBack, takeBack } from "../healing.ts";
import type { Tokenizer } from "../prompt-tokens.ts";
import { sampleCode } from "../sample-code.ts";
import { TokenIndex } from "../token-index.ts";
import { spelledBytes } from "../tokenizer.ts";
import { type Circle, logitOf } from "./circles.ts";
import { loadDraft } from "./draft-model.ts";
import { unusable } from "./gguf-file.ts";
import type { Start } from "./messages.ts";

export interface LoadedModel extends Tokenizer {
  readonly model: Model;
  readonly llama: LlamaModel;
  readonly sequences: readonly LlamaContextSequence[];
  /** Of the draft model, one beside each sequence; none without a draft model. */
  readonly drafts: readonly LlamaContextSequence[];
  /** Whether a sequence may drop its last tokens: recurrent models can only start anew. */
  readonly canTrim: boolean;
  /** One of our own, that chooses greedily and soon goes round in circles. */
  readonly small: boolean;
  /** End of generation, or another control token: neither is ever text. */
  endsText(token: Token): boolean;
  detokenize(tokens: readonly number[], before: readonly number[]): string;
  /** The bytes that a token stands for. */
  pieceOf(token: number): Buffer;
  readonly index: TokenIndex;
  biasTo(tokens: readonly number[]): TokenBias;
  biasAgainst(closing: readonly Circle[]): TokenBias;
  dispose(): Promise<void>;
}

/** Far above any difference of logits, far below what costs a float its digits. */
const biasLogit = 200;

/** Pieces of the prompts of some hundred documents. */
const encodedMax = { textsMax: 10_000, bytesMax: 16 << 20 };

/** First lines of llama.cpp kept to explain a model that does not load. */
const complaintsMax = 8;

export async function loadModel(start: Start): Promise<LoadedModel> {
  const complaints: string[] = [];
  const llama = await openLlama(start.threads, complaints);
  const model = await llama.loadModel({ modelPath: start.modelPath }).catch((cause: unknown) => {
    throw unusable(start.modelPath, reason(cause, complaints), cause);
  });
  const vocabulary = specials(model);
  const metadata = model.fileInfo.metadata;
  const { name: generalName, basename: baseName } = metadata.general ?? {};
  const template = metadata.tokenizer?.chat_template;
  const found = findFimTokens(
    (metadata.tokenizer?.ggml ?? {}) as unknown as Record<string, unknown>,
    { textOf: (id) => model.detokenize([id as Token], true), isSpecialToken: (text) => vocabulary(text) !== undefined },
    {
      names: [generalName ?? "", baseName ?? "", basename(start.modelPath, ".gguf")],
      ...(typeof template === "string" ? { chatTemplate: template } : {}),
    },
  );
  if (!found)
    throw unusable(start.modelPath, "it has no fill-in-the-middle tokens (prefix and suffix), so it cannot complete inside code");
  const contextTokens = Math.min(model.trainContextSize, start.contextTokensMax);
  const context = await openContext(model, contextTokens, start);
  const { draftPath } = start;
  const drafts = draftPath === undefined ? [] : await loadDraft(llama, model, { ...start, draftPath }, context.contextSize);
  const encodeText = remembering((text) => model.tokenize(text, false, "trimLeadingSpace"), encodedMax);
  const textOf = (tokens: readonly number[]) => model.detokenize(tokens as Token[]);
  // Only byte-level vocabularies spell a text the same wherever it stands; others begin words with a blank of their own.
  const heals = model.vocabularyType === LlamaVocabularyType.bpe;
  const index = new TokenIndex(heals ? spelled(model) : []);
  const { fim, family, specials: otherSpecials } = found;
  return {
    llama: model,
    model: {
      name: start.modelName ?? generalName ?? basename(start.modelPath, ".gguf"),
      fimFamily: family,
      specials: otherSpecials,
      fim,
      contextTokens: context.contextSize,
      bytesPerToken: Buffer.byteLength(sampleCode) / encodeText(sampleCode).length,
      chatTemplate: typeof metadata.tokenizer?.chat_template === "string",
    },
    sequences: Array.from({ length: start.slots }, () => context.getSequence()),
    drafts,
    small: family === "slipstream-builtin",
    canTrim: !model.fileInsights.isRecurrent,
    contextTokens: context.contextSize,
    encodeText,
    specialToken: vocabulary,
    fimPrefix: fim.prefix,
    fimMiddle: fim.middle,
    index,
    pieceOf: (token) => {
      const text = model.detokenize([token as Token], true);
      // A part of a character has no text: byte-level vocabularies spell it.
      const spelling = heals && text.includes("\uFFFD") ? metadata.tokenizer?.ggml?.tokens?.[token] : undefined;
      return Buffer.from(typeof spelling === "string" ? (spelledBytes(spelling) ?? []) : text);
    },
    takeBack: (tokens) => (heals ? takeBack(tokens, textOf, index) : nothingTakenBack),
    biasTo: (tokens) => TokenBias.for(model).set(tokens as Token[], { logit: biasLogit }),
    biasAgainst: (closing) => {
      const bias = TokenBias.for(model);
      for (const circle of closing) bias.set(circle.token as Token, { logit: logitOf(circle) });
      return bias;
    },
    endsText: (token) => model.isEogToken(token) || model.isSpecialToken(token),
    detokenize: (tokens, before) => model.detokenize(tokens as Token[], false, before as Token[]),
    dispose: () => llama.dispose(),
  };
}

async function openLlama(threads: number, complaints: string[]): Promise<Llama> {
  const keep = (_level: string, message: string) => {
    if (complaints.length < complaintsMax && /error|fail|invalid|corrupt|missing|unknown|bounds/i.test(message))
      complaints.push(message.trim());
  };
  return getLlama({ gpu: false, build: "never", maxThreads: threads, logger: keep, skipDownload: true }).catch((cause: unknown) => {
    if (!(cause instanceof NoBinaryFoundError)) throw cause;
    const platform = `${process.platform}-${process.arch}`;
    throw new SlipstreamError(
      "unsupported",
      `llama.cpp has no prebuilt binary for this machine (${platform}); serve from another engine`,
      {
        cause,
      },
    );
  });
}

async function openContext(model: LlamaModel, contextTokens: number, start: Start): Promise<LlamaContext> {
  return model
    .createContext({
      contextSize: contextTokens,
      sequences: start.slots,
      threads: start.threads,
      batchSize: start.chunkTokens,
      swaFullCache: true,
    })
    .catch((cause: unknown) => {
      if (!(cause instanceof InsufficientMemoryError)) throw cause;
      throw unusable(start.modelPath, `there is not enough memory for ${start.slots} contexts of ${contextTokens} tokens`, cause);
    });
}

function* spelled(model: LlamaModel): Generator<[string, number]> {
  for (const token of model.iterateAllTokens()) if (!model.isSpecialToken(token)) yield [model.detokenize([token]), token];
}

/** Text → id of the special token that is exactly this text. */
function specials(model: LlamaModel): (text: string) => Token | undefined {
  return (text) => {
    const tokens = text === "" ? [] : model.tokenize(text, true);
    const [token] = tokens;
    if (token === undefined || tokens.length !== 1 || !model.isSpecialToken(token)) return undefined;
    return model.detokenize([token], true) === text ? token : undefined;
  };
}

function reason(cause: unknown, complaints: readonly string[]): string {
  if (cause instanceof InsufficientMemoryError) return "there is not enough memory to load it";
  const [said] = complaints;
  const short = (text: string) => text.replace(/\s+/g, " ").slice(0, 300);
  if (said) return `llama.cpp cannot load it (${short(said)})`;
  // A TypeError is our side stumbling over what is not there: its words help nobody.
  return cause instanceof TypeError || !(cause instanceof Error)
    ? "its contents are corrupt"
    : `its contents are corrupt (${short(cause.message)})`;
}
