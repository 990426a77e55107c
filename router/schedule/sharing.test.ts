import { expect, test } from "vitest";
import { workerOf } from "../../test/support/router.ts";
import { hashOf, weightOf } from "./rendezvous.ts";
import { isMostOf, sharing } from "./sharing.ts";

const beginning = (holders: readonly string[], bytes = 4_096) => ({ name: "b", bytes, holders });
const names = ["w1", "w2", "w3", "w4"];
/** As the beginning prefers them. */
const [first, second, third, fourth] = [...names].sort(
  (a, b) => weightOf(hashOf("b"), hashOf(b)) - weightOf(hashOf("b"), hashOf(a)),
) as [string, string, string, string];

interface Given {
  /** 0 where nothing is said. */
  readonly waits?: Readonly<Record<string, number>>;
  /** The wait, and 100 more where the beginning is not. */
  readonly costs?: Readonly<Record<string, number>>;
  readonly unusable?: readonly string[];
  readonly replicasMax?: number;
}

function put(holders: readonly string[], { waits = {}, costs = {}, unusable = [], replicasMax = 3 }: Given = {}) {
  const wait = (name: string) => waits[name] ?? 0;
  const may = [first, second, third, fourth].filter((name) => !unusable.includes(name));
  const chosen = sharing(beginning(holders), {
    holding: may.filter((name) => holders.includes(name)).map((name) => workerOf(name)),
    next: () => may.filter((name) => !holders.includes(name)).map((name) => workerOf(name))[0],
    waitMs: ({ name }) => wait(name),
    costMs: ({ name }) => costs[name] ?? wait(name) + (holders.includes(name) ? 0 : 100),
    patienceMs: 20,
    replicasMax,
  });
  return chosen && `${chosen.why} ${chosen.worker.name}`;
}

test.each<[name: string, holders: string[], given: Given, chosen: string | undefined]>([
  ["who alone holds it has it", [third], {}, `shared ${third}`],
  ["of several the one that the beginning prefers, so that the others can forget it", [third, first], {}, `shared ${first}`],
  ["the next of them when that one is busy", [first, third], { waits: { [first]: 21 } }, `shared ${third}`],
  ["a short wait is waited for", [first], { waits: { [first]: 20 } }, `shared ${first}`],
  ["a longer one as well, while that is less than to compute it elsewhere", [first], { waits: { [first]: 90 } }, `shared ${first}`],
  ["beyond that the next by hash gets it, and no other", [first], { waits: { [first]: 110 } }, `replica ${second}`],
  [
    "or the one after, where that one may not be asked",
    [first],
    { waits: { [first]: 110 }, unusable: [second] },
    `replica ${third}`,
  ],
  ["however idle others are", [first], { waits: { [first]: 110, [second]: 5 } }, `replica ${second}`],
  [
    "so many hold it at most: then it goes where all go",
    [first, second, third],
    { waits: { [first]: 300, [second]: 300, [third]: 300 } },
    undefined,
  ],
  ["who may not be asked holds nothing", [first, third], { unusable: [first] }, `shared ${third}`],
  ["when nobody who holds it may be asked, the next is as good as new", [first], { unusable: [first] }, `replica ${second}`],
  ["with nobody to ask there is nobody", [first], { unusable: names }, undefined],
])("%s", (_, holders, given, chosen) => {
  expect(put(holders, given)).toBe(chosen);
});

test("a demand that grows brings it to one worker after the other, each once", () => {
  const holders = [first];
  const brought: string[] = [];
  for (let i = 0; i < 6; i++) {
    const chosen = put(holders, { waits: Object.fromEntries(holders.map((name) => [name, 150])), replicasMax: 4 });
    if (!chosen?.startsWith("replica")) break;
    holders.push(chosen.split(" ")[1] as string);
    brought.push(chosen);
  }
  expect(brought).toEqual([`replica ${second}`, `replica ${third}`, `replica ${fourth}`]);
});

test.each([
  [4_096, 8_000, true],
  [4_096, 9_000, false],
])("a beginning of %i bytes is most of a prompt of %i: %o", (bytes, all, most) => {
  expect(isMostOf(beginning([], bytes), all)).toBe(most);
});

test("what nobody shares is most of nothing", () => {
  expect(isMostOf(undefined, 0)).toBe(false);
});
