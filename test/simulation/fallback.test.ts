// A policy document with two tiers before real agents with pretend GPUs: when the preferred pool is so busy that no answer of it
// comes in time, what may fall back is answered by the other pool, with its model; what may not is refused.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { figuresOf } from "../../bench/schedule/figures.ts";
import { fleetRun } from "../../sim/fleet-run.ts";

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "slipstream-policy-")), "policy.yaml");
});
afterEach(() => rmSync(join(path, ".."), { recursive: true, force: true }));

const text = Array.from({ length: 120 }, (_, i) => `export const value${i} = compute(${i}, "name ${i * 7}");\n`).join("");
const tiers = (fallback: string) => `version: 1
tiers:
  inline: { pools: [large]${fallback} }
  quick: { pools: [small] }
tenants: { "*": { models: [inline], default: inline } }
pools: { large: { model: simulated-l40s-7b-eagle3 }, small: { model: simulated-h100-7b-eagle3 } }
`;

async function run(fallback: string, people: number) {
  writeFileSync(path, tiers(fallback));
  const { records } = await fleetRun(
    {
      ...{ seed: 1, workers: 1, slots: 2, profile: "l40s-7b-eagle3", profileEnd: "slow", deadlineMs: 300 },
      ...{ policy: path, also: [{ pool: "small", workers: 1, profile: "h100-7b-eagle3" }], pool: "large" },
      crowds: [{ tenant: "default", what: "ask", people }],
      ...{ warmMs: 2_000, measureMs: 3_000, stall: { probability: 0, ms: 0 } },
      ...{ lateBinding: true, oracle: () => undefined, measured: () => {} },
    },
    [{ path: "a.ts", language: "typescript", text }],
    new AbortController().signal,
  );
  const answered = records.filter(({ outcome, started }) => outcome === "generated" && started);
  const by = (worker: string, model: string) => answered.filter((each) => each.worker === worker && each.model === model).length;
  const [large, small] = [by("w0", "simulated-l40s-7b-eagle3"), by("small0", "simulated-h100-7b-eagle3")];
  return { large, small, others: answered.length - large - small, figures: figuresOf(records) };
}

test("what the preferred pool cannot answer in time, the fallback's worker and model do", async () => {
  const calm = await run(", fallback: quick", 1);
  expect(calm).toMatchObject({ small: 0, others: 0, figures: { too_late: 0 } });
  expect(calm.large).toBeGreaterThan(0);
  const busy = await run(", fallback: quick", 12);
  expect(busy.large).toBeGreaterThan(0);
  expect(busy.small).toBeGreaterThan(busy.large / 4);
  expect(busy.others).toBe(0);
  const without = await run("", 12);
  expect(without).toMatchObject({ small: 0, others: 0 });
  expect(without.figures.too_late).toBeGreaterThan(busy.figures.too_late);
  expect(without.figures.answered_share).toBeLessThan(busy.figures.answered_share as number);
}, 60_000);
