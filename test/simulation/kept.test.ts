// Worlds in which something was found once, by runs of many more seeds than these tests have.
import { test } from "vitest";
import { expectHeld } from "./worlds.ts";

test.each<[found: string, seed: number]>([
  ["a text that four workers made, each going on from where the one before was lost", 1_089],
  ["an answer that its editor had not read when its router was killed", 2_658],
  ["answers that an editor had not read when its router was killed, while the bus was away", 2_923],
  ["KV of a tenant's own, found by what had arrived first and was computed second", 8_603],
  ["a tenant without an answer, whose every key came behind the same key of another, to one slot", 6_028],
  ["a tenant without an answer, whose every key came behind the same key of another, to two slots", 8_686],
])(
  "%s",
  async (_, seed) => {
    await expectHeld([seed]);
  },
  120_000,
);
