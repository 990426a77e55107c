// What a pause is worth: typists of a generated trace, each key asking, an answer that takes a fixed time and is fresh if it
// comes before the next key. The table of docs/decisions/0005-pause-or-ask-at-once.md is made by these lines.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generateTrace } from "../../sim/trace/generate.ts";
import { Cadence } from "./cadence.ts";
import { pauseMs } from "./pace.ts";

const text = readFileSync(new URL("../../test/simulation/sources/ledger.py.txt", import.meta.url), "utf8");

/** Times of the keys of ten people who type at this mean interval within a burst. */
function people(keyIntervalMeanMs: number): number[][] {
  return Array.from({ length: 10 }, (_, i) =>
    generateTrace({
      ...{ text, path: "a.py", language: "python", seed: i + 1, keys: 600 },
      typing: { keyIntervalMeanMs, keyIntervalSdMs: keyIntervalMeanMs * 0.47 },
    }).events.map((event) => event.tMs),
  );
}

function staleness(meanMs: number, answerMs: number, pause: number | { busy: number }) {
  let [keys, issued, fresh, workMs, waitMs] = [0, 0, 0, 0, 0];
  for (const times of people(meanMs)) {
    const cadence = new Cadence({ sessionsMax: 1 });
    for (const [i, at] of times.entries()) {
      keys += 1;
      cadence.key("s", at, at);
      const waits =
        typeof pause === "number"
          ? pause
          : pauseMs({ ...pause, typing: cadence.typing("s", at), answerMs, deadlineAfterMs: 1_500, pauseMaxMs: 250 });
      const left = (times[i + 1] ?? Number.POSITIVE_INFINITY) - at - waits;
      if (left <= 0) continue;
      issued += 1;
      workMs += Math.min(answerMs, left);
      if (left <= answerMs) continue;
      fresh += 1;
      waitMs += waits;
    }
  }
  return {
    issuedPerKey: issued / keys,
    staleShare: 1 - fresh / issued,
    freshPerKey: fresh / keys,
    workMsPerFresh: workMs / fresh,
    waitMs: waitMs / fresh,
  };
}

test("an answer that comes before the next key is asked for at once, however busy the workers are", () => {
  for (const answerMs of [60, 100]) {
    const [adaptive, none] = [staleness(239, answerMs, { busy: 1 }), staleness(239, answerMs, 0)];
    expect(adaptive).toEqual(none);
    expect(adaptive.staleShare).toBeLessThan(0.05);
  }
});

test("with idle workers nothing waits, whatever is wasted", () => {
  expect(staleness(120, 400, { busy: 0.5 }).waitMs).toBe(0);
});

test("a short fixed pause costs more work for each answer in time than none, and gives fewer", () => {
  for (const [meanMs, answerMs] of [
    [239, 100],
    [239, 200],
    [120, 100],
  ] as const) {
    const [short, none] = [staleness(meanMs, answerMs, 75), staleness(meanMs, answerMs, 0)];
    expect(short.workMsPerFresh).toBeGreaterThan(none.workMsPerFresh * 1.1);
    expect(short.freshPerKey).toBeLessThan(none.freshPerKey * 0.8);
  }
});

test("with full workers and late answers the pause saves most of the work and keeps half of the answers", () => {
  const [adaptive, none] = [staleness(120, 200, { busy: 1 }), staleness(120, 200, 0)];
  expect(adaptive.workMsPerFresh).toBeLessThan(none.workMsPerFresh * 0.4);
  expect(adaptive.issuedPerKey).toBeLessThan(0.25);
  expect(adaptive.freshPerKey).toBeGreaterThan(none.freshPerKey * 0.45);
  const fixed = staleness(120, 200, 75);
  expect(adaptive.workMsPerFresh).toBeLessThan(fixed.workMsPerFresh * 0.5);
});
