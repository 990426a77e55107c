// stand: a router, its workers and a crowd of typists, each process on its own: what one measurement runs on. Windows are taken
// from all of them at once. Ends every process it started, by its id.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { systemClock } from "../../lib/clock.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { CompletionService } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Source } from "../../sim/trace/generate.ts";
import type { Trace } from "../../sim/trace/trace.ts";
import type { ProfileEnd, ProfileName } from "../../workers/engine/simulated/profiles.ts";
import type { Generation } from "../../workers/generation.ts";
import type { TriggerRecord } from "../records/records.ts";
import type { Spent } from "./child.ts";
import type { WorkerFigures } from "./counted.ts";
import { type Connection, Person } from "./person.ts";
import { type Fate, Known } from "./probe.ts";
import { BenchProcess } from "./process.ts";
import type { RouterFigures, RouterOrders } from "./router-process.ts";
import { typedSources } from "./sources.ts";
import type { Switches } from "./switches.ts";
import { type Tallied, Tally } from "./tally.ts";
import { less, noValue, type ValueSums, valueFromTotals } from "./value.ts";
import type { WorkerOrders } from "./worker-process.ts";

export interface StandOptions {
  readonly profile: ProfileName;
  readonly profileEnd: ProfileEnd;
  readonly workers: number;
  readonly slots: number;
  readonly seed: number;
  readonly agreement: number;
  readonly switches: Switches;
  readonly chunkMs?: number;
  /** What is typed, and the model knows a share of; absent: this package's own sources. */
  readonly sources?: readonly Source[];
  /** The model that is shipped instead of pretend GPUs. */
  readonly embedded?: boolean;
  /** Where to write a profile of the router's CPU. */
  readonly profileCpu?: string;
  /** What is typed instead of this package's sources. */
  readonly traces?: readonly Trace[];
  /** Told of every trigger that is answered. */
  readonly recorded?: (record: TriggerRecord) => void;
  /** Told of every generation that a worker begins, and by what it returns of its end; under a clock of its own alone. */
  readonly sent?: (work: Generation, atMs: number) => (atMs: number) => void;
}

/** What happened between two takes. */
export interface Window {
  readonly wallMs: number;
  readonly client: Tallied;
  readonly router: RouterFigures & { readonly spent: Spent };
  readonly workers: readonly WorkerFigures[];
  /** Slots in use of all. */
  readonly loadShare: number;
  /** How late this process came to its own work. */
  readonly clientDelayP99Ms: number;
  /** By the router's own metrics. */
  readonly value: ValueSums;
  /** Ids of all generations so far whose text reached a live trigger. */
  readonly reached: ReadonlySet<string>;
  /** Of generations that are over, the latest. */
  readonly fates: ReadonlyMap<string, Fate>;
}

export const typed = { maxTokens: 32, keysPerTrace: 600 } as const;

/** What a measurement runs on: processes (here), or a world under a clock of its own (virtual-stand.ts). */
export interface Typing {
  /** So many type from now on. */
  crowd(people: number): void;
  /** Time goes by. */
  pass(ms: number, signal: AbortSignal): Promise<void>;
  /** What happened since the last take. */
  take(): Promise<Window>;
  /** What clients saw that a router must never do. */
  readonly violations: readonly string[];
  end(): Promise<void>;
}

export class Stand implements Typing {
  readonly #options: StandOptions;
  readonly #processes: BenchProcess[] = [];
  readonly #workers: BenchProcess[] = [];
  readonly #people: Person[] = [];
  readonly #tally: Tally;
  readonly #known = new Known();
  readonly #delay = monitorEventLoopDelay({ resolution: 5 });
  readonly sources: readonly Source[];
  #router: BenchProcess | undefined;
  #folder: string | undefined;
  /** Of the router. */
  address = "";
  #sinceMs = systemClock.now();
  #value = noValue;
  #met = 0;

  private constructor(options: StandOptions) {
    this.#options = options;
    this.#delay.enable();
    this.#tally = new Tally(options.recorded);
    this.sources = typedSources(options.traces);
  }

