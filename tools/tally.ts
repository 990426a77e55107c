// tally: vitest's JSON report in, counts and one plain line out. A file that could not be loaded counts as one failed.

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

export const nothing: Tally = { passed: 0, failed: 0, skipped: 0 };

export function tally(report: Report): Tally {
  let { passed, failed, skipped } = nothing;
  for (const file of report.testResults) {
    const statuses = file.assertionResults.map((test) => test.status);
    const broken = statuses.filter((status) => status === "failed").length;
    passed += statuses.filter((status) => status === "passed").length;
    failed += broken === 0 && file.status === "failed" ? 1 : broken;
    skipped += statuses.filter((status) => status !== "passed" && status !== "failed").length;
  }
  return { passed, failed, skipped };
}

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }),
    nothing,
  );
}

/** The line that a run ends with. */
export function line({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** The last such line of an output, or undefined. */
export function readLine(output: string): Tally | undefined {
  const found = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  return found && { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3] ?? 0) };
}
