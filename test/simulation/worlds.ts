// worlds: the options of a simulated world, drawn from its seed, so that each seed is another place: how many routers,
// workers and typists, how far apart, how often something breaks.
import { readFileSync } from "node:fs";
import { below, seeded } from "../../lib/random.ts";
import { type FaultRates, noFaults } from "../../sim/faults.ts";
import type { WorldOptions, WorldReport } from "../../sim/world.ts";

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
    linkCut: one(0, 4),
    linkStall: one(0, 10),
    editorCut: one(0, 3),
    editorStall: one(0, 10),
    editorVanish: one(0, 1),
    busAway: one(0, 3),
  };
  const tenants = one(1, 2, 2);
  return {
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
    editor: { latencyMs: one(0.1, 20), jitterMs: one(0, 10) },
    rates: random.next() < 0.2 ? noFaults : rates,
    virtualMsMax: 600_000,
  };
}

/** Seeds 1 to `count`, or those that SLIPSTREAM_SIMULATION_SEEDS names: "37" or "100-200". */
export function seedsToRun(count: number): number[] {
  const [from, to] = (process.env["SLIPSTREAM_SIMULATION_SEEDS"] ?? `1-${count}`).split("-").map(Number);
  const first = from ?? 1;
  return Array.from({ length: (to ?? first) - first + 1 }, (_, i) => first + i);
}

/** Everything a person needs to see it again: the seed, the command, what broke and the lines before it. */
export function failure(report: WorldReport): string {
  const at = report.log.findIndex((line) => line.includes(" VIOLATION "));
  return [
    `seed ${report.seed}: ${report.violations.length} violations`,
    `again: SLIPSTREAM_SIMULATION_SEEDS=${report.seed} npx vitest run --project simulation test/simulation/seeds.test.ts`,
    ...report.violations.slice(0, 10),
    ...(at < 0 ? [] : ["the log until the first:", ...report.log.slice(Math.max(0, at - 25), at + 1)]),
  ].join("\n");
}
