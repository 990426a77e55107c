// slot-choice: which idle sequence serves a prompt. Pure: the tokens of a prompt and what each sequence holds in, a choice out.

export interface IdleSlot {
  /** Tokens whose KV the sequence holds. */
  readonly tokens: readonly number[];
  readonly salt: string;
  readonly affinity: string;
  /** When it was used last; 0: never. */
  readonly usedMs: number;
}

/**
 * Under this many common tokens a sequence counts as holding nothing of the prompt: every prompt begins with the same one or
 * two tokens, and taking another session's sequence for their sake would cost that session hundreds.
 */
const worthwhileTokens = 16;

/** Longest common prefix first, then the session's own sequence, then the one unused for longest. */
export function chooseSlot<S extends IdleSlot>(
  slots: readonly S[],
  prompt: { tokens: readonly number[]; salt: string; affinity: string },
): { slot: S; common: number } | undefined {
  let best: { slot: S; common: number; worth: number; own: boolean } | undefined;
  for (const slot of slots) {
    const common = slot.salt === prompt.salt ? commonPrefix(slot.tokens, prompt.tokens) : 0;
    const worth = common >= worthwhileTokens ? common : 0;
    const own = prompt.affinity !== "" && slot.affinity === prompt.affinity;
    const better =
      !best || worth > best.worth || (worth === best.worth && (own !== best.own ? own : slot.usedMs < best.slot.usedMs));
    if (better) best = { slot, common, worth, own };
  }
  return best && { slot: best.slot, common: best.common };
}

export function commonPrefix(held: readonly number[], wanted: readonly number[]): number {
  const max = Math.min(held.length, wanted.length);
  let same = 0;
  while (same < max && held[same] === wanted[same]) same += 1;
  return same;
}
