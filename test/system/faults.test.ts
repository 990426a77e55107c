// Real processes, a real network, real signals: nobody who asks through a session sees one of several workers die or freeze.
import { expect, test } from "vitest";
import { benchFaults, type FaultName } from "../../bench/faults/faults.ts";

const options = { workers: 3, slots: 8, rate: 25, sessions: 12, phaseSeconds: 3 };
// Machines that run tests are busy: what is late is another matter than what fails.
const deadlineMs = 2_000;

test.each<FaultName>(["kill", "freeze", "slow"])("no trigger fails when a worker suffers a %s under load", async (fault) => {
  const [report] = await benchFaults(
    { ...options, faults: [fault], deadlineMs },
    { say: () => {}, signal: new AbortController().signal },
  );
  expect(report?.fault).toBe(fault);
  for (const phase of ["before", "during", "after"] as const) {
    const figures = report?.phases[phase];
    expect(figures?.triggers, phase).toBeGreaterThan(20);
    expect(figures?.outcomes["generated"] ?? 0, phase).toBeGreaterThan(10);
    expect(figures?.failures, `${phase}: ${JSON.stringify(figures?.outcomes)}`).toBe(0);
  }
});
