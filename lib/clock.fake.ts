// clock.fake: time that moves only by `advance`. Timers fire in order of their time, then of their making, and
// after each one every promise that became ready runs before the next: the same calls give the same order, always.
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, sleepOn } from "./clock.ts";

interface Entry {
  readonly at: number;
  readonly order: number;
  /** Absent once it has fired or was taken back. */
  fire: (() => void) | undefined;
}

export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  readonly #wallOffset: number;
  /** Binary heap by (at, order): the simulation holds thousands of timers. */
  #heap: Entry[] = [];
  /** Of those in the heap. */
  #cancelled = 0;

  constructor(options: { startMs?: number; wallStartMs?: number } = {}) {
    this.#now = options.startMs ?? 1_000;
    this.#wallOffset = (options.wallStartMs ?? 1_700_000_000_000) - this.#now;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now + this.#wallOffset;
  }

  timer(ms: number, fire: () => void): Disposable {
    const entry: Entry = { at: this.#now + Math.max(0, ms), order: this.#order++, fire };
    this.#push(entry);
    return { [Symbol.dispose]: () => this.#cancel(entry) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** Time of the next timer, if there is one. */
  next(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.at;
  }

  /** Moves time on by `ms`, firing what falls due and letting promises run in between. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    for (;;) {
      this.#dropCancelled();
      const entry = this.#heap[0];
      if (!entry || entry.at > until) break;
      this.#pop();
      this.#now = Math.max(this.#now, entry.at);
      const fire = entry.fire;
      entry.fire = undefined;
      fire?.();
      await settle();
    }
    this.#now = until;
  }

  /** Timers now waiting. */
  get waiting(): number {
    return this.#heap.length - this.#cancelled;
  }

  #cancel(entry: Entry): void {
    if (!entry.fire) return;
    entry.fire = undefined;
    this.#cancelled += 1;
    // Deadlines are set far ahead and nearly always taken back: without this the heap would hold hours of them.
    if (this.#cancelled < 1_024 || this.#cancelled * 2 < this.#heap.length) return;
    this.#cancelled = 0;
    // A sorted list is a heap.
    this.#heap = this.#heap.filter((kept) => kept.fire).sort((a, b) => (before(a, b) ? -1 : 1));
  }

  #dropCancelled(): void {
    for (let top = this.#heap[0]; top && !top.fire; top = this.#heap[0]) {
      this.#pop();
      this.#cancelled -= 1;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let child = heap.push(entry) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!before(entry, heap[parent] as Entry)) break;
      heap[child] = heap[parent] as Entry;
      child = parent;
    }
    heap[child] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let parent = 0;
    for (;;) {
      let child = parent * 2 + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && before(right, heap[child] as Entry)) child += 1;
      if (!before(heap[child] as Entry, last)) break;
      heap[parent] = heap[child] as Entry;
      parent = child;
    }
    heap[parent] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Lets every ready promise run: one turn of the event loop drains the whole microtask queue. */
export async function settle(): Promise<void> {
  await nextTurn();
}
