// roaming: a seed in, one run of several routers out whose callers send each key to another router, as behind a load balancer that
// knows no sessions; the bus is slow, parts and goes away, routers start anew and their clocks differ. What must always hold is
// checked at the end: every call has one end and one outcome on the stream, nothing fails, the newest of a document is never
// retired, and while the bus was whole an older one did not outlive the news. Bounded by people and keys.
import { create, fromBinary } from "@bufbuild/protobuf";
import { FakeClock } from "../lib/clock.fake.ts";
import { silentLog } from "../lib/log.ts";
import { below, fork, type Random, seeded } from "../lib/random.ts";
import { CompleteRequestSchema, Shape, TriggerKind } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { OutcomeBatchSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import { readRouterConfig } from "../router/config.ts";
import { MemorySpool } from "../router/feedback/spool.ts";
import { routerMetricTable } from "../router/metrics.ts";
import type { Router } from "../router/router.ts";
import { wireRouter } from "../router/wire.ts";
import { Network } from "./network.ts";
import { type Member, PartedBus, type PartedBusOptions, skewed } from "./parted-bus.ts";
import { RecordedMetrics } from "./recorded-metrics.ts";
import { WorkerNode } from "./worker-node.ts";

export interface RoamingOptions {
  readonly seed: number;
  readonly routers: number;
  readonly people: number;
  readonly keys: number;
  /** Time between two keys of a person, at most. */
  readonly keyMsMax: number;
  /** Clients that number their triggers. */
  readonly counted: boolean;
  /** A router's clock differs by up to so much. */
  readonly skewMs: number;
  readonly bus: PartedBusOptions;
  /** In the mean, each so often a minute: the bus away for all, one router cut off from it, one router started anew. */
  readonly rates: { readonly busAway: number; readonly partition: number; readonly restart: number };
}

export interface RoamingReport {
  readonly violations: readonly string[];
  readonly outcomes: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  /** Calls that ended by a key at another router, in time. */
  readonly retiredElsewhere: number;
}

interface Called {
  readonly id: string;
  readonly document: string;
  readonly number: number;
  readonly router: string;
  readonly atMs: number;
  endMs?: number;
  outcome?: string;
}

const restMs = 30_000;
/** Of a message's way: whoever was told acts at once; what the worker says back may still come. */
const slackMs = 5;
const awayMs = 1_500;

export async function runRoaming(options: RoamingOptions): Promise<RoamingReport> {
  const world = new Roaming(options);
  await world.start();
  await world.play();
  return world.report();
}

class Roaming {
  readonly #options: RoamingOptions;
  readonly #random: Random;
  readonly #clock = new FakeClock();
  readonly #hub: PartedBus;
  readonly #network: Network;
  readonly #nodes: Node[] = [];
  readonly #calls: Called[] = [];
  readonly #violations: string[] = [];
  readonly #faults: Record<string, number> = {};
  /** When the bus was not whole: from, to. */
  readonly #unwhole: [number, number][] = [];

  constructor(options: RoamingOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
    const violate = (what: string) => void this.#violations.push(what);
    this.#hub = new PartedBus(options.bus, { clock: this.#clock, random: fork(this.#random) });
    this.#network = new Network(
      { link: { latencyMs: 0.2, jitterMs: 0.2 }, editor: { latencyMs: 1, jitterMs: 0 }, abortMaxMs: 60 },
      {
        ...{ clock: this.#clock, random: fork(this.#random), log: () => {}, violate, ended: () => {}, lost: () => {} },
        began: () => {},
      },
    );
  }

  async start(): Promise<void> {
    const { routers, seed, skewMs } = this.#options;
    const workers: WorkerNode[] = [];
    for (const name of ["w0", "w1"]) {
      const settings = { profile: "l40s-7b-eagle3", profileEnd: "mid", slots: 8, seed, agreement: 0 } as const;
      const deps = { clock: this.#clock, random: fork(this.#random), oracle: () => undefined };
      workers.push(await WorkerNode.start({ name, ...settings, stall: { probability: 0, ms: 0 } }, deps));
    }
    for (let i = 0; i < routers; i++) {
      const name = `r${i}`;
      const connect = (address: string, channel: "inline" | "bulk") =>
        this.#network.link(name, address, channel, (workers.find((worker) => worker.name === address) as WorkerNode).link);
      const clock = skewed(this.#clock, (this.#random.next() * 2 - 1) * skewMs);
      this.#nodes.push(new Node(name, { clock, hub: this.#hub, random: this.#random, connect }));
    }
    await this.#clock.advance(2_000);
  }

  async play(): Promise<void> {
    const { people } = this.#options;
    let typing = people;
    for (let i = 0; i < people; i++) void this.#type(`p${i}`).then(() => (typing -= 1));
    const faults = new AbortController();
    for (const [fault, rate] of Object.entries(this.#options.rates)) void this.#strike(fault, rate, faults.signal);
    while (typing > 0) await this.#clock.advance(1_000);
    faults.abort(new Error("over"));
    await this.#clock.advance(restMs);
    for (const node of this.#nodes) await this.#settled(node.end());
  }

  async #type(person: string): Promise<void> {
    const { keys, keyMsMax, counted } = this.#options;
    const random = fork(this.#random);
    let turn = below(random, this.#nodes.length);
    let text = `// what ${person} writes\nconst values = [];\n`;
    for (let number = 1; number <= keys; number++) {
      await this.#clock.sleep(1 + random.next() * keyMsMax);
      text += "abcdefgh"[below(random, 8)];
      turn += 1 + below(random, this.#nodes.length);
      const node = this.#nodes[turn % this.#nodes.length] as Node;
      // A balancer sends nothing to a router that drains.
      const open = node.open ? node : this.#nodes.find((other) => other.open);
      if (!open) continue;
      const call: Called = { id: `${person}-${number}`, document: person, number, router: open.name, atMs: this.#clock.now() };
      this.#calls.push(call);
      void open.call(call.id, person, text, counted ? number : 0).then((outcome) => {
        call.endMs = this.#clock.now();
        call.outcome = outcome;
      });
    }
  }

  async #strike(fault: string, rate: number, over: AbortSignal): Promise<void> {
    const random = fork(this.#random);
    while (rate > 0 && !over.aborted) {
      await this.#clock.sleep((-Math.log(1 - random.next()) * 60_000) / rate, over).catch(() => {});
      if (over.aborted) return;
      this.#faults[fault] = (this.#faults[fault] ?? 0) + 1;
      const node = this.#nodes[below(random, this.#nodes.length)] as Node;
      if (fault === "restart") await node.restart(this.#clock);
      else await this.#part(fault === "busAway" ? this.#hub : node);
    }
  }

  /** Away for a while; calls that meet it are judged apart. */
  async #part(what: PartedBus | Node): Promise<void> {
    const set = (away: boolean) => {
      if (what instanceof Node) what.parted = away;
      else what.away = away;
    };
    const fromMs = this.#clock.now();
    set(true);
    await this.#clock.sleep(awayMs);
    set(false);
    this.#unwhole.push([fromMs, this.#clock.now()]);
  }

  /** Closing may wait on the clock. */
  async #settled(closing: Promise<void>): Promise<void> {
    let done = false;
    const finished = closing.then(() => (done = true));
    while (!done) await this.#clock.advance(100);
    await finished;
  }

  report(): RoamingReport {
    const outcomes: Record<string, number> = {};
    for (const { outcome = "none" } of this.#calls) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    for (const call of this.#calls) this.#judge(call);
    this.#judgeStream();
    const retiredElsewhere = this.#calls.filter(
      (call) => call.outcome === "superseded" && this.#successor(call)?.router !== call.router,
    ).length;
    return { violations: this.#violations, outcomes, faults: this.#faults, retiredElsewhere };
  }

  #successor({ document, number }: Called): Called | undefined {
    return this.#calls.find((other) => other.document === document && other.number > number);
  }

  #judge(call: Called): void {
    const { id, outcome, endMs } = call;
    if (outcome === undefined || endMs === undefined) return void this.#violations.push(`${id} never ended`);
    if (outcome === "failed" || outcome === "refused") this.#violations.push(`${id} at ${call.router} ended ${outcome}`);
    const next = this.#successor(call);
    if (!next && outcome === "superseded") this.#violations.push(`${id}, the newest of its document, was retired`);
    if (!next || endMs < next.atMs || next.router === call.router) return;
    const { latencyMs, jitterMs } = this.#options.bus;
    const newsMs = next.atMs + latencyMs + jitterMs + slackMs;
    const whole = !this.#unwhole.some(([from, to]) => from <= newsMs && to >= call.atMs);
    // Without a count a router that has not heard of a trigger yet goes by clocks, which may differ by more than the news takes.
    const known = this.#options.counted || this.#options.skewMs === 0;
    if (whole && known && this.#served(call) && endMs > newsMs)
      this.#violations.push(`${id} outlived ${next.id} at ${next.router} by ${(endMs - next.atMs).toFixed(1)} ms`);
  }

  /** Its router was not new to the document's shard: it had had a call of it before, and was not started anew since. */
  #served({ document, router, atMs }: Called): boolean {
    const node = this.#nodes.find(({ name }) => name === router) as Node;
    return this.#calls.some(
      (other) => other.document === document && other.router === router && other.atMs >= node.sinceMs && other.atMs < atMs,
    );
  }

  #judgeStream(): void {
    const told = this.#hub.stored.flatMap((data) =>
      fromBinary(OutcomeBatchSchema, data).outcomes.map(({ triggerId }) => triggerId),
    );
    const count = new Map<string, number>();
    for (const id of told) count.set(id, (count.get(id) ?? 0) + 1);
    for (const { id } of this.#calls)
      if (count.get(id) !== 1) this.#violations.push(`${id} has ${count.get(id) ?? 0} outcomes on the stream`);
    if (count.size > this.#calls.length) this.#violations.push("the stream holds outcomes of triggers that nobody made");
  }
}

interface NodeDeps {
  readonly clock: ReturnType<typeof skewed>;
  readonly hub: PartedBus;
  readonly random: Random;
  readonly connect: (address: string, channel: "inline" | "bulk") => ReturnType<Network["link"]>;
}

/** One router, over its lives; its spool is its disk. */
class Node {
  readonly name: string;
  readonly #deps: NodeDeps;
  readonly #spool = new MemorySpool({ bytesMax: 1 << 24, recordsMax: 10_000 });
  readonly #running = new Set<Promise<unknown>>();
  #bus: Member;
  #router: Router;
  open = true;
  sinceMs = 0;

  constructor(name: string, deps: NodeDeps) {
    this.name = name;
    this.#deps = deps;
    this.#bus = deps.hub.join();
    this.#router = this.#made();
  }

  set parted(parted: boolean) {
    this.#bus.parted = parted;
  }

  async call(triggerId: string, person: string, prefix: string, sequence: number): Promise<string> {
    const request = create(CompleteRequestSchema, {
      ...{ triggerId, sessionId: person, documentId: "d", sequence: BigInt(sequence), prefix, suffix: "\n" },
      ...{ path: "a.ts", language: "typescript", kind: TriggerKind.INVOKED, shape: Shape.BLOCK, deadlineMs: 20_000 },
    });
    const trigger = this.#router.ingress.complete(request, "default", new AbortController().signal);
    const path = this.#router.run(trigger, {});
    const ended = (async () => {
      for (;;) {
        const step = await path.next();
        if (step.done) return step.value.outcome;
      }
    })();
    this.#running.add(ended);
    try {
      return await ended;
    } finally {
      this.#running.delete(ended);
    }
  }

  /** Drained as a rolling update does it, then another life with the same disk. */
  async restart(clock: FakeClock): Promise<void> {
    if (!this.open) return;
    this.open = false;
    while (this.#running.size > 0) await clock.sleep(10);
    const { parted } = this.#bus;
    await this.end();
    await clock.sleep(200);
    this.#bus = this.#deps.hub.join();
    this.#bus.parted = parted;
    this.#router = this.#made();
    this.sinceMs = clock.now();
    await clock.sleep(1_000);
    this.open = true;
  }

  async end(): Promise<void> {
    await this.#router.close();
    await this.#bus.close();
  }

  #made(): Router {
    const { clock, random, connect } = this.#deps;
    const settings = { ...readRouterConfig({}), name: this.name, workers: ["w0", "w1"], settleMs: 0 };
    const metrics = new RecordedMetrics(routerMetricTable).metrics;
    return wireRouter(settings, {
      clock,
      random: fork(random),
      log: silentLog,
      metrics,
      bus: this.#bus,
      spool: this.#spool,
      connect,
    });
  }
}
