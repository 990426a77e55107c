// request: a Generation and its prompt's tokens in, the message of vLLM's gRPC Generate out. Pure.
import { create } from "@bufbuild/protobuf";
import { type GenerateRequest, GenerateRequestSchema } from "../../../../proto/gen/third_party/vllm_engine_pb.ts";
import type { TokenPrompt, TokenSampling, TokenWishes } from "../../token-request.ts";

export function generateRequest(prompt: TokenPrompt, sampling: TokenSampling, more: TokenWishes = {}): GenerateRequest {
  const { temperature, topP, topK, seed } = sampling;
  return create(GenerateRequestSchema, {
    requestId: prompt.requestId,
    input: { case: "tokenized", value: { inputIds: [...prompt.tokens] } },
    stream: true,
    samplingParams: {
      ...{ temperature, topP, topK, maxTokens: prompt.maxTokens, n: 1, skipSpecialTokens: true, repetitionPenalty: 1 },
      ...{ stop: [...(more.stop ?? [])], includeStopStrInOutput: true, ignoreEos: more.ignoreEnd ?? false },
      // Its field is 32 bits, signed.
      ...(seed !== undefined && { seed: seed | 0 }),
      ...(more.confidence && { logprobs: 0 }),
    },
  });
}
