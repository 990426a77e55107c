// credits: how the slots are shared between routers: what each has under way and waiting in, how many it may have outstanding
// out. Pure.
//
// There are a few more to hand out than there are slots (one, as a rule), so that no slot idles for a round trip. Work in hand
// and demand come first, best lane first, in turn from router to router; what is left over goes to inline, where the next key
// falls. Each router keeps one inline credit however busy it is here, so that a first request needs no round trip; chat likewise.
import { type Lane, lanes } from "../generation.ts";

export type PerLane = Readonly<Record<Lane, number>>;

export interface Member {
  /** Submitted and not ended in the engine yet. */
  readonly active: PerLane;
  /** Waiting in the router. */
  readonly demand: PerLane;
}

/** Lanes that may not take the last slot from inline: what they hold is long, and chat is not taken back. */
const long: readonly Lane[] = ["chat", "batch"];
const floors: PerLane = { inline: 1, chat: 1, speculative: 0, batch: 0 };

export function shareCredits(slots: number, members: readonly Member[], ahead = 1): PerLane[] {
  const shares = members.map(() => ({ inline: 0, chat: 0, speculative: 0, batch: 0 }));
  let left = slots + ahead;
  let leftForLong = Math.max(1, slots - 1);
  for (const lane of lanes) {
    const isLong = long.includes(lane);
    const wants = members.map((member) => member.active[lane] + member.demand[lane]);
    // Speculative work is pre-emptible but never waits here: it gets slots, not the place in the queue.
    const most = isLong ? Math.min(left, leftForLong) : lane === "speculative" ? Math.min(left, slots) : left;
    let taken = 0;
    for (let round = 1; taken < most && wants.some((want) => want >= round); round++) {
      for (const [index, want] of wants.entries()) {
        if (want < round || taken === most) continue;
        (shares[index] as Record<Lane, number>)[lane] += 1;
        taken += 1;
      }
    }
    left -= taken;
    if (isLong) leftForLong -= taken;
  }
  const spare = members.length === 0 ? 0 : Math.floor(left / members.length);
  const odd = left - spare * members.length;
  return shares.map((share, index) => ({
    inline: Math.max(floors.inline, share.inline + spare + (index < odd ? 1 : 0)),
    chat: Math.max(floors.chat, share.chat),
    // One of each where room is left: a first request of these lanes needs no round trip either.
    speculative: Math.max(left > 0 ? 1 : floors.speculative, share.speculative),
    batch: Math.max(left > 0 && slots > 1 ? 1 : floors.batch, share.batch),
  }));
}
