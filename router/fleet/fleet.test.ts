import { expect, test } from "vitest";
import { freeOf, modelOf } from "../../test/support/router.ts";
import { Fleet, type WorkerProfile } from "./fleet.ts";

function room() {
  const told = { count: 0 };
  const fleet = new Fleet({ capacity: () => (told.count += 1) });
  const join = (address: string, given: Partial<WorkerProfile> = {}) => {
    fleet.joined(address, { name: address, pool: "p", engine: "simulated", slots: 4, models: [modelOf()], ...given });
    fleet.credits(address, freeOf(2));
  };
  const free = (worker: string) => fleet.snapshot().workers.find(({ name }) => name === worker)?.free.inline;
  return { fleet, join, free, told };
}

test("a worker that joined takes nothing before its credits come", () => {
  const { fleet, free } = room();
  fleet.joined("w1", { name: "w1", pool: "p", engine: "simulated", slots: 4, models: [] });
  expect(free("w1")).toBe(0);
  fleet.credits("w1", freeOf(3));
  expect(free("w1")).toBe(3);
});

test("a booking counts at once in its own lane, and is given back once", () => {
  const { fleet, join, free, told } = room();
  join("w1");
  const release = fleet.book("w1", "inline");
  fleet.book("w1", "chat");
  expect(fleet.snapshot().workers[0]).toMatchObject({ outstanding: 2, free: { inline: 1, chat: 1, batch: 2 } });
  const before = told.count;
  release();
  release();
  expect([free("w1"), told.count - before]).toEqual([2, 1]);
});

test("credits are absolute: fewer than what is booked are none", () => {
  const { fleet, join, free } = room();
  join("w1");
  const releases = [fleet.book("w1", "inline"), fleet.book("w1", "inline")];
  fleet.credits("w1", freeOf(1));
  expect(free("w1")).toBe(0);
  releases[0]?.();
  expect(free("w1")).toBe(0);
  releases[1]?.();
  expect(free("w1")).toBe(1);
});

test("a snapshot does not change with what comes later", () => {
  const { fleet, join } = room();
  join("w1");
  const then = fleet.snapshot();
  expect(fleet.snapshot()).toBe(then);
  fleet.book("w1", "inline");
  expect(then.workers[0]?.free.inline).toBe(2);
  expect(fleet.snapshot().workers[0]?.free.inline).toBe(1);
});

test("a link that breaks takes its worker and its bookings with it, and who waited hears of it", () => {
  const { fleet, join, free, told } = room();
  join("w1");
  const release = fleet.book("w1", "inline");
  const before = told.count;
  fleet.left("w1");
  expect([fleet.snapshot().workers, told.count - before]).toEqual([[], 1]);
  join("w1");
  release();
  expect(free("w1")).toBe(2);
});

test("what comes late from a link that is gone changes nothing", () => {
  const { fleet, told } = room();
  fleet.credits("w1", freeOf(1));
  fleet.draining("w1", true);
  fleet.load("w1", { running: 1, prefillTokensPerSecond: 1, stepMs: 1, prefillBacklogTokens: 1 });
  fleet.left("w1");
  expect([fleet.snapshot().workers, told.count]).toEqual([[], 0]);
  expect(() => fleet.book("w1", "inline")()).not.toThrow();
});

test("a worker that came back at another address is there once, by its newest link", () => {
  const { fleet, join, free } = room();
  join("old", { name: "w1" });
  join("new", { name: "w1" });
  fleet.credits("old", freeOf(9));
  expect(fleet.snapshot().workers).toHaveLength(1);
  expect([fleet.address("w1"), free("w1")]).toEqual(["new", 2]);
  const release = fleet.book("w1", "inline");
  expect(free("w1")).toBe(1);
  fleet.left("old");
  expect(free("w1")).toBe(1);
  release();
  join("old", { name: "w1" });
  expect(fleet.address("w1")).toBe("old");
  fleet.left("old");
  expect([fleet.address("w1"), free("w1")]).toEqual(["new", 2]);
});

test("load and draining show in the view; only what may be capacity is told", () => {
  const { fleet, join, told } = room();
  join("w1");
  const before = told.count;
  fleet.load("w1", { running: 3, prefillTokensPerSecond: 1_000, stepMs: 5, prefillBacklogTokens: 70 });
  expect(told.count).toBe(before);
  fleet.draining("w1", true);
  expect(fleet.snapshot().workers[0]).toMatchObject({ running: 3, stepMs: 5, prefillBacklogTokens: 70, draining: true });
  fleet.draining("w1", false);
  expect(fleet.snapshot().workers[0]?.draining).toBe(false);
  expect(told.count).toBeGreaterThan(before);
});

test.each<[asked: string, model: string | undefined, rate: number | undefined]>([
  ["", "small", 2_000],
  ["small", "small", 2_000],
  ["large", "large", 500],
  ["inline-pool", "small", 2_000],
  ["chat-pool", "large", 500],
  ["unheard-of", undefined, undefined],
])("asked for %j the fleet serves %s, at its fastest worker's rate", (asked, name, rate) => {
  const { fleet, join } = room();
  const load = (prefillTokensPerSecond: number) => ({ running: 0, prefillTokensPerSecond, stepMs: 0, prefillBacklogTokens: 0 });
  join("w1", { pool: "inline-pool", models: [modelOf({ name: "small" })] });
  join("w2", { pool: "inline-pool", models: [modelOf({ name: "small" })] });
  join("w3", { pool: "chat-pool", models: [modelOf({ name: "large" })] });
  fleet.load("w1", load(1_000));
  fleet.load("w2", load(2_000));
  fleet.load("w3", load(500));
  expect([fleet.model(asked)?.name, fleet.model(asked)?.prefillTokensPerSecond]).toEqual([name, rate]);
});

test("an empty fleet serves no model", () => {
  expect(room().fleet.model("")).toBeUndefined();
});
