// snippets: code that a client sends along, checked: chunks it gathered, and recent edits elsewhere, which are chunks that will
// change again.
import { invalid } from "../../lib/errors.ts";
import { type EditEvent, type Snippet as SnippetMessage, Stability } from "../../proto/gen/slipstream/v1/completion_pb.ts";
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

/** What the edited places look like now, the latest first. An edit that only took away says nothing. */
export function recentEdits(field: string, messages: readonly EditEvent[]): readonly Snippet[] {
  if (messages.length > limits.snippetsMax) throw invalid(field, `more than ${limits.snippetsMax}`);
  return messages.flatMap((message, i): Snippet[] => {
    textBytes(`${field}[${i}].before`, message.before, limits.snippetBytesMax);
    textBytes(`${field}[${i}].after`, message.after, limits.snippetBytesMax);
    const path = shortText(`${field}[${i}].path`, message.path, limits.pathCharsMax);
    const score = 1 / (1 + message.ageMs / 60_000);
    return message.after.trim() === "" ? [] : [{ path, text: message.after, score, stable: false }];
  });
}

/** The same chunks sent again are no change. */
export function sameSnippets(before: readonly Snippet[], now: readonly Snippet[]): boolean {
  return (
    before.length === now.length &&
    before.every(({ path, text, stable }, i) => path === now[i]?.path && text === now[i].text && stable === now[i].stable)
  );
}
