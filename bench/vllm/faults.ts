// faults: hundreds of random faults of a vLLM that the worker starts itself: generations cancelled and past their deadline, links
// lost, connections cut and filled with garbage, answers kept back, models that are not there, KV events cut, the engine frozen and
// killed. Each Submit ends once; and in the end nothing is left of them: no slot, no credit, no request, no connection, no memory.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { below, type Random, seeded } from "../../lib/random.ts";
import type { EngineProcess } from "../../workers/engine/engine-process.ts";
import { SupervisedEngine } from "../../workers/engine/supervised.ts";
import { readCounters } from "../../workers/engine/vllm/counters.ts";
import { VllmEngine } from "../../workers/engine/vllm/vllm.ts";
import { agentDefaults, createAgent } from "../../workers/wire.ts";
import { AgentEnd, type Ended } from "./agent-end.ts";
import { type Harm, Passage } from "./passage.ts";

export interface FaultsReport {
  readonly generations: number;
  /** By kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly all: number;
  readonly ends: Readonly<Record<string, number>>;
  /** Closing frames of generations that had ended before. */
  readonly repeated: number;
  readonly left: {
    readonly running: number;
    readonly engine: number;
    readonly waiting: number;
    readonly connections: number;
    readonly grown_mib: number;
  };
  readonly credits: { readonly before: string; readonly after: string };
}

/** An engine of one's own: it can be killed, and stand still. */
export interface FaultyEngine {
  readonly url: string;
  readonly process: Pick<EngineProcess, "exited" | "kill" | "stop">;
  /** Undefined: for good. */
  freeze(ms: number | undefined): void;
  /** Its counters, as it exposes them. */
  metrics(): Promise<string>;
}

interface Options {
  readonly start: () => Promise<FaultyEngine>;
  readonly model: string;
  readonly faults: number;
  /** Times that the engine is killed, and as often frozen for good. */
  readonly kills: number;
  readonly seed: number;
  readonly say: (text: string) => void;
  readonly signal?: AbortSignal;
}

const slots = 6;
const callers = 5;
const hungMs = 4_000;
const settleMs = 180_000;
const harms: readonly Harm[] = ["cut_before", "cut_within", "garbage", "kept_back"];

