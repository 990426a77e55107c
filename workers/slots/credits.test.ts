import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { lanes } from "../generation.ts";
import { type Member, type PerLane, shareCredits } from "./credits.ts";

const per = (inline = 0, chat = 0, speculative = 0, batch = 0): PerLane => ({ inline, chat, speculative, batch });
const member = (active: PerLane, demand = per()): Member => ({ active, demand });
const shares = (slots: number, ...members: Member[]) =>
  shareCredits(slots, members).map((share) => lanes.map((lane) => share[lane]));

test.each([
  ["one router alone has every slot and one more", 4, [member(per())], [[5, 1, 1, 1]]],
  [
    "idle routers share evenly",
    4,
    [member(per()), member(per())],
    [
      [3, 1, 1, 1],
      [2, 1, 1, 1],
    ],
  ],
  [
    "demand takes all but the floor of the idle",
    4,
    [member(per(), per(9)), member(per())],
    [
      [5, 1, 0, 0],
      [1, 1, 0, 0],
    ],
  ],
  [
    "equal demand is shared evenly",
    4,
    [member(per(5), per(9)), member(per(), per(9))],
    [
      [3, 1, 0, 0],
      [2, 1, 0, 0],
    ],
  ],
  [
    "small demand is met, the rest goes to the large",
    7,
    [member(per(), per(2)), member(per(), per(20))],
    [
      [2, 1, 0, 0],
      [6, 1, 0, 0],
    ],
  ],
  [
    "more routers than credits keep one each",
    1,
    [member(per(), per(1)), member(per(), per(1)), member(per())],
    [
      [1, 1, 0, 0],
      [1, 1, 0, 0],
      [1, 1, 0, 0],
    ],
  ],
  ["chat leaves the last slot to inline", 4, [member(per(), per(0, 9))], [[2, 3, 1, 1]]],
  ["batch takes what chat leaves, less the last slot", 4, [member(per(), per(0, 1, 0, 9))], [[2, 1, 1, 2]]],
  ["inline demand comes before chat", 4, [member(per(), per(9, 9))], [[5, 1, 0, 0]]],
  ["speculative work gets slots, not the place in the queue", 4, [member(per(), per(0, 0, 9))], [[1, 1, 4, 1]]],
  ["on one slot chat may run and batch waits for demand", 1, [member(per())], [[2, 1, 1, 0]]],
  ["nobody is nobody", 4, [], []],
] as const)("%s", (_what, slots, members, expected) => {
  expect(shares(slots, ...members)).toEqual(expected);
});

test("whatever the demand: each has inline, none is idle beside demand, and the sum stays within slots and floors", () => {
  const random = seeded(9);
  const some = () => per(below(random, 9), below(random, 5), below(random, 5), below(random, 5));
  for (let run = 0; run < 2_000; run++) {
    const slots = 1 + below(random, 12);
    const members = Array.from({ length: 1 + below(random, 6) }, () => member(some(), some()));
    const found = shareCredits(slots, members);
    const sum = (lane: (typeof lanes)[number]) => found.reduce((all, share) => all + share[lane], 0);
    for (const share of found) expect(share.inline).toBeGreaterThanOrEqual(1);
    // Two floors a router, and one of each leftover lane.
    const floors = members.length * 4;
    expect(lanes.reduce((all, lane) => all + sum(lane), 0)).toBeLessThanOrEqual(slots + 1 + floors);
    expect(sum("chat") + sum("batch")).toBeLessThanOrEqual(Math.max(1, slots - 1) + 2 * members.length);
    const wants = members.reduce((all, { active, demand }) => all + active.inline + demand.inline, 0);
    expect(sum("inline")).toBeGreaterThanOrEqual(Math.min(wants, slots + 1));
  }
});
