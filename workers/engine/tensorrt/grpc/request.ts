// request: a Generation and its prompt's tokens in, the message of TensorRT-LLM's gRPC Generate out. Pure. The message has fields for a
// tenant's salt and for how long blocks are kept, which the server reads neither of (TensorRT-LLM, tensorrt_llm/grpc/smg/servicer.py,
// commit 8fe605ec): they are left empty, and a second tenant is refused.
import { create } from "@bufbuild/protobuf";
import { type GenerateRequest, GenerateRequestSchema } from "../../../../proto/gen/third_party/trtllm_service_pb.ts";
import type { TokenPrompt, TokenSampling, TokenWishes } from "../../token-request.ts";

export function generateRequest(prompt: TokenPrompt, sampling: TokenSampling, more: TokenWishes = {}): GenerateRequest {
  const { temperature, topP, topK, seed } = sampling;
  return create(GenerateRequestSchema, {
    requestId: prompt.requestId,
    tokenized: { inputTokenIds: [...prompt.tokens] },
    samplingConfig: {
      ...{ beamWidth: 1, numReturnSequences: 1, temperature, topP },
      // Greedy is the best one of all.
      ...(temperature === 0 ? { topK: 1 } : topK > 0 && { topK }),
      ...(seed !== undefined && { seed: BigInt.asUintN(64, BigInt(seed)) }),
    },
    outputConfig: { excludeInputFromOutput: true, ...(more.confidence && { logprobs: 1 }) },
    maxTokens: prompt.maxTokens,
    streaming: true,
    stop: [...(more.stop ?? [])],
    includeStopTokenInOutput: true,
    ignoreEos: more.ignoreEnd ?? false,
  });
}
