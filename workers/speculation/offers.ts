// offers: what the next block could be drafted from in, what a lookup and the draft model promise for it out: tokens, and the
// ms they take, by costs and odds as they are known now. Pure; the controller (speculation.ts) chooses among them.
import type { Kind } from "./arm.ts";
import type { Costs } from "./costs.ts";
import type { Situation, Source } from "./plan.ts";

export interface Offer {
  readonly source: Exclude<Source, "none">;
  readonly length: number;
  /** Tokens expected, and ms they take. */
  readonly tokens: number;
  readonly ms: number;
  /** With all that is read for it, though later blocks gain by that too. */
  readonly mostMs: number;
}

export interface Known {
  readonly costs: Costs;
  readonly kind: Kind;
  readonly lengthMax: number;
  /** Of drafts after a plain step: the plain step that follows them some time takes longer. */
  readonly entryMs: number;
  /** Tokens of a usual completion. */
  readonly horizonTokens: number;
  /** Tokens a ms that would be had without. */
  readonly rate: number;
}

/** Tokens more than its time would have brought at the present rate. */
export function worth({ tokens, ms }: { readonly tokens: number; readonly ms: number }, rate: number): number {
  return tokens - rate * ms;
}

/** In plain steps: lost when every draft is refused. */
export function risk({ mostMs }: Offer, stepMs: number): number {
  return stepMs > 0 ? mostMs / stepMs - 1 : 0;
}

export function lookupOffer(situation: Situation, known: Known): Offer | undefined {
  const { mode, load, lookup } = situation;
  const { costs, kind, entryMs, rate } = known;
  const stepMs = costs.verifyMs(1, load);
  let best: Offer | undefined;
  let [tokens, survival] = [1, 1];
  for (let k = 1; k <= Math.min(lookup.length, situation.lengthMax, known.lengthMax); k++) {
    survival *= kind.odds.of("lookup", lookup.match + k - 1);
    tokens += survival;
    const ms = costs.verifyMs(k + 1, load) + entryMs;
    const offer: Offer = { source: "lookup", length: k, tokens, ms, mostMs: ms };
    // A shorter one may still be afforded.
    if (best && mode === "auto" && !kind.lookup.purse.affords(risk(offer, stepMs))) break;
    if (!best || worth(offer, rate) > worth(best, rate)) best = offer;
  }
  return best;
}

export function modelOffer(situation: Situation, known: Known): Offer | undefined {
  const { behindTokens, load, horizonTokens } = situation;
  if (behindTokens === undefined) return undefined;
  const { costs, kind, entryMs, rate } = known;
  const length = Math.min(situation.lengthMax, known.lengthMax);
  const readMs = costs.catchUpMs(behindTokens);
  let best: Offer | undefined;
  let [tokens, survival] = [1, 1];
  for (let k = 1; k <= length; k++) {
    survival *= kind.odds.next(k - 1);
    tokens += survival;
    const ms = costs.verifyMs(k + 1, load) + k * costs.draftMs + entryMs;
    // Reading what it missed serves all blocks that are left: this one bears its share.
    const share = tokens / Math.max(tokens, Math.min(horizonTokens, known.horizonTokens));
    const offer: Offer = { source: "model", length, tokens, ms: ms + readMs * share, mostMs: ms + readMs };
    // How sure the draft model is of each says where to stop: at least as well as after so many.
    if (!best || worth(offer, rate) > worth(best, rate)) best = offer;
  }
  return best;
}

/** Whether it could pay if every draft were right, by costs that were measured: what cannot need not be tried. */
export function couldPay({ source }: Offer, situation: Situation, { costs, lengthMax, rate }: Known): boolean {
  if (!costs.known(source)) return true;
  for (let k = 1; k <= Math.min(situation.lengthMax, lengthMax); k++) {
    const ms = costs.verifyMs(k + 1, situation.load) + (source === "model" ? k * costs.draftMs : 0);
    if (worth({ tokens: k + 1, ms }, rate) > 0) return true;
  }
  return false;
}
