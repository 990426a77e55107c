// probe: the rooms of a router in; out come which generations had text that reached a live trigger, and what the router itself
// took of each: from receipt to Submit without what settle and queue waited, and from the delta that brought the first text
// to the write of it; and where each generation was placed and what ended it. Holds one window's times, and an entry a document.
import { type Booking, type Flight, type Placement, Retired, type Trigger, type Work } from "../../router/completion.ts";
import type { Second } from "../../router/dispatch/dispatch.ts";
import type { Rooms } from "../../router/path.ts";
import type { Stop } from "./counted.ts";

export const ends = ["superseded", "cut", "whole", "expired", "cancelled", "failed", "outrun"] as const;
/** What ended a generation: `cut`: its readers had enough; `whole`: it had nothing more to say; `outrun`: another of the same wish was read. */
export type End = (typeof ends)[number];

/** A generation that is over, as the router knows it. */
export interface Fate {
  /** As "worker id": the ids of its link, which count from 1. */
  readonly id: string;
  readonly placed: Placement["why"];
  readonly document: string;
  readonly end: End;
}

export interface Added {
  readonly beforeMs: number[];
  readonly afterMs: number[];
  /** Ids of generations. */
  readonly reached: string[];
  readonly fates: Fate[];
  /** When generations that were submitted were cancelled, by the machine's time. */
  readonly cancels: Stop[];
}

export const nothingAdded = (): Added => ({ beforeMs: [], afterMs: [], reached: [], fates: [], cancels: [] });

/** What is known of all generations so far: the bench's whole run, a line each. */
export class Known {
  readonly #reached = new Set<string>();
  readonly #fates = new Map<string, Fate>();

  add({ reached, fates }: Pick<Added, "reached" | "fates">): void {
    for (const id of reached) this.#reached.add(id);
    for (const fate of fates) this.#fates.set(fate.id, fate);
  }