export async function benchFaults(options: Options): Promise<FaultsReport> {
  const { say, signal } = options;
  const random = seeded(options.seed);
  const counted = new Counted();
  let next: Harm = "none";
  const passage = await Passage.open(() => {
    const harm = next;
    next = "none";
    return harm;
  });
  let real: FaultyEngine | undefined;
  const start = async (closing: AbortSignal) => {
    const fresh = await options.start();
    real = fresh;
    passage.lead(fresh.url);
    const about = { model: "", tokenizer: "", startMs: 300_000, confidence: false, ignoreEnd: true, hungMs, slots };
    const ending = (dead: boolean) => (dead ? fresh.process.kill() : fresh.process.stop());
    const deps = { clock: systemClock, random, exited: fresh.process.exited, ending, signal: closing };
    try {
      return await VllmEngine.start({ url: passage.url, ...about }, deps);
    } catch (thrown) {
      // A harm that was meant for a generation may have met its first question: another engine is started instead of it.
      await fresh.process.kill();
      throw thrown;
    }
  };
  say("starting an engine");
  const supervised = { restartsMax: 1_000, firstPauseMs: 50, pauseMaxMs: 200 };
  const engine = await SupervisedEngine.start(supervised, { clock: systemClock, start });
  try {
    // Every slot, however slow the engine is just now: credits are to be as many afterwards.
    const agent = createAgent(
      { ...agentDefaults, stepBudgetMs: 0, worker: "w", pool: "p" },
      { clock: systemClock, random, engine, log: silentLog },
    );
    let away = false;
    const watching = (down: boolean) => {
      away = down;
      if (down) void agent.drain(0);
      else agent.resume();
    };
    engine.watch({ down: () => watching(true), up: () => watching(false) });
    const made = { router: new AgentEnd({ model: options.model }, { agent }) };
    let repeated = 0;
    const fresh = () => {
      repeated += made.router.repeated;
      made.router.close();
      made.router = new AgentEnd({ model: options.model }, { agent });
    };
    const calm = async () => {
      const idle = async () => engine.load().running === 0 && (await running(real)) === 0;
      for (const startedMs = systemClock.now(); !(await idle()); await systemClock.sleep(50))
        if (systemClock.now() - startedMs > settleMs) return;
    };
    const one = async (kind: string, number: number) => {
      if ((harms as readonly string[]).includes(kind)) next = kind as Harm;
      if (kind === "events_cut") passage.cutEvents();
      const wish = {
        segments: [{ part: { case: "text" as const, value: `// ${number % 60}\nconst a = b;\n`.repeat(1 + below(random, 20)) } }],
        sampling: { maxTokens: 10 + below(random, 90) },
        cacheSalt: ["a", "b"][below(random, 2)] as string,
        deadlineMs: kind === "deadline" ? 1 + below(random, 250) : 60_000,
        stopAtNewline: below(random, 3) === 0,
      };
      const asked = made.router.ask(wish, undefined, kind === "no_model" ? "nobody" : undefined);
      if (kind === "cancelled") systemClock.timer(below(random, 250), () => made.router.cancel(asked.id));
      if (kind === "link_lost") systemClock.timer(below(random, 150), fresh);
      if (kind === "killed") systemClock.timer(below(random, 100), () => void real?.process.kill());
      if (kind === "frozen") systemClock.timer(below(random, 100), () => real?.freeze(undefined));
      if (kind === "frozen_a_moment") systemClock.timer(below(random, 100), () => real?.freeze(100 + below(random, 1_000)));
      counted.ended(await asked.over);
      // While the engine is away routers go elsewhere, and come back. What one that died had under way is still its last word.
      const nothing = () => engine.load().running === 0 && made.router.credits.startsWith("0");
      while ((away || nothing()) && !signal?.aborted) await systemClock.sleep(100);
    };
    // What runs for the first time stays in memory.
    for (let number = 0; number < 40; number++) await one("none", number);
    await calm();
    const credits = made.router.credits;
    const before = used();
    const plan = planned(options.faults, options.kills, random);
    let [done, number] = [0, 100];
    const caller = async () => {
      for (let kind = plan.pop(); kind !== undefined && !signal?.aborted; kind = plan.pop()) {
        if (kind !== "none") counted.fault(kind);
        await one(kind, number++);
        done += 1;
        if (done % 50 === 0) say(`faults: ${done} generations, ${counted.all} of them with a fault`);
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    // One that froze for good is found only by who waits for it.
    for (let turn = 0; turn < 5; turn++) await one("none", number++);
    await calm();
    for (const startedMs = systemClock.now(); made.router.credits !== credits && systemClock.now() - startedMs < 10_000; )
      await systemClock.sleep(50);
    const left = {
      ...{ running: engine.load().running, engine: await running(real), waiting: made.router.open },
      ...{ connections: passage.connections, grown_mib: (used() - before) / 2 ** 20 },
    };
    const after = made.router.credits;
    repeated += made.router.repeated;
    made.router.close();
    return { ...counted.report(), repeated, left, credits: { before: credits, after } };
  } finally {
    await engine.close();
    await passage.close();
    await real?.process.kill();
  }
}

class Counted {
  readonly #faults: Record<string, number> = {};
  readonly #ends: Record<string, number> = {};
  #generations = 0;

  get all(): number {
    return Object.values(this.#faults).reduce((sum, count) => sum + count, 0);
  }

  fault(kind: string): void {
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
  }

  ended({ how, detail }: Ended): void {
    const name = how === "refused" ? `refused ${detail.split(":")[0]}` : how;
    this.#ends[name] = (this.#ends[name] ?? 0) + 1;
    this.#generations += 1;
  }

  report(): Pick<FaultsReport, "generations" | "faults" | "all" | "ends"> {
    return { generations: this.#generations, faults: this.#faults, all: this.all, ends: this.#ends };
  }
}

/** Kinds in a random order, the rare ones spread among them, and as many generations without a fault between. */
function planned(faults: number, kills: number, random: Random): string[] {
  const often = [
    "cancelled",
    "cancelled",
    "cancelled",
    "deadline",
    "link_lost",
    ...harms,
    "events_cut",
    "no_model",
    "frozen_a_moment",
  ];
  const kinds = Array.from({ length: faults - 2 * kills }, (_, index) => often[index % often.length] as string);
  const plan = [...kinds, ...kinds.map(() => "none")];
  for (let at = plan.length - 1; at > 0; at--) {
    const other = below(random, at + 1);
    [plan[at], plan[other]] = [plan[other] as string, plan[at] as string];
  }
  for (let kill = 0; kill < 2 * kills; kill++)
    plan.splice(Math.floor(((kill + 0.5) / (2 * kills)) * plan.length), 0, kill % 2 === 0 ? "killed" : "frozen");
  return plan;
}

async function running(real: FaultyEngine | undefined): Promise<number> {
  const text = await real?.metrics().catch(() => "");
  const { running: now = 0, waiting = 0 } = readCounters(text ?? "");
  return now + waiting;
}

/** What is left in the heap when the collector has been through it. */
function used(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
