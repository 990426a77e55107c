import { expect, test } from "vitest";
import { burstPage } from "./page.ts";
import { type Asked, figuresOf, type Phase, type PoolSample } from "./series.ts";

const phases: readonly Phase[] = [
  { name: "before", fromMs: 0, untilMs: 60_000 },
  { name: "burst", fromMs: 60_000, untilMs: 160_000 },
  { name: "after", fromMs: 160_000, untilMs: 220_000 },
];
const limits = { sloMs: 100, deadlineMs: 500 };

/** Twenty triggers a second, each answered as `of` says. */
const asked = (of: (s: number) => Partial<Asked>): Asked[] =>
  Array.from({ length: 220 * 20 }, (_, i) => ({ askedMs: i * 50, outcome: "generated", ...of(i / 20) }));

const samples = (ready: (s: number) => number): PoolSample[] =>
  Array.from({ length: 220 }, (_, i) => ({
    ...{ atMs: (i + 1) * 1_000, people: i < 60 || i >= 160 ? 8 : 24, wanted: ready(i + 1), pods: ready(i + 1) },
    ...{ ready: ready(i + 1), leaving: 0 },
  }));

const steps = samples((s) => (s < 90 ? 2 : s < 200 ? 6 : 3));

test("a burst that is felt for forty seconds is over then, and the workers that came for it are counted", () => {
  const figures = figuresOf(
    asked((s) => ({ first_text_ms: s >= 62 && s < 100 ? 300 : 50 })),
    steps,
    phases,
    limits,
  );
  expect(figures.workers).toEqual({ before: 2, most: 6, after: 3 });
  expect(figures.first_worker_s).toBe(30);
  // The window of ten seconds must be free of it too.
  expect(figures.recovered_s).toBeGreaterThanOrEqual(40);
  expect(figures.recovered_s).toBeLessThanOrEqual(50);
  expect([figures.phases.before.windows_held_share, figures.phases.burst.windows_held_share]).toEqual([1, 0.6]);
  expect(figures.failed).toBe(0);
});

test("what never comes back within the SLO, or only for a moment, has not recovered; what never leaves it has nothing to", () => {
  const with300 = (when: (s: number) => boolean) =>
    figuresOf(
      asked((s) => ({ first_text_ms: when(s) ? 300 : 50 })),
      steps,
      phases,
      limits,
    ).recovered_s;
  expect(with300((s) => s >= 60)).toBeNull();
  expect(with300((s) => (s >= 62 && s < 80) || (s >= 110 && s < 160))).toBeNull();
  expect(with300(() => false)).toBe(0);
});

test("who is late counts with the whole deadline, and who fails is told apart from who was cut off by a newer key", () => {
  const figures = figuresOf(
    asked((s) =>
      s >= 62 && s < 70
        ? { outcome: "expired", reason: "deadline" }
        : s >= 170 && s < 171
          ? { outcome: "lost" }
          : s >= 180 && s < 190
            ? { outcome: "superseded", reason: "superseded" }
            : { first_text_ms: 50 },
    ),
    steps,
    phases,
    limits,
  );
  expect(figures.phases.burst).toMatchObject({ late: 160, p95_ms: 500, failed: 0 });
  expect(figures.phases.after).toMatchObject({ late: 0, failed: 20, p95_ms: 50 });
  expect(figures.failed).toBe(20);
  expect(figures.failures).toEqual([{ outcome: "lost", detail: "", triggers: 20, first_s: 170, last_s: 171 }]);
  expect(figures.series.find(({ s }) => s === 70)).toMatchObject({ late_share: 0.8, p95_ms: 500 });
});

test("what of a prompt was there already is told apart for sessions that stay and those that come to another worker", () => {
  const one = (askedMs: number, session: string, worker: string, recomputed: number): Asked => ({
    ...{ askedMs, session, worker, outcome: "generated", prompt_tokens: 100, recomputed_tokens: recomputed },
  });
  const { reuse } = figuresOf(
    [
      ...[one(0, "a", "w1", 100), one(500, "a", "w1", 4), one(1_000, "a", "w2", 10), one(1_500, "a", "w2", 4)],
      ...[
        one(0, "b", "w2", 100),
        one(30_000, "b", "w1", 100),
        { askedMs: 31_000, session: "b", outcome: "typed_ahead", worker: "" },
      ],
    ],
    steps,
    phases,
    limits,
  );
  expect(reuse).toEqual({
    stayed: { prompts: 2, reused_share: 0.96 },
    moved: { prompts: 1, reused_share: 0.9 },
    kept_share: 0.938,
  });
});

test("moments at which hardly anybody asks have no p95, and the page of it has all its curves", () => {
  const figures = figuresOf([{ askedMs: 5_000, outcome: "generated", first_text_ms: 40 }], steps, phases, limits);
  expect(figures.series.every(({ p95_ms: ms }) => ms === null)).toBe(true);
  expect(figures.phases.before).toMatchObject({ p95_ms: null, windows_held_share: null });
  const page = burstPage({
    ...{ ...figures, pool: "inline", people: [8, 24], seed: 1, slo_ms: 100, min_replicas: 1, max_replicas: 8, violations: [] },
    decisions: [{ s: 70, from: 2, to: 6, reason: "Load" }],
  });
  for (const name of ["triggers a second", "people", "wanted", "pods", "ready", "SLO 100 ms"]) expect(page).toContain(name);
});
