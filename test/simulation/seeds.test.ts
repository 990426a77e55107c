import { expect, test } from "vitest";
import { runWorld } from "../../sim/world.ts";
import { failure, seedsToRun, worldOf } from "./worlds.ts";

/** What 50 worlds must meet for the invariants to mean something. */
const met = [
  "generated",
  "typed_ahead",
  "cached",
  "gated",
  "superseded",
  "cancelled",
  "expired",
  "empty",
  "refused",
  "lost",
  "chat generated",
];

test("in every seed's world every trigger has one outcome and everything is given back", async () => {
  const seen = new Map<string, number>();
  const failures: string[] = [];
  const seeds = seedsToRun(50);
  for (const seed of seeds) {
    const report = await runWorld(worldOf(seed));
    if (report.violations.length > 0) failures.push(failure(report));
    if (report.log.some((line) => / c\d+-\d+ generated /.test(line))) seen.set("chat generated", 1);
    for (const { outcome } of report.records) seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  }
  expect(failures.join("\n\n")).toBe("");
  if (seeds.length >= 50) expect([...seen.keys()].sort()).toEqual(expect.arrayContaining([...met].sort()));
});

test("a seed gives the same log byte for byte, and another seed another log", async () => {
  const log = async (seed: number) => (await runWorld(worldOf(seed))).log.join("\n");
  for (const seed of [3, 4]) {
    const first = await log(seed);
    expect(first.length).toBeGreaterThan(10_000);
    expect((await log(seed)) === first).toBe(true);
    expect((await log(seed + 2)) === first).toBe(false);
  }
});
