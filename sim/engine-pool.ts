// engine-pool: pretend GPUs behind one queue, under a fake clock: triggers arrive at given rates on so many workers, each waits for a
// free slot (late binding), goes to the worker with the least to do, and is given up when it waited too long. Rates and workers of
// each second in; what became of that second's triggers out. The event simulator that simpler models are held against.
import { FakeClock } from "../lib/clock.fake.ts";
import { fork, type Random, seeded } from "../lib/random.ts";
import type { ProfileEnd, ProfileName } from "../workers/engine/simulated/profiles.ts";
import { SimulatedEngine } from "../workers/engine/simulated/simulated.ts";
import type { Generation } from "../workers/generation.ts";

export interface EnginePoolOptions {
  readonly seed: number;
  readonly profile: ProfileName;
  readonly profileEnd: ProfileEnd;
  readonly slots: number;
  readonly maxTokens: number;
  /** Bytes of a prompt whose KV is not there: what a key costs. */
  readonly freshBytes: number;
  readonly giveUpMs: number;
}

/** What became of the triggers that came in one second. */
export interface PoolSecond {
  readonly arrivals: number;
  /** First whole lines, in ms from the arrival; who was given up has none. */
  readonly firstLineMs: readonly number[];
  /** Slots in use, in the mean over the second. */
  readonly running: number;
}

/** A worker that was kept about equally busy: generations at once in the mean, what each held its slot, and first whole lines. */
export interface KeptBusy {
  readonly running: number;
  readonly heldMs: number;
  readonly firstLineMs: readonly number[];
}

/** Between an answer and the next question of who keeps a worker busy, in the mean. */
const thinkMs = 25;

interface Waiting {
  readonly atMs: number;
  readonly second: number;
}

interface Worker {
  readonly engine: SimulatedEngine;
  running: number;
}

export class EnginePool {
  readonly #options: EnginePoolOptions;
  readonly #clock = new FakeClock({ startMs: 0 });
  readonly #random: Random;
  readonly #workers: Worker[] = [];
  readonly #queue: Waiting[] = [];
  readonly #firstLines: number[][] = [];
  #serving = 0;
  #nth = 0;
  /** Slot milliseconds so far, and up to when they are counted. */
  #slotMs = 0;
  #countedMs = 0;
  #running = 0;
  #ended: () => void = () => {};

  constructor(options: EnginePoolOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
  }

  /** Lets seconds pass: `rates` triggers a second (by chance), `workers` that serve. */
  async pass(rates: readonly number[], workers: readonly number[], signal: AbortSignal): Promise<PoolSecond[]> {
    const from = this.#firstLines.length;
    const [counts, running]: [number[], number[]] = [[], []];
    for (const [i, rate] of rates.entries()) {
      signal.throwIfAborted();
      this.#scale(workers[i] as number);
      this.#firstLines.push([]);
      const before = this.#counted();
      counts.push(await this.#second(rate));
      running.push((this.#counted() - before) / 1_000);
    }
    // Its last triggers are not cut off: what they meet is as if the load stopped.
    await this.#clock.advance(this.#options.giveUpMs + 1_000);
    return counts.map((arrivals, i) => ({
      ...{ arrivals, running: running[i] as number, firstLineMs: this.#firstLines[from + i] as number[] },
    }));
  }

  /** One worker and `clients` who each ask again a little after their answer ended, until `samples` did. */
  async kept(clients: number, samples: number, signal: AbortSignal): Promise<KeptBusy> {
    this.#scale(1);
    this.#firstLines.push([]);
    const firstLineMs = this.#firstLines[0] as number[];
    let ended = 0;
    // Who asks again at once stays in step with the others, as no crowd does.
    const ask = () => {
      this.#queue.push({ atMs: this.#clock.now(), second: 0 });
      this.#next();
    };
    const later = () => this.#clock.timer(-thinkMs * Math.log(1 - this.#random.next()), ask);
    this.#ended = () => {
      ended += 1;
      later();
    };
    for (let i = 0; i < clients; i++) later();
    await this.#clock.advance(2_000);
    [ended, firstLineMs.length] = [0, 0];
    const [startMs, before] = [this.#clock.now(), this.#counted()];
    while (ended < samples) {
      signal.throwIfAborted();
      await this.#clock.advance(50);
    }
    const slotMs = this.#counted() - before;
    return { running: slotMs / (this.#clock.now() - startMs), heldMs: slotMs / ended, firstLineMs };
  }

  async #second(rate: number): Promise<number> {
    const endMs = this.#clock.now() + 1_000;
    const second = this.#firstLines.length - 1;
    let count = 0;
    for (;;) {
      const gapMs = (-1_000 * Math.log(1 - this.#random.next())) / Math.max(rate, 1e-9);
      if (this.#clock.now() + gapMs >= endMs) break;
      await this.#clock.advance(gapMs);
      count += 1;
      this.#queue.push({ atMs: this.#clock.now(), second });
      this.#next();
    }
    await this.#clock.advance(endMs - this.#clock.now());
    return count;
  }

  #scale(workers: number): void {
    const { profile, profileEnd, slots, seed } = this.#options;
    while (this.#workers.length < workers) {
      const engine = new SimulatedEngine({ profile, profileEnd, slots, seed }, { clock: this.#clock, random: fork(this.#random) });
      this.#workers.push({ engine, running: 0 });
    }
    this.#serving = workers;
    this.#next();
  }

  #next(): void {
    while (this.#queue.length > 0) {
      const first = this.#queue[0] as Waiting;
      if (this.#clock.now() - first.atMs > this.#options.giveUpMs) {
        this.#queue.shift();
        continue;
      }
      const worker = this.#idlest();
      if (!worker) return;
      this.#queue.shift();
      void this.#serve(worker, first);
    }
  }

  #idlest(): Worker | undefined {
    let best: Worker | undefined;
    const start = this.#serving === 0 ? 0 : this.#nth % this.#serving;
    for (let i = 0; i < this.#serving; i++) {
      const worker = this.#workers[(start + i) % this.#serving] as Worker;
      if (worker.running < this.#options.slots && (!best || worker.running < best.running)) best = worker;
    }
    return best;
  }

  async #serve(worker: Worker, { atMs, second }: Waiting): Promise<void> {
    this.#count(1);
    worker.running += 1;
    let whole = false;
    try {
      for await (const { text } of worker.engine.generate(this.#work(), new AbortController().signal)) {
        if (whole || !text.includes("\n")) continue;
        whole = true;
        this.#firstLines[second]?.push(this.#clock.now() - atMs);
      }
    } finally {
      worker.running -= 1;
      this.#count(-1);
    }
    if (!whole) this.#firstLines[second]?.push(this.#clock.now() - atMs);
    this.#ended();
    this.#next();
  }

  #work(): Generation {
    this.#nth += 1;
    const prompt = `${this.#nth} ${"x = 1;".repeat(Math.ceil(this.#options.freshBytes / 6))}`.slice(0, this.#options.freshBytes);
    return {
      ...{ id: BigInt(this.#nth), link: "sim", affinity: "", lane: "inline", model: "", segments: [{ text: prompt }] },
      sampling: {
        ...{ maxTokens: this.#options.maxTokens, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [] },
        speculation: "auto",
      },
      ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: this.#clock.now(), cacheSalt: "" },
      ...{ blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
    };
  }

  #counted(): number {
    this.#count(0);
    return this.#slotMs;
  }

  #count(change: number): void {
    const now = this.#clock.now();
    this.#slotMs += this.#running * (now - this.#countedMs);
    this.#countedMs = now;
    this.#running += change;
  }
}
