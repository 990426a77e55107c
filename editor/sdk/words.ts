// words: the numbers of the contract as the words a program reads, and back.
import {
  CacheSource,
  EditOrigin,
  FeedbackEvent,
  Finish,
  Outcome,
  Reason,
  Shape,
  TriggerKind,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";

type Words<E> = { readonly [K in keyof E]: number | string };

/** "" is the unspecified, and what a newer router says that this client does not know. */
function wordIn<E extends Words<E>>(of: E): (value: number) => string {
  const words = new Map(Object.entries(of).map(([name, value]) => [value, name.toLowerCase()]));
  return (value) => (value === 0 ? "" : (words.get(value) ?? ""));
}
const numberIn =
  <E extends Words<E>>(of: E) =>
  (word: string): E[keyof E] =>
    ((of as Record<string, unknown>)[word.toUpperCase()] ?? 0) as E[keyof E];

export type Kind = "auto" | "invoked" | "preload" | "speculative";
export type Origin = "typed" | "paste" | "undo" | "accept" | "format";
export type Length = "token" | "line" | "block" | "auto";
export type Reaction = "shown" | "accepted" | "partial" | "rejected" | "ignored" | "superseded" | "retained";

export const outcomeWord = wordIn(Outcome);
export const reasonWord = wordIn(Reason);
export const finishWord = wordIn(Finish);
export const sourceWord = wordIn(CacheSource);

export const kindNumber: (word: Kind) => TriggerKind = numberIn(TriggerKind);
export const originNumber: (word: Origin) => EditOrigin = numberIn(EditOrigin);
export const shapeNumber: (word: Length) => Shape = numberIn(Shape);
export const reactionNumber: (word: Reaction) => FeedbackEvent = numberIn(FeedbackEvent);
