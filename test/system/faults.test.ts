// Real processes, a real network, real signals: nobody who asks through a session sees one of several workers die or freeze.
import { expect, test } from "vitest";
import { benchFaults, type FaultName } from "../../bench/faults/faults.ts";

// Machines that run tests are busy: what is late is another matter than what fails, and nobody asks again before the deadline.
const deadlineMs = 2_000;
const options = { workers: 3, slots: 8, rate: 25, sessions: 60, phaseSeconds: 2.5 };

test.each<FaultName>(["kill", "freeze", "slow"])("no trigger fails when a worker suffers a %s under load", async (fault) => {
  const [report] = await benchFaults(
    { ...options, faults: [fault], deadlineMs },
    { say: () => {}, signal: new AbortController().signal },
  );
  const generated = Object.values(report?.phases ?? {}).reduce((sum, { outcomes }) => sum + (outcomes["generated"] ?? 0), 0);
  expect(generated).toBeGreaterThan(10);
  for (const phase of ["before", "during", "after"] as const) {
    const figures = report?.phases[phase];
    expect(figures?.triggers, phase).toBeGreaterThan(20);
    expect(figures?.failures, `${phase}: ${JSON.stringify(figures?.outcomes)}`).toBe(0);
  }
});
