import { expect, test } from "vitest";
import { below, seeded } from "../random.ts";
import { Lru, type LruOptions } from "./lru.ts";

const keys = <V>(lru: Lru<V>) => [...lru.entries()].map(([key]) => key);

test("the least recently used leaves first; reading and writing are uses", () => {
  const lru = new Lru<number>({ max: 3 });
  for (const key of ["a", "b", "c"]) lru.set(key, 1, 0);
  lru.get("a", 0);
  lru.set("b", 2, 0);
  lru.set("d", 1, 0);
  expect(keys(lru)).toEqual(["a", "b", "d"]);
  expect([lru.get("c", 0), lru.get("b", 0), lru.size]).toEqual([undefined, 2, 3]);
});

test("weight counts, and what is heavier than all room is not kept", () => {
  const evicted: string[] = [];
  const lru = new Lru<string>({ max: 10, maxWeight: 6, weigh: (text) => text.length, onEvict: (key) => evicted.push(key) });
  lru.set("a", "aa", 0);
  lru.set("b", "bb", 0);
  lru.set("c", "ccc", 0);
  expect([keys(lru), lru.weight, evicted]).toEqual([["b", "c"], 5, ["a"]]);
  lru.set("d", "dddddd", 0);
  expect([keys(lru), lru.weight, evicted]).toEqual([["d"], 6, ["a", "b", "c"]]);
  lru.set("d", "ddddddd", 0);
  // The old value of a key never stands for a new one that did not fit.
  expect([lru.size, lru.weight, lru.get("d", 0)]).toEqual([0, 0, undefined]);
});

test("an entry lives its time from when it was set, read or not", () => {
  const lru = new Lru<number>({ max: 10, ttlMs: 100 });
  lru.set("a", 1, 0);
  expect([lru.get("a", 50), lru.get("a", 100), lru.get("a", 100.1), lru.size]).toEqual([1, 1, undefined, 0]);
  lru.set("a", 2, 200);
  lru.set("a", 3, 250);
  expect(lru.get("a", 350)).toBe(3);
});

test("deleting frees the weight and is not an eviction", () => {
  const evicted: string[] = [];
  const lru = new Lru<number>({ max: 2, weigh: () => 5, maxWeight: 10, onEvict: (key) => evicted.push(key) });
  lru.set("a", 1, 0);
  lru.set("a", 2, 0);
  expect([lru.delete("a"), lru.delete("a"), lru.weight, evicted]).toEqual([true, false, 0, []]);
});

test("a map without room holds nothing", () => {
  const lru = new Lru<number>({ max: 0 });
  lru.set("a", 1, 0);
  expect([lru.size, lru.get("a", 0)]).toEqual([0, undefined]);
});

/** The same promises kept the slow way: a list, oldest use first. */
class Naive {
  #list: { key: string; value: number; at: number }[] = [];
  readonly evicted: string[] = [];
  readonly #options: LruOptions<number>;

  constructor(options: LruOptions<number>) {
    this.#options = options;
  }

  get(key: string, now: number): number | undefined {
    const entry = this.#list.find((each) => each.key === key);
    if (!entry) return undefined;
    this.delete(key);
    if (now - entry.at > (this.#options.ttlMs as number)) return undefined;
    this.#list.push(entry);
    return entry.value;
  }

  set(key: string, value: number, now: number): void {
    this.delete(key);
    if (value > (this.#options.maxWeight as number)) return;
    this.#list.push({ key, value, at: now });
    while (this.#list.length > this.#options.max || this.weight > (this.#options.maxWeight as number))
      this.evicted.push(this.#list.shift()?.key as string);
  }

  delete(key: string): boolean {
    const before = this.#list.length;
    this.#list = this.#list.filter((each) => each.key !== key);
    return this.#list.length < before;
  }

  get weight(): number {
    return this.#list.reduce((sum, { value }) => sum + value, 0);
  }

  get entries(): [string, number][] {
    return this.#list.map(({ key, value }) => [key, value]);
  }
}

test.each([1, 2, 3, 4, 5])("random use agrees with a naive model (seed %d)", (seed) => {
  const random = seeded(seed);
  const evicted: string[] = [];
  const options: LruOptions<number> = {
    max: 8,
    maxWeight: 40,
    ttlMs: 30,
    weigh: (value) => value,
    onEvict: (key) => evicted.push(key),
  };
  const lru = new Lru<number>(options);
  const naive = new Naive(options);
  for (let step = 0, now = 0; step < 5_000; step++) {
    now += below(random, 3);
    const key = String(below(random, 14));
    const act = random.next();
    if (act < 0.45) {
      const value = 1 + below(random, 45);
      lru.set(key, value, now);
      naive.set(key, value, now);
    } else if (act < 0.9) expect(lru.get(key, now)).toBe(naive.get(key, now));
    else expect(lru.delete(key)).toBe(naive.delete(key));
    expect([[...lru.entries()], lru.weight, lru.size]).toEqual([naive.entries, naive.weight, naive.entries.length]);
  }
  expect(evicted).toEqual(naive.evicted);
  expect(evicted.length).toBeGreaterThan(100);
});
