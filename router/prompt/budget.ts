// budget: how many bytes of prompt a model gets for one trigger. Pure. Bytes, because the router never tokenises: bytes per token
// are measured (measured.ts). The prompt shrinks to what can be prefilled in half the time left, in eighths, and keeps to the
// eighth it had: another budget moves every window and loses the KV it saves.
import type { ServedModel, Trigger } from "../completion.ts";
import type { Family } from "./families.ts";

/** Code varies: short names and digits make more tokens a byte than the mean says. */
const caution = 0.85;
/** Special tokens, and a cursor inside a token. */
const reservedTokens = 12;
/** The special tokens as text, and the completion so far where another worker goes on with it. */
const reservedBytes = 4_096;
/** What any shape but a block may generate: keys that want less, and what warms for them, have the same windows. */
const generatedTokensMin = 64;
/** A family's tokens as text, and the path of the file, which takes 200 at most. */
const formBytes = 384;
const eighthsMax = 8;
/** Of the ratio a document was budgeted with: what caution bears when the model turns out to make more tokens. */
const ratioMin = 0.92;
/** How far beyond its eighth a rate must be before the eighth changes. */
const slack = 0.5;

export interface Budget {
  readonly contextBytes: number;
  readonly prefixBytes: number;
  readonly suffixBytes: number;
  /** Of the model's room. */
  readonly eighths: number;
  readonly bytesPerToken: number;
  /** By the policy; Infinity: no bound. */
  readonly bytesMax: number;
}

/** What the document's last prompt was budgeted with. */
type Held = Pick<Budget, "eighths" | "bytesPerToken">;

export function budgetFor(trigger: Trigger, model: ServedModel, family: Family, held?: Held): Budget {
  const wanted = Math.max(trigger.sampling.maxTokens, generatedTokensMin);
  const maxTokens = Math.min(wanted, model.maxTokensMax ?? wanted);
  const fits = model.contextTokens - maxTokens - reservedTokens;
  const room = Math.max(16, Math.min(fits, family.promptTokensMax ?? fits));
  const eighths = eighthsFor(trigger, model, room, held?.eighths);
  const bytesPerToken = ratioFor(model, held);
  const { promptBytesMax = Number.POSITIVE_INFINITY } = model;
  const taken = promptBytesMax - Math.min(reservedBytes, promptBytesMax / 4);
  // Not a share of the room: a bound in bytes is the same whatever is measured, so that no window moves.
  const { promptBytesMax: bytesMax = Number.POSITIVE_INFINITY } = trigger;
  const bytes = Math.floor(Math.min(((room * eighths) / eighthsMax) * bytesPerToken * caution, taken, bytesMax - formBytes));
  const shares = { eighths, bytesPerToken, bytesMax };
  if (trigger.lane === "chat" || trigger.verbatim) return { contextBytes: 0, prefixBytes: bytes, suffixBytes: 0, ...shares };
  const contextBytes = Math.floor(bytes * family.contextShare);
  const suffixBytes = Math.floor((bytes - contextBytes) * family.suffixShare);
  return { contextBytes, suffixBytes, prefixBytes: bytes - contextBytes - suffixBytes, ...shares };
}

/** A ratio that turns out better is for the next document: more room is not worth a prompt. */
function ratioFor({ bytesPerToken }: ServedModel, held: Held | undefined): number {
  return held && bytesPerToken >= held.bytesPerToken * ratioMin ? held.bytesPerToken : bytesPerToken;
}

/** What half of the trigger's whole time can prefill of the room; of one that warms for a key, half of the key's. */
function eighthsFor(trigger: Trigger, model: ServedModel, room: number, held: number | undefined): number {
  if (model.prefillTokensPerSecond <= 0) return held ?? eighthsMax;
  const wholeMs = trigger.keyMs ?? trigger.deadlineMs - trigger.receivedMs;
  const possible = ((model.prefillTokensPerSecond * wholeMs) / 2_000 / room) * eighthsMax;
  const wanted = Math.min(eighthsMax, Math.max(1, Math.floor(possible)));
  if (held === undefined) return wanted;
  if (possible < held - slack) return wanted;
  // Who asks ahead, or by hand, has more time than the next key will have: a prompt of theirs is no other prompt.
  return trigger.kind === "auto" && possible >= held + 1 + slack ? wanted : held;
}
