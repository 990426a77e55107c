// playing: results of the playground in, how many situations each system passed out, and each situation's marks.
import type { ResultRow } from "./results.ts";

interface Passed {
  readonly situations: number;
  readonly parses: number;
  readonly in_scope: number;
  readonly accepted: number;
}

export interface Playground {
  readonly systems: Readonly<Record<string, Passed>>;
  /** By system: "p" parses, "s" only names in scope, "A" accepted. */
  readonly situations: readonly { readonly id: string; readonly marks: Readonly<Record<string, string>> }[];
}

export function playgroundOf(rows: readonly ResultRow[], systems: readonly string[]): Playground {
  const marks = (row: ResultRow) => `${row.score.parses ? "p" : "-"}${row.inScope ? "s" : "-"}${row.accepted ? "A" : "-"}`;
  const passed = (own: readonly ResultRow[]): Passed => ({
    situations: own.length,
    parses: own.filter(({ score }) => score.parses).length,
    in_scope: own.filter(({ inScope }) => inScope).length,
    accepted: own.filter(({ accepted }) => accepted).length,
  });
  return {
    systems: Object.fromEntries(systems.map((name) => [name, passed(rows.filter(({ system }) => system === name))])),
    situations: [...new Set(rows.map(({ span }) => span))].map((id) => ({
      id,
      marks: Object.fromEntries(rows.filter(({ span }) => span === id).map((row) => [row.system, marks(row)])),
    })),
  };
}
