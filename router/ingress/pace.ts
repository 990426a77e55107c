// pace: what handling a message costs the process, so that one session's flood is read more slowly instead of keeping the
// others waiting. One is a small message; text costs by its length. Pure.
import type { ClientMessage } from "../../proto/gen/slipstream/v1/completion_pb.ts";

/** Text that is as dear to check and keep as a message is to take. */
const utf16PerUnit = 4_096;

export function costOf(message: ClientMessage["message"]): number {
  return 1 + textOf(message) / utf16PerUnit;
}

function textOf(message: ClientMessage["message"]): number {
  switch (message.case) {
    case "documentOpen":
      return message.value.text.length;
    case "documentEdit":
      return sum(message.value.edits.map(({ text }) => text.length + utf16PerEdit));
    case "context":
      return (
        sum(message.value.snippets.map(({ text }) => text.length)) +
        sum(message.value.recentEdits.map(({ before, after }) => before.length + after.length))
      );
    default:
      return 0;
  }
}

/** An edit writes a piece of the document anew, however short its text. */
const utf16PerEdit = 1_024;

const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);
