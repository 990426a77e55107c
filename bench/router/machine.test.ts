import { expect, test } from "vitest";
import { doubtsOf, type MachineShare, machineMeter } from "./machine.ts";

const share: MachineShare = { cores: 2, router: 0.3, workers: 0.1, client: 0.3, others: 0.02 };
type Run = Parameters<typeof doubtsOf>[0];
const run: Run = { asked: 1_000, answered: 1_000, direct: 67, floorMs: 65 };

type Case = [name: string, given: Partial<Run>, shares: Partial<MachineShare>, doubts: RegExp[]];

test.each<Case>([
  ["a row on a machine with room is valid", {}, {}, []],
  ["one on full cores is not", {}, { client: 0.55 }, [/full .*client 55 %/]],
  ["nor one beside other programs", {}, { others: 0.2 }, [/other programs take 20 %/]],
  ["nor one that lost generations", { answered: 900 }, {}, [/100 of 1000 did not end/]],
  ["nor one whose workers were late themselves", { direct: 80 }, {}, [/80 ms where 65/]],
])("%s", (_, given, shares, doubts) => {
  const found = doubtsOf({ ...run, ...given }, { ...share, ...shares });
  expect(found).toEqual(doubts.map((doubt) => expect.stringMatching(doubt)));
});

test("what the bench's own processes took is not counted as others'", () => {
  const { others, router } = machineMeter()({ router: 1e9, workers: 0 });
  expect(others).toBe(0);
  expect(router).toBeGreaterThan(1);
});
