// refused: an answer of trtllm-serve that is no stream in, what it means out. Pure. It answers whatever goes wrong with status 400 and
// "BadRequestError", its own faults too (openai_server.py, create_error_response), so that the status says nothing of whose fault it
// is: its sentence must. What speaks of the request is the asker's; all else is the engine's, and may go elsewhere. So is what speaks of
// its own parts besides, and of adapters, whose names and paths are the agent's settings.
import { SlipstreamError } from "../../../lib/errors.ts";
import type { Answer } from "../http.ts";
import { refusal } from "../running.ts";

const ofTheEngine = /out of memory|executor|worker|\blora/i;
const ofTheRequest =
  /validation error|is not supported|not permitted|should not exceed|exceeds|must be|prompt length|max_tokens|max_seq_len|max_num_tokens|out of (vocabulary )?range/i;

export function refused(answer: Answer): SlipstreamError {
  const error = refusal(answer);
  const { message } = error;
  if (answer.status !== 400 || (ofTheRequest.test(message) && !ofTheEngine.test(message))) return error;
  return new SlipstreamError("engine_failed", message);
}
