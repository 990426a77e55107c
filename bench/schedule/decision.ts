// decision: what it takes to place one generation in a fleet of many workers: what is remembered of the session, the snapshot, the
// choice, the booking, and the credit given back. Options in, microseconds out; per decision, over batches of them.
import { systemClock } from "../../lib/clock.ts";
import { below, seeded } from "../../lib/random.ts";
import { Fleet } from "../../router/fleet/fleet.ts";
import { place, predict, scheduleDefaults } from "../../router/schedule/schedule.ts";
import { summary } from "../../sim/statistics.ts";

export interface DecisionOptions {
  readonly workers: number;
  readonly decisions: number;
  readonly signal: AbortSignal;
}

/** Who asks: a session whose holder has room, one that is new, one whose holder is full, and what a prediction alone costs. */
export const cases = ["lease", "new_session", "overflow", "predict"] as const;
export type Case = (typeof cases)[number];

export interface Decided {
  readonly case: Case;
  readonly workers: number;
  readonly us: { readonly mean: number; readonly p50: number; readonly p99: number };
}

const slots = 16;
/** Of one batch, which is timed whole: a clock's own steps are no finer than a microsecond. */
const batch = 20;
const sessions = 2_000;
const promptBytes = 6_400;

export function benchDecisions({ workers, decisions, signal }: DecisionOptions): Decided[] {
  return cases.flatMap((name) => (signal.aborted ? [] : [decide(name, workers, decisions)]));
}

function decide(name: Case, workers: number, decisions: number): Decided {
  const random = seeded(1);
  const fleet = new Fleet(
    {
      leases: { max: 20_000, ttlMs: 300_000, exceptionTtlMs: 60_000 },
      warmth: { documentsMax: 20_000, bytesMax: 32 << 20, ttlMs: 300_000 },
      shared: { max: 10_000, ttlMs: 60_000, stepBlocks: 16, stepsMax: 16, workersMax: 8 },
    },
    { clock: systemClock, capacity: () => {} },
  );
  const model = {
    ...{ name: "m", fimFamily: "", contextTokens: 8_192, bytesPerToken: 3.5, chatTemplate: false },
    fim: { prefix: "", suffix: "", middle: "", fileSeparator: "", repository: "" },
  };
  const full = { inline: slots + 1, chat: slots, speculative: slots, batch: slots };
  for (let i = 0; i < workers; i++) {
    fleet.joined(`w${i}`, { name: `w${i}`, pool: "p", engine: "simulated", slots, models: [model] });
    fleet.credits(`w${i}`, full);
    fleet.load(`w${i}`, {
      running: below(random, slots),
      prefillTokensPerSecond: 45_000,
      stepMs: 6,
      prefillBacklogTokens: below(random, 500),
    });
  }
  const blocks = Buffer.from(random.hex((promptBytes / 64) * 16), "hex");
  const asking = (session: string) => ({
    ...{ session, document: `${session} d`, lane: "inline" as const, model: "m", prompt: { bytes: promptBytes, blocks } },
    ...{ maxTokens: 64, dueMs: systemClock.now() + 10_000, waitedMs: 0, greedy: false, ahead: () => 0 },
  });
  const one = (session: string) => {
    const asked = asking(session);
    const remembered = fleet.remembered(asked);
    if (name === "predict") {
      predict(scheduleDefaults, asked, remembered, fleet.snapshot(), systemClock.now());
      return undefined;
    }
    const placed = place(scheduleDefaults, asked, remembered, fleet.snapshot(), { now: systemClock.now(), random });
    return "worker" in placed ? { worker: placed.worker, release: fleet.book(placed, asked) } : undefined;
  };
  const holders: string[] = [];
  for (let i = 0; i < sessions; i++) {
    const booked = one(`s${i}`);
    booked?.release();
    holders.push(booked?.worker ?? "");
  }
  // Half of the holders have no credit left, and long prompts wait there.
  if (name === "overflow")
    for (let i = 0; i < workers; i += 2) {
      fleet.credits(`w${i}`, { ...full, inline: 0 });
      fleet.load(`w${i}`, { running: slots, prefillTokensPerSecond: 45_000, stepMs: 6, prefillBacklogTokens: 50_000 });
    }
  const of = (i: number) => (name === "new_session" ? `new${i}` : `s${i % sessions}`);
  const times: number[] = [];
  for (let i = 0; i < decisions; ) {
    const held: (() => void)[] = [];
    const sinceMs = systemClock.now();
    for (let k = 0; k < batch; k++, i++) {
      const booked = one(of(i));
      if (booked) held.push(booked.release);
    }
    for (const release of held) release();
    times.push(((systemClock.now() - sinceMs) * 1_000) / batch);
  }
  const { mean, p50, p99 } = summary(times.slice(Math.floor(times.length / 10)));
  return { case: name, workers, us: { mean, p50, p99 } };
}
