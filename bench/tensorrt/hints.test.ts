import { expect, test } from "vitest";
import { benchHints, type HintsReport } from "./hints.ts";
import { layouts } from "./prompts.ts";

const { signal } = new AbortController();

test("the same seed gives the same figures; a larger cache finds more, and what the agent tells of costs next to nothing", async () => {
  const run = () => benchHints({ people: 2, seconds: 15, seed: 1, signal });
  const report: HintsReport = await run();
  expect(report.prompts).toBeGreaterThan(20);
  for (const layout of layouts) {
    const rows = report.rows.filter((row) => row.layout === layout);
    expect(rows.map(({ blocks }) => blocks)).toEqual(rows.map(({ blocks }) => blocks).sort((a, b) => a - b));
    const [smallest, largest] = [rows[0], rows.at(-1)];
    expect(largest?.found.none).toBeGreaterThan(smallest?.found.none ?? 1);
    expect(largest?.gave_up).toBeLessThan(smallest?.gave_up ?? 0);
    for (const { found } of rows) expect(found.agent).toBeGreaterThan(found.none - 0.02);
  }
  expect(await run()).toEqual(report);
});