  get all(): { readonly reached: ReadonlySet<string>; readonly fates: ReadonlyMap<string, Fate> } {
    return { reached: this.#reached, fates: this.#fates };
  }
}

/** A generation, from its flight's beginning. */
interface Watched {
  /** Once it is dispatched. */
  id: string;
  reached: boolean;
  deltaMs: number;
}

/** Returns what was measured since it was last asked. */
export function probe(rooms: Rooms, machineMs: () => number): () => Added {
  const { clock } = rooms;
  let added = nothingAdded();
  const take = (): Added => {
    const taken = added;
    added = nothingAdded();
    return taken;
  };
  const before = beforeSubmit(rooms, (ms) => added.beforeMs.push(ms));
  const flying = new Map<object, Watched>();
  const reading = new WeakMap<object, Watched>();

  const launch = rooms.cache.launch.bind(rooms.cache);
  rooms.cache.launch = (prompt, work, run) => {
    const watched: Watched = { id: "", reached: false, deltaMs: 0 };
    const flight = launch(prompt, work, (given, say) => {
      flying.set(given, watched);
      return run(given, say);
    });
    const read = flight.read.bind(flight);
    (flight as { read: Flight["read"] }).read = (signal) => tagged(read(signal), watched);
    return flight;
  };
  const drop = rooms.reuse.drop.bind(rooms.reuse);
  rooms.reuse.drop = (typed, deltas) => tagged(drop(typed, deltas), reading.get(deltas));

  /** Ids on links count from 1, in the order of Submits. */
  const submits = new Map<string, number>();
  const generate = rooms.dispatch.generate.bind(rooms.dispatch);
  rooms.dispatch.generate = (work, prompt, booking, second, watcher) => {
    const { worker } = booking.placement;
    const watched = flying.get(work);
    flying.delete(work);
    if (work.signal.aborted) return generate(work, prompt, booking, second, watcher);
    const submitted = ({ placement }: Booking) => {
      const nth = (submits.get(placement.worker) ?? 0) + 1;
      submits.set(placement.worker, nth);
      return { id: `${placement.worker} ${nth}`, worker: placement.worker, placed: placement.why };
    };
    const sent = [submitted(booking)];
    let holder = worker;
    const deltas = generate(work, prompt, booking, second && hedged(second), watcher);
    before.submitted(work);
    if (watched) watched.id = sent[0]?.id ?? "";
    const came = () => {
      if (watched) watched.deltaMs = clock.now();
    };
    const cancelled = () => {
      const atMs = machineMs();
      for (const { id, worker } of sent) if (worker === holder) added.cancels.push({ id, atMs });
    };
    work.signal.addEventListener("abort", cancelled, { once: true });
    const over = (failed: boolean) => {
      work.signal.removeEventListener("abort", cancelled);
      for (const { id, worker, placed } of sent)
        added.fates.push({ id, placed, document: work.document, end: worker === holder ? endOf(work, failed) : "outrun" });
    };
    return told(deltas, { came, over });

    /** The second worker's is a generation of its own: of the two, the one that answered first is read. */
    function hedged(second: Second): Second {
      return {
        book: (lateMs) => {
          const booked = second.book(lateMs);
          if (booked && "placement" in booked && booked.placement.worker !== worker) sent.push(submitted(booked));
          return booked;
        },
        won: (name) => {
          holder = name;
          const winner = sent.find((each) => each.worker === name);
          if (watched && winner) watched.id = winner.id;
          second.won(name);
        },
      };
    }
  };

  const asked = new Map<string, Watched>();
  const shape = rooms.stream.shape.bind(rooms.stream);
  rooms.stream.shape = (trigger, ...rest) => {
    const watched = reading.get(rest.at(-1) as object);
    const shaped = shape(trigger, ...rest);
    if (!watched) return shaped;
    if (trigger.lane === "speculative") asked.set(trigger.document, watched);
    let first = true;
    return told(shaped, {
      came: () => {
        if (trigger.lane !== "speculative" && before.newest(trigger)) reached(watched);
      },
      wanted: () => {
        if (first && trigger.lane === "inline") added.afterMs.push(clock.now() - watched.deltaMs);
        first = false;
      },
    });
  };
  // What was asked ahead of the person reaches them when it is the answer to a later key.
  const ahead = new Map<string, { readonly text: string; readonly watched: Watched }>();
  const remember = rooms.reuse.remember.bind(rooms.reuse);
  rooms.reuse.remember = (trigger, text) => {
    const watched = trigger.lane === "speculative" ? asked.get(trigger.document) : undefined;
    if (watched) ahead.set(trigger.document, { text, watched });
    remember(trigger, text);
  };
  const typedAhead = rooms.reuse.typedAhead.bind(rooms.reuse);
  rooms.reuse.typedAhead = (trigger) => {
    const known = typedAhead(trigger);
    const guess = ahead.get(trigger.document);
    if (known && guess?.text.endsWith(known.text) && trigger.lane === "inline") reached(guess.watched);
    return known;
  };
  return take;

  function reached(watched: Watched): void {
    if (watched.reached) return;
    watched.reached = true;
    added.reached.push(watched.id);
  }

  function tagged<T extends object>(deltas: T, watched: Watched | undefined): T {
    if (watched) reading.set(deltas, watched);
    return deltas;
  }
}

interface Listening {
  /** Before each value. */
  readonly came: () => void;
  /** When the reader is done with it. */
  readonly wanted?: () => void;
  /** When nothing more comes; `failed`: it was thrown out of. */
  readonly over?: (failed: boolean) => void;
}

/** The same values, listened to. */
async function* told<T, R>(values: AsyncGenerator<T, R>, { came, wanted, over }: Listening): AsyncGenerator<T, R> {
  let failed = false;
  try {
    for (;;) {
      const step = await values.next();
      if (step.done) return step.value;
      came();
      yield step.value;
      wanted?.();
    }
  } catch (thrown) {
    failed = true;
    throw thrown;
  } finally {
    over?.(failed);
    await values.return(undefined as never);
  }
}

function endOf({ signal }: Work, failed: boolean): End {
  if (signal.aborted) return signal.reason instanceof Retired ? signal.reason.outcome : "cut";
  return failed ? "failed" : "whole";
}

type Placed = Pick<Trigger, "lane" | "document">;

/** Who is newest of each document, and the router's own time of it until Submit. */
function beforeSubmit({ settle, queue, clock }: Rooms, submitted: (ms: number) => void) {
  const newest = new Map<string, string>();
  /** Time taken so far, and since when it is taken again. */
  const taking = new Map<string, { readonly ms: number; readonly sinceMs: number }>();
  const paused = async <T>({ lane, document }: Placed, ms: number, wait: Promise<T>): Promise<T> => {
    const value = await wait;
    if (lane === "inline") taking.set(document, { ms, sinceMs: clock.now() });
    return value;
  };
  const soFar = ({ lane, document }: Placed) => {
    const known = lane === "inline" ? taking.get(document) : undefined;
    if (known) taking.delete(document);
    return known && known.ms + clock.now() - known.sinceMs;
  };
  const take = settle.take.bind(settle);
  settle.take = (trigger) => {
    const { lane, document } = trigger;
    if (lane === "inline") newest.set(document, trigger.id);
    const turn = take(trigger);
    return {
      settled: () => paused(trigger, clock.now() - trigger.receivedMs, turn.settled()),
      [Symbol.dispose]: () => {
        if (lane === "inline") taking.delete(document);
        turn[Symbol.dispose]();
      },
    };
  };
  const next = queue.next.bind(queue);
  queue.next = (work, ...rest) => {
    const ms = soFar(work);
    return ms === undefined ? next(work, ...rest) : paused(work, ms, next(work, ...rest));
  };
  return {
    newest: ({ document, id }: Trigger) => newest.get(document) === id,
    submitted: (work: Placed) => {
      const ms = soFar(work);
      if (ms !== undefined) submitted(ms);
    },
  };
}
