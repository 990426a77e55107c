import { expect, test } from "vitest";
import { runWorld } from "../../sim/world.ts";
import { failure, worldOf } from "../simulation/worlds.ts";

test("2,000 more seeds hold, with more keys each", async () => {
  const failures: string[] = [];
  for (let seed = 1_001; seed <= 3_000; seed++) {
    const report = await runWorld({ ...worldOf(seed), keys: 60 });
    if (report.violations.length > 0) failures.push(failure(report));
  }
  expect(failures.slice(0, 5).join("\n\n")).toBe("");
});