  static async start(options: StandOptions, signal?: AbortSignal): Promise<Stand> {
    const stand = new Stand(options);
    try {
      await stand.#start(signal);
      return stand;
    } catch (thrown) {
      await stand.end();
      throw thrown;
    }
  }

  get people(): number {
    return this.#people.length;
  }

  /** Processes that have not ended. */
  get running(): number {
    return this.#processes.filter((each) => each.running).length;
  }

  crowd(people: number): void {
    while (this.#people.length > people) this.#people.pop()?.close();
    while (this.#people.length < people) {
      const nth = this.#met++;
      const { seed, traces } = this.#options;
      this.#people.push(
        new Person(
          { name: `p${nth}`, seed: seed * 10_007 + nth, sources: this.sources, ...typed, ...(traces && { traces }) },
          { clock: systemClock, tally: this.#tally, connection: overGrpc(this.address) },
        ),
      );
    }
  }

  pass(ms: number, signal: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }

  async take(): Promise<Window> {
    const router = this.#router as BenchProcess;
    const [taken, ...workers] = await Promise.all([
      router.take<RouterFigures>(),
      ...this.#workers.map((worker) => worker.take<WorkerFigures>()),
    ]);
    const client = this.#tally.take();
    const now = systemClock.now();
    const wallMs = now - this.#sinceMs;
    this.#sinceMs = now;
    const { figures, spent } = taken as { figures: RouterFigures; spent: Spent };
    const clientDelayP99Ms = this.#delay.percentile(99) / 1e6;
    this.#delay.reset();
    this.#known.add(figures);
    const before = this.#value;
    const value = valueFromTotals(figures.totals);
    this.#value = value;
    const slotMs = workers.reduce((sum, worker) => sum + (worker as { figures: WorkerFigures }).figures.slotMs, 0);
    return {
      wallMs,
      client,
      router: { ...figures, spent },
      workers: workers.map((worker) => (worker as { figures: WorkerFigures }).figures),
      loadShare: slotMs / (this.#options.slots * this.#options.workers * wallMs),
      clientDelayP99Ms,
      value: less(value, before),
      ...this.#known.all,
    };
  }

  get violations(): readonly string[] {
    return this.#people.flatMap((person) => person.violations);
  }

  async end(): Promise<void> {
    this.#delay.disable();
    for (const person of this.#people) person.close();
    await Promise.all(this.#processes.map((each) => each.end()));
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What will be typed, where workers can read it. */
  #written(): string[] {
    const folder = mkdtempSync(join(tmpdir(), "slipstream-keys-"));
    this.#folder = folder;
    return this.sources.map(({ text }, nth) => {
      const path = join(folder, String(nth));
      writeFileSync(path, text);
      return path;
    });
  }

  async #start(signal: AbortSignal | undefined): Promise<void> {
    const { workers, profile, profileEnd, slots, seed, agreement, switches, chunkMs, profileCpu, embedded = false } = this.#options;
    const paths = this.#options.traces ? this.#written() : this.sources.map((source) => source.path);
    const addresses = await Promise.all(
      Array.from({ length: workers }, async (_, i) => {
        const orders: WorkerOrders = {
          ...{ name: `w${i}`, profile, profileEnd, slots, seed, agreement },
          ...{ sources: paths, suffixFirst: switches.layout === "suffix_first", embedded },
          ...(chunkMs === undefined ? {} : { chunkMs }),
        };
        const { process, address } = await BenchProcess.start("worker", orders);
        this.#processes.push(process);
        this.#workers.push(process);
        return address;
      }),
    );
    signal?.throwIfAborted();
    const orders: RouterOrders = { workers: addresses, switches, sessionsMax: 20_000 };
    const flags = profileCpu === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileCpu}`];
    const { process, address } = await BenchProcess.start("router", orders, flags);
    this.#processes.push(process);
    this.#router = process;
    this.address = address;
    signal?.throwIfAborted();
  }
}

function overGrpc(address: string): Connection {
  const grpc = new GrpcClient({ address });
  return { connect: () => grpc.duplex(CompletionService.method.session), close: () => grpc.close() };
}
