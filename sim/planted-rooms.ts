// planted-rooms: deliberate mistakes in a router's rooms, which only tests switch on. The rooms of a simulated router in, the same
// with a mistake out.
import type { Rooms } from "../router/path.ts";
import { added } from "../router/usage.ts";
import type { PlantedBug } from "./faults.ts";

/** One booking of so many. */
const leakEvery = 20;

export function plant(bug: PlantedBug | undefined, rooms: Rooms): void {
  if (bug === "doubleHedge") bookHedgesTwice(rooms);
  if (bug === "leakedCredit") leakCredits(rooms);
}

/** The loser's tokens are booked as well, as if they were the winner's. */
function bookHedgesTwice({ dispatch }: Rooms): void {
  const generate = dispatch.generate.bind(dispatch);
  dispatch.generate = (work, prompt, booking, second, watcher) => {
    let hedged = false;
    const watched = second && {
      won: second.won,
      book: (lateMs: number) => {
        const booked = second.book(lateMs);
        hedged ||= booked !== undefined && "placement" in booked;
        return booked;
      },
    };
    const deltas = generate(work, prompt, booking, watched, watcher);
    return (async function* () {
      try {
        for (;;) {
          const step = await deltas.next();
          if (step.done) return { ...step.value, usage: hedged ? added(step.value.usage, step.value.usage) : step.value.usage };
          yield hedged ? { ...step.value, tokens: step.value.tokens * 2 } : step.value;
        }
      } finally {
        await deltas.return(undefined as never);
      }
    })();
  };
}

function leakCredits({ fleet }: Rooms): void {
  const book = fleet.book.bind(fleet);
  let booked = 0;
  fleet.book = (...given) => {
    const release = book(...given);
    booked += 1;
    return booked % leakEvery === 0 ? () => {} : release;
  };
}
