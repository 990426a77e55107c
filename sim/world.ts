// world: a seed in, one run of a whole Slipstream out: routers, worker agents with pretend GPUs, a bus and typists in one
// process under one fake clock, with faults. At the end, what must always hold is checked; `violations` says what did not.
// The same seed and options give the same log, byte for byte. Bounded by `virtualMsMax` and `logMax`.
import { fromBinary } from "@bufbuild/protobuf";
import { MemoryBus } from "../lib/bus/memory.ts";
import { subjects } from "../lib/bus/subjects.ts";
import { FakeClock } from "../lib/clock.fake.ts";
import { fork, seeded } from "../lib/random.ts";
import { OutcomeBatchSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import { dispatchDefaults } from "../router/dispatch/dispatch.ts";
import type { ProfileEnd, ProfileName } from "../workers/engine/simulated/profiles.ts";
import { Books } from "./books.ts";
import { Chatter } from "./chatter.ts";
import { Editor } from "./editor.ts";
import { starved } from "./fairness.ts";
import { doublesOutcomes, type FaultRates, Faults, losesCancels, type PlantedBug, sharesKv } from "./faults.ts";
import { type Latency, Network } from "./network.ts";
import { oracle } from "./oracle.ts";
import { RouterNode } from "./router-node.ts";
import type { Source } from "./trace/generate.ts";
import type { Typing } from "./trace/parameters.ts";
import type { TriggerRecord } from "./typist.ts";
import { WorkerNode } from "./worker-node.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly routers: number;
  readonly workers: number;
  readonly typists: number;
  /** People who chat, each every `chatEveryMs` in the mean. */
  readonly chatters: number;
  readonly chatEveryMs: number;
  /** Typists of different tenants type the same keys, so that what leaks between them is found. */
  readonly tenants: number;
  readonly keys: number;
  readonly typing: Partial<Typing>;
  readonly sources: readonly Source[];
  readonly deadlineMs: number;
  /** Of a completion. */
  readonly maxTokens?: number;
  readonly profile: ProfileName;
  readonly profileEnd: ProfileEnd;
  readonly slots: number;
  /** Steps of a pretend GPU that take so much longer now and then. */
  readonly stall: { readonly probability: number; readonly ms: number };
  readonly queueMax: number;
  /** Chance that a token of the model is what the typist goes on to type. */
  readonly modelAgreement: number;
  /** Chance that the typist follows what was shown. */
  readonly agreement: number;
  readonly escape: number;
  readonly link: Latency;
  readonly editor: Latency;
  readonly rates: FaultRates;
  readonly plant?: PlantedBug;
  /** Most virtual time until the last key. */
  readonly virtualMsMax: number;
}

export interface WorldReport {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly log: readonly string[];
  readonly records: readonly TriggerRecord[];
  readonly faults: number;
  readonly linksBroken: number;
  /** Second workers asked for a generation that stalled. */
  readonly hedges: number;
  readonly virtualMs: number;
  readonly abortMs: readonly number[];
  readonly generatedTokens: number;
  readonly bookedTokens: number;
}

const logMax = 2_000_000;
const violationsMax = 50;
/** Enough for every deadline, back-off, batch and settled pause to pass. */
const restMs = 20_000;
/** The longest step of the slowest profile at 16 slots with a prompt chunk takes 36 ms; an engine stops at a step's end. */
const abortMaxMs = 45;
/** A worker that has been well for so long is one that a router knows of and would ask: links are made anew within seconds. */
const calmEnoughMs = 4_000;
const { share: hedgeShare, burst: hedgeBurst } = dispatchDefaults.hedging;

