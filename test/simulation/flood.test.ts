// One tenant asks as fast as it can of a fleet that another types at: the other hardly notices, and nobody is started late.
import { expect, test } from "vitest";
import { figuresOf } from "../../bench/schedule/figures.ts";
import type { Crowd } from "../../sim/crowd.ts";
import { fleetRun } from "../../sim/fleet-run.ts";

const text = Array.from(
  { length: 300 },
  (_, i) => `export const value${i} = compute(${i}, "name ${i * 7}", other${i % 13});\n`,
).join("");

async function run(crowds: readonly Crowd[]) {
  const { records, usedShare } = await fleetRun(
    {
      ...{ seed: 1, workers: 1, slots: 4, profile: "l40s-7b-eagle3", profileEnd: "mid", deadlineMs: 500, crowds },
      ...{ warmMs: 2_000, measureMs: 5_000, stall: { probability: 0, ms: 0 } },
      ...{ lateBinding: true, oracle: () => undefined, measured: () => {} },
    },
    [{ path: "a.ts", language: "typescript", text }],
    new AbortController().signal,
  );
  return { of: (tenant: string) => figuresOf(records.filter((record) => record.tenant === tenant)), usedShare };
}

test("a tenant's flood is the flood's own wait: the other tenant is answered as before", async () => {
  const quiet: Crowd = { tenant: "quiet", what: "ask", people: 3 };
  const beside = (await run([quiet, { tenant: "other", what: "ask", people: 3 }])).of("quiet");
  const { of, usedShare } = await run([quiet, { tenant: "other", what: "ask", people: 10, haste: 4 }]);
  // It is a flood: it takes all it is let have, and asks for more.
  expect(usedShare).toBeGreaterThan(0.7);
  expect(of("other").triggers).toBeGreaterThan(10 * of("quiet").triggers);
  expect(of("quiet").answered_share).toBeGreaterThan(0.95);
  expect(of("quiet").first_text_ms.p95 as number).toBeLessThan(1.6 * (beside.first_text_ms.p95 as number));
  expect(of("quiet").started_in_time_share).toBeGreaterThan(0.95);
}, 120_000);
