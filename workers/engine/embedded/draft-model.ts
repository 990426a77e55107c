// draft-model: a draft model's file and the target in, its sequences out, one beside each of the target's. Refused by name when
// its vocabulary is another: its drafts would be other words than it means.
import type { Llama, LlamaContextSequence, LlamaModel } from "node-llama-cpp";
import { unusable } from "./gguf-file.ts";
import type { Start } from "./messages.ts";

/** What the draft model reads in one go, in chunks of the target: it is several times as fast. */
export const draftChunkFactor = 2;

export async function loadDraft(
  llama: Llama,
  target: LlamaModel,
  start: Start & { readonly draftPath: string },
  contextTokens: number,
): Promise<readonly LlamaContextSequence[]> {
  const { draftPath, slots, threads, chunkTokens } = start;
  const draft = await llama.loadModel({ modelPath: draftPath }).catch((cause: unknown) => {
    throw unusable(draftPath, "llama.cpp cannot load it as a draft model", cause);
  });
  const problem =
    vocabularyProblem(vocabularyOf(target), vocabularyOf(draft)) ?? (draft.fileInsights.isRecurrent ? recurrent : undefined);
  if (problem) throw unusable(draftPath, `as the draft model of ${start.modelPath}: ${problem}`);
  const context = await draft
    .createContext({
      contextSize: contextTokens,
      sequences: slots,
      threads,
      batchSize: chunkTokens * draftChunkFactor,
      swaFullCache: true,
    })
    .catch((cause: unknown) => {
      throw unusable(
        draftPath,
        `there is not enough memory for ${slots} contexts of ${contextTokens} tokens beside the target's`,
        cause,
      );
    });
  return Array.from({ length: slots }, () => context.getSequence());
}

const recurrent = "it cannot drop tokens again (a recurrent model)";

function vocabularyOf(model: LlamaModel): readonly string[] {
  return model.fileInfo.metadata.tokenizer.ggml.tokens;
}

/** Why drafts of one vocabulary mean nothing in the other; undefined when they are the same. */
export function vocabularyProblem(target: readonly string[], draft: readonly string[]): string | undefined {
  if (draft.length !== target.length) return `its vocabulary has ${draft.length} tokens, the target's ${target.length}`;
  const at = draft.findIndex((text, index) => text !== target[index]);
  return at < 0 ? undefined : `its vocabulary is another one (token ${at} differs from the target's)`;
}
