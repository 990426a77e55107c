// worlds: the options of a simulated world, drawn from its seed, so that each seed is another place: how many routers,
// workers and typists, how far apart, how often something breaks.
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { type FaultRates, noFaults } from "../../sim/faults.ts";
import { runWorld, type WorldOptions, type WorldReport } from "../../sim/world.ts";

// Kept beside the tests, so that a seed means the same tomorrow.
const source = (name: string, language: string) => ({
  path: name,
  language,
  text: readFileSync(new URL(`sources/${name}.txt`, import.meta.url), "utf8"),
});
const sources = [source("clock.ts", "typescript"), source("ledger.py", "python"), source("lru.ts", "typescript")];

export function worldOf(seed: number): WorldOptions {
  const random = seeded(seed);
  const one = <T>(...of: readonly T[]) => of[below(random, of.length)] as T;
  const rates: FaultRates = {
    ...noFaults,
    linkCut: one(0, 4),
    linkStall: one(0, 10),
    editorCut: one(0, 3),
    editorStall: one(0, 10),
    editorVanish: one(0, 1),
    busAway: one(0, 3),
  };
  const tenants = one(1, 2, 2);
  const world: WorldOptions = {
    seed,
    routers: one(1, 2),
    workers: one(1, 2, 3),
    typists: tenants * one(1, 2, 5),
    chatters: one(0, 1, 3),
    chatEveryMs: one(1_000, 10_000),
    tenants,
    keys: 30,
    // Some type twice as fast as the mean, so that triggers meet in every room.
    typing: {
      typoProbability: 0.03,
      keyIntervalMeanMs: one(80, 120, 239),
      keyIntervalSdMs: one(20, 60),
      burstKeysMean: one(12, 30),
    },
    sources,
    deadlineMs: one(100, 300, 1_000),
    profile: one("h100-7b-eagle3", "l40s-3b-eagle3", "l40s-7b-eagle3"),
    profileEnd: one("slow", "mid", "fast"),
    slots: one(1, 2, 16),
    stall: { probability: one(0, 0.01), ms: 60 },
    queueMax: one(1, 100),
    modelAgreement: one(0, 0.5, 0.9),
    agreement: one(0, 0.3),
    escape: one(0, 0.05),
    link: { latencyMs: one(0.1, 2), jitterMs: one(0, 3) },
    // Tenants press their keys in the same instant: with no jitter at all the one made first would come first every time.
    editor: { latencyMs: one(0.1, 20), jitterMs: one(0.01, 10) },
    rates: random.next() < 0.2 ? noFaults : rates,
    virtualMsMax: 600_000,
  };
  // Drawn last, so that the rest of a seed's world is as it was before these existed.
  const worse = { engineCrash: one(0, 0, 2), workerDrain: one(0, 0, 2), readerStop: one(0, 3) };
  const deaths = {
    ...{ workerFreeze: one(0, 0, 4), workerSlow: one(0, 0, 4), workerDeath: one(0, 0, 3) },
    ...{ routerDeath: one(0, 0, 2), partition: one(0, 0, 4) },
  };
  // An owner that stands still for longer than another would take from the start is what hedges are for.
  const stall = { ...world.stall, ms: one(60, 400) };
  // A crowd types fewer keys each: what meets is the number of them.
  const keys = world.typists > 2 ? 12 : 30;
  return { ...world, keys, stall, rates: world.rates === noFaults ? noFaults : { ...world.rates, ...worse, ...deaths } };
}

/** What a hundred worlds must meet for the invariants to mean something. */
const met = [
  "generated",
  "typed_ahead",
  "joined",
  "cached",
  "gated",
  "superseded",
  "cancelled",
  "expired",
  "empty",
  "refused",
  "lost",
  "chat generated",
  "hedge",
  ...Object.keys(noFaults),
];

/** Runs the worlds and fails with what broke in which seed, or with what they never met. */
export async function expectHeld(seeds: readonly number[]): Promise<void> {
  const seen = new Set<string>();
  const failures: string[] = [];
  for (const seed of seeds) {
    const report = await runWorld(worldOf(seed));
    if (report.violations.length > 0 && failures.length < 5) failures.push(failure(report));
    for (const line of report.log) {
      const fault = / fault (\w+)(?: (?!none)|$)/.exec(line)?.[1];
      if (fault) seen.add(fault);
      else if (/ c\d+-\d+ generated /.test(line)) seen.add("chat generated");
    }
    if (report.hedges > 0) seen.add("hedge");
    for (const { outcome } of report.records) seen.add(outcome);
  }
  expect(failures.join("\n\n")).toBe("");
  if (seeds.length >= 100) expect(met.filter((each) => !seen.has(each))).toEqual([]);
}

/** Seeds `first` to `last`, or those that SLIPSTREAM_SIMULATION_SEEDS names: "37" or "100-200". */
export function seedsToRun(first: number, last: number): number[] {
  const [from = first, to = from] = (process.env["SLIPSTREAM_SIMULATION_SEEDS"] ?? `${first}-${last}`).split("-").map(Number);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Everything a person needs to see it again: the seed, the command, what broke and the lines before it. */
function failure(report: WorldReport): string {
  const at = report.log.findIndex((line) => line.includes(" VIOLATION "));
  return [
    `seed ${report.seed}: ${report.violations.length} violations`,
    `again: SLIPSTREAM_SIMULATION_SEEDS=${report.seed} npx vitest run --project simulation test/simulation/seeds.test.ts`,
    ...report.violations.slice(0, 10),
    ...(at < 0 ? [] : ["the log until the first:", ...report.log.slice(Math.max(0, at - 25), at + 1)]),
  ].join("\n");
}
