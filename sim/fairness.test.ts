import { expect, test } from "vitest";
import { starved } from "./fairness.ts";
import type { TriggerRecord } from "./typist.ts";

const of = (counts: Partial<Record<TriggerRecord["outcome"], number>>) =>
  Object.entries(counts).flatMap(([outcome, count]) =>
    Array.from({ length: count }, () => ({ outcome: outcome as TriggerRecord["outcome"] })),
  );

test.each<[name: string, a: Parameters<typeof of>[0], b: Parameters<typeof of>[0], found: string[]]>([
  ["a tenant that is served nothing while another is", { refused: 8, expired: 6 }, { generated: 20 }, ["a starves"]],
  ["nobody, where nobody is served", { refused: 14 }, { refused: 20 }, []],
  ["nobody, where a little is served", { refused: 14, generated: 1 }, { generated: 20 }, []],
  ["nobody, where nothing was wanted", { gated: 20, superseded: 20 }, { generated: 20 }, []],
])("%s is found", (_, a, b, found) => {
  const tenants = new Map([
    ["a", of(a)],
    ["b", of(b)],
  ]);
  expect(starved(tenants).map((what) => what.slice(0, 9))).toEqual(found);
});
