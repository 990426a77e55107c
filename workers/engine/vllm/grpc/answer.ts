// answer: the messages of a gRPC generation of vLLM's in, Pieces and one end out. The last message says how it ended; in a stream it
// repeats the tokens of the chunk before it, which are not counted again.
import type { GenerateResponse } from "../../../../proto/gen/third_party/vllm_engine_pb.ts";
import type { Piece } from "../../../generation.ts";
import { emptyMessage, TokenAnswer } from "../../token-answer.ts";

export class GrpcAnswer extends TokenAnswer<GenerateResponse> {
  push({ response }: GenerateResponse): readonly Piece[] {
    if (response.case === "complete") {
      this.prompted(response.value);
      this.ended(response.value, response.value.finishReason, "abort");
      return [];
    }
    if (response.case !== "chunk") throw emptyMessage();
    const { tokenIds, outputLogprobs } = response.value;
    this.prompted(response.value);
    this.told.frames += 1;
    const logprobs = (outputLogprobs?.tokenLogprobs ?? []).map((logprob) => ({ logprob }));
    return this.piece(tokenIds, logprobs);
  }
}
