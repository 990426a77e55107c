// faults: a seed and rates in, misfortunes out: links and editors' connections that break or stall, editors that vanish or
// read nothing, engines, workers and routers that die, workers that drain, freeze or slow down, networks that part, a bus that
// goes away. They come as a Poisson process on the clock until `stop`. Below are deliberate mistakes of ours, which only tests
// switch on, to see that the simulation finds them.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Bus } from "../lib/bus/bus.ts";
import type { Clock } from "../lib/clock.ts";
import { below, type Random } from "../lib/random.ts";
import { OutcomeBatchSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import type { RouterFrame } from "../proto/gen/slipstream/v1/worker_pb.ts";
import type { Engine } from "../workers/engine/engine.ts";
import type { Watch } from "./pipe.ts";

/** How often each happens to the whole world, a minute. */
export interface FaultRates {
  readonly linkCut: number;
  readonly linkStall: number;
  readonly editorCut: number;
  readonly editorStall: number;
  readonly editorVanish: number;
  readonly busAway: number;
  /** An engine dies with all that runs on it, and is started again. */
  readonly engineCrash: number;
  /** A worker takes nothing new for a while, and ends what runs. */
  readonly workerDrain: number;
  /** An editor stops reading its stream, and reads on later. */
  readonly readerStop: number;
  /** A worker says and hears nothing for a while, though its connections stand: a frozen process. */
  readonly workerFreeze: number;
  /** A worker's steps take five times as long for a while. */
  readonly workerSlow: number;
  /** A worker's process dies with all it holds; another one starts in its place a while later. */
  readonly workerDeath: number;
  /** A router's process dies, and another one starts in its place. */
  readonly routerDeath: number;
  /** Nothing passes between one router and one worker for a while. */
  readonly partition: number;
}

export const noFaults: FaultRates = {
  ...{ linkCut: 0, linkStall: 0, editorCut: 0, editorStall: 0, editorVanish: 0, busAway: 0 },
  ...{ engineCrash: 0, workerDrain: 0, readerStop: 0 },
  ...{ workerFreeze: 0, workerSlow: 0, workerDeath: 0, routerDeath: 0, partition: 0 },
};

interface Breakable {
  readonly name: string;
  cut(): void;
  stall(ms: number): void;
}

interface Mortal {
  readonly name: string;
  /** Dies now; another one is there when `ms` have passed. */
  die(ms: number): void;
}

interface Worker extends Mortal {
  crash(): void;
  drain(ms: number): void;
  slow(times: number, ms: number): void;
  freeze(ms: number): void;
}

export interface FaultOptions {
  readonly rates: FaultRates;
  readonly stallMaxMs: number;
  readonly busAwayMs: number;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly links: () => readonly (Breakable & { part(ms: number): void })[];
  readonly editors: () => readonly (Breakable & { vanish(): void; stopReading(ms: number): void })[];
  readonly workers: () => readonly Worker[];
  readonly routers: () => readonly Mortal[];
  readonly bus: { connected: boolean };
  readonly log: (line: string) => void;
}

export class Faults {
  readonly #options: FaultOptions;
  readonly #deps: Deps;
  #timer: Disposable | undefined;
  count = 0;
  /** Has an engine died or a worker drained? */
  struckWorkers = false;

  constructor(options: FaultOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    this.#next();
  }

  /** No more faults; what is away comes back. */
  stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#deps.bus.connected = true;
  }

  #next(): void {
    const rates = Object.entries(this.#options.rates) as [keyof FaultRates, number][];
    const total = rates.reduce((sum, [, rate]) => sum + rate, 0);
    if (total === 0) return;
    const { clock, random } = this.#deps;
    this.#timer = clock.timer((-Math.log(1 - random.next()) * 60_000) / total, () => {
      const draw = random.next() * total;
      let sum = 0;
      for (const [fault, rate] of rates) {
        if (draw >= sum && draw < sum + rate) this.#happen(fault);
        sum += rate;
      }
      this.#next();
    });
  }

  #happen(fault: keyof FaultRates): void {
    const { clock, random, bus, log } = this.#deps;
    const ms = random.next() * this.#options.stallMaxMs;
    this.count += 1;
    if (fault === "busAway") {
      log("fault busAway");
      bus.connected = false;
      clock.timer(this.#options.busAwayMs, () => {
        bus.connected = true;
      });
      return;
    }
    if (fault === "linkCut" || fault === "linkStall" || fault === "partition") {
      const link = pick(random, this.#deps.links());
      log(`fault ${fault} ${link?.name ?? "none"}`);
      if (fault === "linkCut") link?.cut();
      else if (fault === "linkStall") link?.stall(ms);
      else link?.part(ms * long);
      return;
    }
    if (fault === "routerDeath") {
      const router = pick(random, this.#deps.routers());
      log(`fault ${fault} ${router?.name ?? "none"}`);
      router?.die(ms);
      return;
    }
    if (isOfWorkers(fault)) {
      this.struckWorkers = true;
      const worker = pick(random, this.#deps.workers());
      log(`fault ${fault} ${worker?.name ?? "none"}`);
      if (worker) strike[fault](worker, ms * long);
      return;
    }
    const editor = pick(random, this.#deps.editors());
    log(`fault ${fault} ${editor?.name ?? "none"}`);
    if (fault === "editorCut") editor?.cut();
    else if (fault === "editorStall") editor?.stall(ms);
    else if (fault === "readerStop") editor?.stopReading(ms * long);
    else editor?.vanish();
  }
}

/** What lasts, lasts so many times a stall. */
const long = 10;
const slowTimes = 5;

const strike = {
  engineCrash: (worker: Worker) => worker.crash(),
  workerDrain: (worker: Worker, ms: number) => worker.drain(ms),
  workerFreeze: (worker: Worker, ms: number) => worker.freeze(ms),
  workerSlow: (worker: Worker, ms: number) => worker.slow(slowTimes, ms),
  workerDeath: (worker: Worker, ms: number) => worker.die(ms),
} as const satisfies Partial<Record<keyof FaultRates, (worker: Worker, ms: number) => void>>;
const isOfWorkers = (fault: keyof FaultRates): fault is keyof typeof strike => fault in strike;

function pick<T>(random: Random, from: readonly T[]): T | undefined {
  return from[below(random, from.length)];
}

/**
 * Mistakes that only a test plants: Cancels lost on links, outcomes told twice, one tenant taken for another, tokens of a hedge
 * booked for both workers, a credit that is not given back, KV that is found whosever it is.
 */
export type PlantedBug = "lostCancel" | "doubleOutcome" | "mixedTenants" | "doubleHedge" | "leakedCredit" | "sharedKv";

/** A link that loses Cancel frames. */
export const losesCancels: Watch<RouterFrame> = { pass: ({ frame }) => frame.case !== "cancel" };

/** An engine whose generations are all under one salt. */
export function sharesKv(engine: Pick<Engine, "generate">): void {
  const generate = engine.generate.bind(engine);
  engine.generate = (work, signal) => generate({ ...work, cacheSalt: "" }, signal);
}

/** A bus on which the first outcome of each batch is told twice. */
export function doublesOutcomes(bus: Bus): Bus {
  return {
    ...{ subscribe: (pattern, options) => bus.subscribe(pattern, options), close: () => bus.close() },
    ...{ listen: (pattern, take) => bus.listen(pattern, take), publish: (subject, data) => bus.publish(subject, data) },
    shared: bus.shared,
    get connected() {
      return bus.connected;
    },
    append(subject, data, id) {
      const batch = fromBinary(OutcomeBatchSchema, data);
      batch.outcomes.push(...batch.outcomes.slice(0, 1));
      return bus.append(subject, toBinary(OutcomeBatchSchema, batch), id);
    },
  };
}
