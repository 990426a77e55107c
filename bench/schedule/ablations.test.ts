import { expect, test } from "vitest";
import { fleetRun } from "../../sim/fleet-run.ts";
import { benchDecisions } from "./decision.ts";
import { figuresOf } from "./figures.ts";
import { type Ablation, ablations, shipped, switched } from "./switches.ts";

const text = Array.from({ length: 120 }, (_, i) => `export const value${i} = compute(${i}, "name ${i}");\n`).join("");

async function run(ablation: Ablation) {
  const switches = { ...shipped, ...ablations[ablation] };
  const { records, ...rest } = await fleetRun(
    {
      ...{
        seed: 1,
        workers: 2,
        slots: 2,
        profile: "h100-7b-eagle3",
        profileEnd: "mid",
        deadlineMs: 500,
        warmMs: 1_000,
        measureMs: 2_000,
      },
      crowds: [
        { tenant: "a", what: "ask", people: 3 },
        { tenant: "b", what: "batch", people: 1, haste: 4 },
      ],
      stall: { probability: 0, ms: 0 },
      ...{ lateBinding: switches.lateBinding, oracle: () => undefined },
      measured: (rooms, random) => switched(rooms, switches, random),
    },
    [{ path: "a.ts", language: "typescript", text }],
    new AbortController().signal,
  );
  return { figures: figuresOf(records.filter(({ lane }) => lane === "inline")), rest };
}

test("a simulated fleet answers, and a seed gives the same figures", async () => {
  const once = await run("as_shipped");
  expect(once.figures.answered_share).toBeGreaterThan(0.5);
  expect(once.rest.gpuShare).toBeGreaterThan(0);
  expect(await run("as_shipped")).toEqual(once);
}, 30_000);

test.each(Object.keys(ablations) as Ablation[])(
  "%s runs as well",
  async (ablation) => {
    expect((await run(ablation)).figures.answered_share).toBeGreaterThan(0.5);
  },
  30_000,
);

test("a decision is timed in each case", () => {
  const decided = benchDecisions({ workers: 20, decisions: 400, signal: new AbortController().signal });
  expect(decided.map(({ us }) => us.p50 > 0)).toEqual([true, true, true, true]);
});
