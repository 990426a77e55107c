// snippets: code that a client sends along, checked.
import { invalid } from "../../lib/errors.ts";
import { type Snippet as SnippetMessage, Stability } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Snippet } from "../completion.ts";
import { shortText, textBytes } from "./check.ts";
import { limits } from "./limits.ts";

export function snippets(field: string, messages: readonly SnippetMessage[]): readonly Snippet[] {
  if (messages.length > limits.snippetsMax) throw invalid(field, `more than ${limits.snippetsMax}`);
  return messages.map((message, i) => {
    textBytes(`${field}[${i}].text`, message.text, limits.snippetBytesMax);
    return {
      path: shortText(`${field}[${i}].path`, message.path, limits.pathCharsMax),
      text: message.text,
      score: Number.isFinite(message.score) ? message.score : 0,
      stable: message.stability !== Stability.VOLATILE,
    };
  });
}
