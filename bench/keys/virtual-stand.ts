// virtual-stand: the same router, workers and typists as stand.ts, in one process under a clock of its own: what the mechanisms
// do by themselves, apart from what a machine takes for them. The same seed gives the same figures, on any machine, however busy.
// What the router itself takes is nothing here, so its costs are not measured.
import { MemoryBus } from "../../lib/bus/memory.ts";

import type { Clock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { ClientMessageSchema, ServerMessageSchema } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { RouterFrameSchema, WorkerFrameSchema } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { readRouterConfig } from "../../router/config.ts";
import { routerMetricTable } from "../../router/metrics.ts";
import type { Router } from "../../router/router.ts";
import { runSession } from "../../router/session-service.ts";
import { wireRouter } from "../../router/wire.ts";
import { pipe } from "../../sim/pipe.ts";
import { RecordedMetrics } from "../../sim/recorded-metrics.ts";
import type { Source } from "../../sim/trace/generate.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import type { Agent } from "../../workers/agent.ts";
import type { Engine } from "../../workers/engine/engine.ts";
import { agentDefaults, createAgent } from "../../workers/main.ts";
import { Counted } from "./counted.ts";
import { type Connection, Person } from "./person.ts";
import { pretend } from "./pretend.ts";
import { type Added, Known, nothingAdded, probe } from "./probe.ts";
import { typedSources } from "./sources.ts";
import { type StandOptions, type Typing, typed, type Window } from "./stand.ts";
import { shut } from "./switches.ts";
import { Tally } from "./tally.ts";
import { less, noValue, valueFrom } from "./value.ts";

/** One way, as on loopback. */
const hop = { latencyMs: 0.1, jitterMs: 0.1 } as const;
const stepMs = 250;

export class VirtualStand implements Typing {
  readonly #options: StandOptions;
  readonly clock = new VirtualClock();
  readonly #random: ReturnType<typeof seeded>;
  readonly #bus = new MemoryBus();
  readonly #tally: Tally;
  readonly #agents = new Map<string, Agent>();
  readonly #counted: Counted[] = [];
  readonly #people: Person[] = [];
  readonly #known = new Known();
  readonly #metrics = new RecordedMetrics(routerMetricTable);
  #value = noValue;
  readonly #sources: readonly Source[];
  readonly #router: Router;
  #added: () => Added = nothingAdded;
  #sinceMs = 0;
  #met = 0;

  private constructor(options: StandOptions) {
    this.#options = options;
    this.#tally = new Tally(options.recorded);
    this.#sources = options.sources ?? typedSources(options.traces);
    this.#random = seeded(options.seed);
    const clock = this.clock;
    for (let i = 0; i < options.workers; i++) this.#worker(`w${i}`);
    this.#router = wireRouter(
      { ...readRouterConfig({}), workers: [...this.#agents.keys()], sessionsMax: 20_000 },
      {
        ...{ clock, random: this.#random, log: silentLog, bus: this.#bus },
        metrics: this.#metrics.metrics,
        connect: (address) => this.#link(address),
        measured: (rooms) => {
          shut(rooms, options.switches);
          this.#added = probe(rooms, () => clock.now());
        },
      },
    );
  }

  static async start(options: StandOptions): Promise<VirtualStand> {
    const stand = new VirtualStand(options);
    await stand.clock.advance(1_000);
    stand.#sinceMs = stand.clock.now();
    return stand;
  }

  crowd(people: number): void {
    while (this.#people.length > people) this.#people.pop()?.close();
    while (this.#people.length < people) {
      const nth = this.#met++;
      const name = `p${nth}`;
      this.#people.push(
        new Person(
          {
            name,
            seed: this.#options.seed * 10_007 + nth,
            sources: this.#sources,
            ...typed,
            ...(this.#options.traces && { traces: this.#options.traces }),
          },
          { clock: this.clock, tally: this.#tally, connection: this.connection() },
        ),
      );
    }
  }

  async pass(ms: number, signal: AbortSignal): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      signal.throwIfAborted();
      await this.clock.advance(Math.min(left, stepMs));
    }
  }

  async take(): Promise<Window> {
    const workers = this.#counted.map((counted) => counted.take());
    const added = this.#added();
    this.#known.add(added);
    const before = this.#value;
    const value = valueFrom((name, labels) => this.#metrics.count(name, labels));
    this.#value = value;
    const now = this.clock.now();
    const wallMs = now - this.#sinceMs;
    this.#sinceMs = now;
    const slotMs = workers.reduce((sum, worker) => sum + worker.slotMs, 0);
    return {
      ...{ wallMs, workers, client: this.#tally.take(), ...this.#known.all, clientDelayP99Ms: 0, value: less(value, before) },
      router: { ...added, loopDelayP99Ms: 0, heapMib: 0, totals: {}, spent: { cpuMs: 0, wallMs, rssMib: 0 } },
      loadShare: slotMs / (this.#options.slots * this.#options.workers * wallMs),
    };
  }

  get violations(): readonly string[] {
    return this.#people.flatMap((person) => person.violations);
  }

  async end(): Promise<void> {
    for (const person of this.#people) person.close();
    const closing = this.#router.close();
    for (const agent of this.#agents.values()) agent.close();
    await this.clock.advance(1_000);
    await closing;
    await this.#bus.close();
  }

  #worker(name: string): void {
    const { seed, switches } = this.#options;
    const texts = this.#sources.map(({ text }) => text);
    const clock = this.clock;
    const engine = pretend({ ...this.#options, texts, suffixFirst: switches.layout === "suffix_first" }, { clock });
    if (this.#options.sent) told(engine, this.#options.sent, clock);
    this.#counted.push(new Counted(name, engine, { clock, machineMs: () => clock.now() }));
    const agent = createAgent({ ...agentDefaults, worker: name, pool: "inline" }, { clock, random: seeded(seed), engine });
    this.#agents.set(name, agent);
  }

  #link(address: string) {
    const made = pipe<typeof RouterFrameSchema, typeof WorkerFrameSchema>(
      { up: RouterFrameSchema, down: WorkerFrameSchema, ...hop },
      { clock: this.clock, random: this.#random },
    );
    const agent = this.#agents.get(address) as Agent;
    void served(agent.serve(made.server), made.server);
    return made.client;
  }

  /** Of one more editor. */
  connection(): Connection {
    let close = () => {};
    return {
      connect: () => {
        const made = pipe<typeof ClientMessageSchema, typeof ServerMessageSchema>(
          { up: ClientMessageSchema, down: ServerMessageSchema, ...hop },
          { clock: this.clock, random: this.#random },
        );
        close = () => made.client.end();
        void served(
          runSession(
            this.#router,
            made.server,
            this.#router.ingress.tenant(() => undefined),
          ),
          made.server,
        );
        return made.client;
      },
      close: () => close(),
    };
  }
}

/** The same engine, and every generation told of. */
function told(engine: Engine, sent: NonNullable<StandOptions["sent"]>, clock: Pick<Clock, "now">): void {
  const generate = engine.generate.bind(engine);
  engine.generate = async function* (work, signal) {
    const ended = sent(work, clock.now());
    try {
      return yield* generate(work, signal);
    } finally {
      ended(clock.now());
    }
  };
}

async function served(work: Promise<void>, stream: { end(error?: never): void }): Promise<void> {
  await work.catch(() => {});
  stream.end();
}
