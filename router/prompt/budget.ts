// budget: how many bytes of prompt a model gets for one trigger. Pure. Bytes, because the router never tokenises: the
// worker measures its model's bytes per token. The prompt shrinks to what can be prefilled in half the time left.
import type { ServedModel, Trigger } from "../completion.ts";
import type { Family } from "./families.ts";

/** Code varies: short names and digits make more tokens a byte than the mean says. */
const caution = 0.85;
/** Special tokens, and a cursor inside a token. */
const reservedTokens = 12;
/** The special tokens as text, and the completion so far where another worker goes on with it. */
const reservedBytes = 4_096;
/** The prefill rate wobbles; a budget that followed it would move the window and lose the KV it saves. */
const rateSteps = 8;

export interface Budget {
  readonly contextBytes: number;
  readonly prefixBytes: number;
  readonly suffixBytes: number;
}

export function budgetFor(trigger: Trigger, model: ServedModel, family: Family): Budget {
  const maxTokens = Math.min(trigger.sampling.maxTokens, model.maxTokensMax ?? trigger.sampling.maxTokens);
  const fits = model.contextTokens - maxTokens - reservedTokens;
  const room = Math.max(16, Math.min(fits, family.promptTokensMax ?? fits));
  const tokens = Math.min(room, inTime(trigger, model, room));
  const { promptBytesMax = Number.POSITIVE_INFINITY } = model;
  const taken = promptBytesMax - Math.min(reservedBytes, promptBytesMax / 4);
  const bytes = Math.floor(Math.min(tokens * model.bytesPerToken * caution, taken));
  if (trigger.lane === "chat") return { contextBytes: 0, prefixBytes: bytes, suffixBytes: 0 };
  const contextBytes = Math.floor(bytes * family.contextShare);
  const suffixBytes = Math.floor((bytes - contextBytes) * family.suffixShare);
  return { contextBytes, suffixBytes, prefixBytes: bytes - contextBytes - suffixBytes };
}

/** Tokens that half of the trigger's whole time can prefill, in eighths of the model's room. */
function inTime(trigger: Trigger, model: ServedModel, room: number): number {
  if (model.prefillTokensPerSecond <= 0) return room;
  const possible = (model.prefillTokensPerSecond * (trigger.deadlineMs - trigger.receivedMs)) / 2_000;
  return Math.max(room / rateSteps, Math.floor((possible / room) * rateSteps) * (room / rateSteps));
}
