// layout: the text around a cursor, a budget and what the document's last prompt was in; windows, cuts and the suffix to use
// out, chosen so that as much as can be is the same bytes as before. Pure.
import { detached } from "../../lib/structures/rope.ts";
import type { CursorText } from "../cursor-text.ts";
import type { Budget } from "./budget.ts";
import { type Cut, cutWindow, stepFor } from "./cuts.ts";
import { gainedMax, type Held, suffixDifference } from "./suffix.ts";
import { prefixWindow, suffixWindow, type Window } from "./window.ts";

/** Each can be off, to measure what it saves. */
export interface LayoutRules {
  /** "sliding": the window's start moves with every key. */
  readonly window: "anchored" | "sliding";
  /** "fresh": as the document has it, at every key. */
  readonly suffix: "frozen" | "fresh";
  /** Where the prefix comes first: what stands behind the middle token: from the last cut on, the current line, nothing. */
  readonly typed: "from_cut" | "line" | "none";
}

export const allRules: LayoutRules = { window: "anchored", suffix: "frozen", typed: "from_cut" };

/** What is remembered of a document's last prompt. */
export interface LastLayout extends Held {
  readonly eighths: number;
  readonly bytesPerToken: number;
  readonly bytesMax: number;
  /** Since when the suffix has been other than the document's; undefined: it is not. */
  readonly staleSinceMs: number | undefined;
  /** Where text begins that only a recomputation of everything after it could change, in bytes from the document's start. */
  readonly anchor: number;
  /** In bytes from the document's start. */
  readonly lastCut: number;
}

export interface Layout {
  readonly cut: Cut;
  readonly suffix: string;
  readonly last: LastLayout;
}

/** How long a suffix that differs far from the cursor may stand in. */
const staleMaxMs = 120_000;

export function windowOf(text: CursorText, budget: Budget, rules: LayoutRules): Window {
  return prefixWindow(text, budget.prefixBytes, rules.window === "anchored");
}

export function layOut(
  given: {
    readonly text: CursorText;
    readonly window: Window;
    readonly budget: Budget;
    readonly prefixFirst: boolean;
    readonly nowMs: number;
  },
  before: LastLayout | undefined,
  rules: LayoutRules,
): Layout {
  const { text, window, budget, prefixFirst, nowMs } = given;
  const cut = cutWindow(window, stepFor(budget.prefixBytes), before?.lastCut);
  const lastCut = window.start + window.bytes.length - Buffer.byteLength(cut.tail);
  // Past this place the suffix is computed anew anyway.
  const anchor = prefixFirst ? lastCut : window.start;
  const now = suffixWindow(text, budget.suffixBytes);
  const ahead = budget.suffixBytes === 0 ? "" : text.after(Math.max(budget.suffixBytes, before?.suffix.length ?? 0) + gainedMax);
  const { eighths, bytesPerToken, bytesMax } = budget;
  const held = before?.eighths === eighths && before.bytesPerToken === bytesPerToken;
  const same = held && before.bytesMax === bytesMax ? before : undefined;
  const difference = same && rules.suffix === "frozen" ? suffixDifference(same, ahead) : "too_much";
  const staleSinceMs = difference === "stale" ? (same?.staleSinceMs ?? nowMs) : undefined;
  const refreshed =
    !same ||
    difference === "too_much" ||
    (staleSinceMs !== undefined && (nowMs - staleSinceMs > staleMaxMs || anchor !== same.anchor));
  const suffix = refreshed ? detached(now) : same.suffix;
  const suffixIsCut = refreshed ? now.length < text.lengthAfter : same.suffixIsCut;
  return {
    cut: prefixFirst ? typedAfterMiddle(cut, rules) : cut,
    suffix,
    last: {
      eighths,
      bytesPerToken,
      bytesMax,
      suffix,
      suffixIsCut,
      staleSinceMs: refreshed ? undefined : staleSinceMs,
      anchor,
      lastCut,
    },
  };
}

function typedAfterMiddle({ head, tail }: Cut, { typed }: LayoutRules): Cut {
  if (typed === "from_cut") return { head, tail };
  const line = typed === "line" ? tail.lastIndexOf("\n") + 1 : tail.length;
  return { head: line === 0 ? head : [...head, tail.slice(0, line)], tail: tail.slice(line) };
}
