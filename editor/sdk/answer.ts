// answer: what the router said of a trigger, as a value that a program reads: a text with its items, or nothing with the reason.
import type { CacheUse, Completion, Nothing, Timing } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { finishWord, outcomeWord, reasonWord, sourceWord } from "./words.ts";

/** One alternative: `text` takes the place of [start, end) of the document, in UTF-16 units. */
export interface Item {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Characters that may be typed and keep this item valid. */
  readonly typeThrough: readonly string[];
  /** The router's estimate, 0–1. */
  readonly acceptProbability: number;
}

/** What it took; zero where nothing was computed. */
export interface Cost {
  readonly firstTextMs: number;
  readonly totalMs: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly recomputedTokens: number;
  readonly completionTokens: number;
  /** "type_through", "result", "in_flight", "kv" or "cold". */
  readonly source: string;
  readonly worker: string;
  readonly model: string;
}

export interface Text {
  readonly type: "completion";
  readonly triggerId: string;
  /** Names the text in feedback. */
  readonly completionId: string;
  /** At least one; the first is the best. */
  readonly items: readonly Item[];
  readonly outcome: string;
  /** "stop", "length", "cut" or "deadline". */
  readonly finish: string;
  readonly cost: Cost;
}

export interface NoText {
  readonly type: "nothing";
  readonly triggerId: string;
  /**
   * The router's reason in lower case ("gated", "superseded", "deadline", …), or one of this side: "offline" (no router was
   * reached in time), "lost" (the connection broke while text came), "too_large" (the document is over the router's limit),
   * "closed", "busy" (too many triggers without an answer).
   */
  readonly reason: string;
  readonly outcome: string;
  /** 0: asking again for this place is no use. */
  readonly retryAfterMs: number;
  readonly detail: string;
  readonly cost: Cost;
}

export type Answer = Text | NoText;

const ms = (value: number | undefined) => Math.round((value ?? 0) * 1_000) / 1_000;

function costOf(timing: Timing | undefined, cache: CacheUse | undefined): Cost {
  return {
    firstTextMs: ms(timing?.firstTextMs),
    totalMs: ms(timing?.totalMs),
    promptTokens: cache?.promptTokens ?? 0,
    cachedTokens: cache?.cachedTokens ?? 0,
    recomputedTokens: cache?.recomputedTokens ?? 0,
    completionTokens: cache?.completionTokens ?? 0,
    source: sourceWord(cache?.source ?? 0),
    worker: cache?.worker ?? "",
    model: cache?.model ?? "",
  };
}

export function textOf(said: Completion, offset: number): Text {
  return {
    type: "completion",
    triggerId: said.triggerId,
    completionId: said.completionId,
    items: said.items.map(({ insertText, replace, typeThrough, acceptProbability }) => ({
      text: insertText,
      // Without a range it stands at the cursor.
      start: replace?.startUtf16 ?? offset,
      end: replace?.endUtf16 ?? offset,
      typeThrough,
      acceptProbability,
    })),
    outcome: outcomeWord(said.outcome),
    finish: finishWord(said.finish),
    cost: costOf(said.timing, said.cache),
  };
}

export function noTextOf(said: Nothing): NoText {
  return {
    type: "nothing",
    triggerId: said.triggerId,
    reason: reasonWord(said.reason),
    outcome: outcomeWord(said.outcome),
    retryAfterMs: said.retryAfterMs,
    detail: said.detail,
    cost: costOf(said.timing, said.cache),
  };
}

const ownOutcomes: Readonly<Record<string, string>> = {
  ...{ superseded: "superseded", cancelled: "cancelled" },
  ...{ excluded: "refused", too_large: "refused", busy: "refused" },
};

/** An end that this side came to by itself. */
export function ownEnd(triggerId: string, reason: string, detail: string, retryAfterMs = 0): NoText {
  const outcome = ownOutcomes[reason] ?? "failed";
  return { type: "nothing", triggerId, reason, outcome, retryAfterMs, detail, cost: costOf(undefined, undefined) };
}