export async function runWorld(options: WorldOptions): Promise<WorldReport> {
  const random = seeded(options.seed);
  const clock = new FakeClock();
  const log: string[] = [];
  const violations: string[] = [];
  const startMs = clock.now();
  const note = (line: string) => {
    if (log.length < logMax) log.push(`${(clock.now() - startMs).toFixed(3)} ${line}`);
  };
  const violate = (what: string) => {
    note(`VIOLATION ${what}`);
    if (violations.length < violationsMax) violations.push(`${what} (at ${(clock.now() - startMs).toFixed(1)} ms)`);
  };
  // Today a tenant's salt is its name (router/dispatch/frames.ts).
  const books = new Books({ saltOf: (tenant) => tenant, ...(options.maxTokens && { maxTokens: options.maxTokens }) });
  const memory = new MemoryBus({ shared: true });
  const bus = options.plant === "doubleOutcome" ? doublesOutcomes(memory) : memory;
  const outcomes = memory.subscribe(subjects.allOutcomes, { max: 1_000_000 });
  const reading = (async () => {
    for await (const { data } of outcomes)
      for (const event of fromBinary(OutcomeBatchSchema, data).outcomes) {
        note(`outcome ${event.triggerId} ${event.outcome} ${event.cache?.completionTokens ?? 0}`);
        books.told(event);
      }
  })();
  const network = new Network(
    {
      ...{
        link: options.link,
        editor: options.editor,
        abortMaxMs: (options.rates.workerSlow > 0 ? 5 : 1) * abortMaxMs + (options.stall.probability > 0 ? options.stall.ms : 0),
      },
      ...(options.plant === "lostCancel" && { linkFault: losesCancels }),
    },
    {
      clock,
      random: fork(random),
      log: note,
      violate,
      ended: (end) => books.ended(end),
      lost: (texts) => books.lost(texts),
      began: (worker, salt, sinceMs) => books.began(worker, salt, sinceMs),
      left: (trigger, router) => books.left(trigger, router),
    },
  );
  const knows = oracle(options.sources.map((source) => source.text));
  const workers: WorkerNode[] = [];
  for (let i = 0; i < options.workers; i++) {
    const { profile, profileEnd, slots, seed, modelAgreement: agreement, stall } = options;
    workers.push(
      await WorkerNode.start(
        { name: `w${i}`, profile, profileEnd, slots, seed, agreement, stall },
        {
          ...{ clock, random: fork(random), oracle: knows },
          cut: () => network.cutAll(`w${i}`),
          freeze: (ms) => network.freeze(`w${i}`, ms),
          ...(options.plant === "sharedKv" && { engineFault: sharesKv }),
        },
      ),
    );
  }
  const tenants = Array.from({ length: options.tenants }, (_, i) => `tenant${i}`);
  const routers = Array.from({ length: options.routers }, (_, i) => {
    const name = `r${i}`;
    return new RouterNode(
      {
        name,
        workers: workers.map((worker) => worker.name),
        tenants,
        queueMax: options.queueMax,
        ...(options.plant && { plant: options.plant }),
      },
      {
        ...{ clock, bus, random: fork(random) },
        cut: () => {
          books.routerDied(name);
          network.cutAll(name);
        },
        connect: (address, channel) => {
          const worker = workers.find((each) => each.name === address) as WorkerNode;
          return network.link(name, address, channel, worker.link);
        },
      },
    );
  });
  const living = (router: string) =>
    workers.find((worker) => Math.min(worker.calmMs, network.calmMs(router, worker.name)) > calmEnoughMs)?.name;
  // Links come up before the first key, as they do before a router says that it is ready.
  await clock.advance(1_000);
  const editors = Array.from({ length: options.typists }, (_, i) => {
    const tenant = tenants[i % tenants.length] as string;
    const pair = Math.floor(i / tenants.length);
    return new Editor(
      {
        ...options,
        name: `e${i}`,
        tenant,
        traceSeed: options.seed * 1_000 + pair,
        source: options.sources[pair % options.sources.length] as Source,
      },
      { clock, random: fork(random), network, routers, living, books, note, violate },
    );
  });
  const chatters = Array.from({ length: options.chatters }, (_, i) => {
    const tenant = tenants[i % tenants.length] as string;
    return new Chatter(
      { name: `c${i}`, tenant, everyMs: options.chatEveryMs, cancel: 0.2 },
      { clock, random: fork(random), routers, living, books, note },
    );
  });
  const faults = new Faults(
    { rates: options.rates, stallMaxMs: 300, busAwayMs: 2_000 },
    {
      clock,
      random: fork(random),
      links: () => network.links(),
      editors: () => editors.filter((each) => each.typing),
      workers: () => workers,
      routers: () => routers,
      bus: memory,
      log: note,
    },
  );
  while (editors.some((editor) => editor.typing) && clock.now() - startMs < options.virtualMsMax) {
    await clock.advance(1_000);
    for (const router of routers) for (const what of router.imbalance()) violate(`${router.name}: ${what}`);
  }
  for (const editor of editors) if (editor.typing) violate(`${editor.name} still types after ${options.virtualMsMax} ms`);
  faults.stop();
  for (const chatter of chatters) chatter.stop();
  await clock.advance(restMs);
  for (const editor of editors) editor.finish();
  await clock.advance(restMs);
  for (const each of [...routers, ...workers]) for (const what of each.unrest()) violate(`${each.name} is not at rest: ${what}`);
  if (network.open > 0) violate(`${network.open} generations are under way at rest`);
  const records = (tenant: string) =>
    editors.filter((_, i) => tenants[i % tenants.length] === tenant).flatMap((editor) => editor.records);
  for (const what of starved(new Map(tenants.map((tenant) => [tenant, records(tenant)])))) violate(what);
  for (const router of routers) for (const what of router.excess()) violate(`${router.name} exceeded a bound: ${what}`);
  for (const { name, hedges, lives } of routers) {
    const most = hedgeShare * network.submits(name) + hedgeBurst * lives;
    if (hedges > most) violate(`${name} asked ${hedges} second workers, of at most ${most.toFixed(1)}`);
  }
  const { linksBroken } = network;
  const countedTokens = routers.reduce((sum, router) => sum + router.completionTokens, 0);
  if (linksBroken === 0 && countedTokens !== books.generatedTokens)
    violate(`routers count ${countedTokens} completion tokens, workers generated ${books.generatedTokens}`);
  for (const each of [...routers, ...workers]) await settled(clock, each.close());
  await clock.advance(restMs);
  if (clock.next() !== undefined) violate("a timer is left when everything is closed");
  await memory.close();
  await reading;
  for (const what of books.close({ mayFail: linksBroken > 0 || faults.struckWorkers })) violate(what);
  return {
    ...{
      seed: options.seed,
      violations,
      log,
      faults: faults.count,
      linksBroken,
      hedges: routers.reduce((sum, router) => sum + router.hedges, 0),
      virtualMs: clock.now() - startMs,
    },
    records: editors.flatMap((editor) => editor.records),
    ...{ abortMs: books.abortMs, generatedTokens: books.generatedTokens, bookedTokens: books.bookedTokens },
  };
}

/** Closing may wait on the clock. */
async function settled(clock: FakeClock, closing: Promise<void>): Promise<void> {
  let done = false;
  const finished = closing.then(() => {
    done = true;
  });
  for (let waited = 0; !done && waited < restMs; waited += 100) await clock.advance(100);
  await finished;
}
