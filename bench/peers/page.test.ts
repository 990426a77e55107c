import { expect, test } from "vitest";
import type { Figures } from "./fleet.ts";
import { headlines } from "./headline.ts";
import { pageOf } from "./page.ts";
import type { PeersOptions, PeersReport } from "./peers.ts";
import { jsonOf, tableOf } from "./report.ts";
import type { Round } from "./rounds.ts";
import { sides } from "./sides.ts";

const figures: Figures = {
  ...{ keys: 900, triggers: 800, p50_ms: 30, p95_ms: 66, p99_ms: 90, fresh_per_key: 0.6, recomputed_tokens_per_key: 7 },
  ...{ waste_share: 0.2, late_share: 0, typed_on_per_key: 0, empty_per_key: 0, unasked_per_key: 0, gated_per_key: 0.4 },
  ...{ along_per_key: 0.28, load_share: 0.3 },
};
const round = (given: Partial<Figures>, valid = true): Round => ({
  figures: { ...figures, ...given },
  busy: valid ? 0.4 : 0.9,
  valid,
});
const developers = new Map(sides.map((side) => [side, { developers_per_gpu: 50, low: 45, high: 55, figures }]));
const report: PeersReport = {
  cells: [
    {
      ...{ cell: { profile: "h100-7b-eagle3", end: "slow", agreement: 0.3 }, sides, developers },
      rounds: new Map(
        sides.map((side) => [side, [round({}), round({ p95_ms: 80 }), round({ p95_ms: 70 }), round({ p95_ms: 999 }, false)]]),
      ),
      predicted: new Map(sides.map((side) => [side, { ...figures, p95_ms: 63 }])),
      headlines: headlines(developers),
    },
  ],
  others: 0,
  ablation: undefined,
  cost: new Map([
    ["slipstream", { cpu_ms_per_generation: 1, added_p50_ms: 1, added_p99_ms: 5, rss_mib: 150, auth: true, busy: 0.4 }],
  ]),
  missing: [{ name: "envoy ring_hash", why: 'no <program> "here"' }],
  programs: { "smg cache_aware": "1.13.0" },
};
const options = { people: 24, workers: 4, slots: 16, seed: 1, rounds: 4, seconds: 10, dilation: 4, gpus: 2 } as PeersOptions;

test("the JSON has every row, medians of the valid rounds, and says which are not", () => {
  const json = jsonOf(report, options);
  expect(json.profiles[0]?.rows).toHaveLength(sides.length);
  expect(json.profiles[0]?.rows[0]).toMatchObject({
    name: "slipstream",
    editor: "native",
    p95_ms: 70,
    developers_per_gpu: 50,
    triggers: 2_400,
  });
  expect(json.invalid).toHaveLength(sides.length);
  expect(json.machine_busy_max).toBe(0.9);
  expect(json.check[0]).toMatchObject({ predicted_p95_ms: 63, measured_p95_ms: 70, error_p95: -0.1 });
  expect(json.cost[0]).toMatchObject({ name: "slipstream", cpu_ms_per_generation: 1, rss_mib: 150 });
});

test("the table marks rounds that are not valid, and says where a goal is missed", () => {
  const text = tableOf(report, options);
  expect(text).toContain("direct / naive (1 of 4 rounds not valid)");
  expect(text).toContain("50 (45–55)");
  expect(text).toContain("expert: ours 50 developers a GPU, the best peer (direct) 50: 1× (goal 1.5×, missed)");
});

test("the page needs nothing else, begins its axes at zero and escapes what others say", () => {
  const page = pageOf(report, options);
  expect(page).not.toMatch(/<(script|link|img)\b|https?:\/\//);
  expect(page).toContain("no &lt;program&gt; &quot;here&quot;");
  const firstTicks = [...page.matchAll(/<svg.*?<text class="tick"[^>]*>([^<]+)</gs)].map(([, tick]) => tick);
  expect(firstTicks.length).toBeGreaterThan(4);
  expect(new Set(firstTicks)).toEqual(new Set(["0"]));
});
