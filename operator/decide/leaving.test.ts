import { expect, test } from "vitest";
import type { WorkerSeen } from "../moves.ts";
import { decideLeaving } from "./decide.ts";

const nowMs = 1_000_000;
const worker = (name: string, more: Partial<WorkerSeen> = {}): WorkerSeen => ({
  ...{ name, isReady: true, bornMs: 0, inFlight: 3, kvValue: 10, ...more },
});
const leaves = (name: string, more: Partial<WorkerSeen> = {}) => worker(name, { leavingSinceMs: nowMs - 5_000, ...more });

test.each<[string, number, WorkerSeen[], string]>([
  ["as many as wanted: nobody goes", 2, [worker("a"), worker("b")], "drain - recall - release -"],
  ["the one of least KV value is drained first", 1, [worker("a"), worker("b", { kvValue: 3 })], "drain b recall - release -"],
  [
    "one that starts goes before one that serves",
    1,
    [worker("a"), worker("b", { isReady: false, kvValue: 99 })],
    "drain b recall - release -",
  ],
  ["of equals the younger goes", 1, [worker("a", { bornMs: 9 }), worker("b", { bornMs: 1 })], "drain a recall - release -"],
  ["who drains with work in flight is left alone", 1, [worker("a"), leaves("b")], "drain - recall - release -"],
  ["and is released when nothing is in flight", 1, [worker("a"), leaves("b", { inFlight: 0 })], "drain - recall - release b"],
  ["or when its time is over", 1, [worker("a"), leaves("b", { leavingSinceMs: nowMs - 20_000 })], "drain - recall - release b"],
  [
    "what nobody reports is no proof of nothing",
    1,
    [worker("a"), leaves("b", { inFlight: undefined })],
    "drain - recall - release -",
  ],
  ["one that serves no more is released", 1, [worker("a"), leaves("b", { isReady: false })], "drain - recall - release b"],
  ["a load that comes back takes it back", 2, [worker("a"), leaves("b")], "drain - recall b release -"],
  [
    "the most worth first",
    2,
    [worker("a"), leaves("b", { kvValue: 1 }), leaves("c", { kvValue: 9 })],
    "drain - recall c release -",
  ],
  [
    "one that was emptied is taken back too, for it serves at once",
    2,
    [worker("a"), leaves("b", { inFlight: 0 })],
    "drain - recall b release -",
  ],
  ["none is wanted", 0, [worker("a"), worker("b", { kvValue: 1 })], "drain b a recall - release -"],
])("%s", (_, wanted, workers, says) => {
  const { drain, recall, release } = decideLeaving({ nowMs, wanted, workers, drainMs: 20_000 });
  const list = (of: readonly string[]) => of.join(" ") || "-";
  expect(`drain ${list(drain)} recall ${list(recall)} release ${list(release)}`).toBe(says);
});
