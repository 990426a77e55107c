// answer: the messages of TensorRT-LLM's gRPC Generate in, Pieces and one end out. A chunk brings new tokens; the last message brings all
// of them again, of which only those that no chunk brought are new.
import type { GenerateResponse } from "../../../../proto/gen/third_party/trtllm_service_pb.ts";
import type { Piece } from "../../../generation.ts";
import { emptyMessage, TokenAnswer } from "../../token-answer.ts";

export class TensorRtAnswer extends TokenAnswer<GenerateResponse> {
  push({ response }: GenerateResponse): readonly Piece[] {
    if (response.case === "complete") {
      const { finishReason, outputTokenIds, logprobs } = response.value;
      this.prompted(response.value);
      const given = this.told.completionTokens;
      const pieces = this.piece(outputTokenIds.slice(given), logprobs.slice(given));
      this.ended(response.value, finishReason, "cancelled");
      return pieces;
    }
    if (response.case !== "chunk") throw emptyMessage();
    this.prompted(response.value);
    this.told.frames += 1;
    return this.piece(response.value.tokenIds, response.value.logprobs);
  }
}
