import { expect, test } from "vitest";
import { largestServed } from "./search.ts";

const options = { first: 20, step: 1.3, max: 2_000, within: 0.04, triesMax: 20 };

test.each([0, 1, 2, 7, 20, 21, 333, 1_999])("finds %i people within the share that is asked for", async (most) => {
  const asked: number[] = [];
  const serves = async (people: number) => {
    asked.push(people);
    return people <= most;
  };
  const found = await largestServed(serves, options);
  expect(found).toBeLessThanOrEqual(most);
  expect(found).toBeGreaterThanOrEqual(Math.floor(most * 0.94));
  expect(new Set(asked).size).toBe(asked.length);
  expect(asked.length).toBeLessThanOrEqual(16);
});

test("asks no more often than it may, and never beyond the most", async () => {
  const asked: number[] = [];
  const serves = async (people: number) => asked.push(people) > 0;
  expect(await largestServed(serves, { ...options, max: 50 })).toBe(50);
  asked.length = 0;
  await largestServed(serves, { ...options, triesMax: 2 });
  expect(asked).toEqual([20, 26]);
});
