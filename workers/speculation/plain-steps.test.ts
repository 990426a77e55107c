import { expect, test } from "vitest";
import { PlainSteps } from "./plain-steps.ts";

test("plain steps are booked sixteen at a time, with their geometric mean", () => {
  const plain = new PlainSteps();
  const booked = Array.from({ length: 32 }, (_, i) => plain.add(i % 2 === 0 ? 1 : 4, 1)).filter((one) => one !== undefined);
  expect(booked.map(({ steps, load }) => [steps, load])).toEqual([
    [16, 1],
    [16, 1],
  ]);
  for (const { ms } of booked) expect(ms).toBeCloseTo(2);
});

test("what is not booked yet is there when it is asked for, once", () => {
  const plain = new PlainSteps();
  plain.add(3, 2);
  expect(plain.take()).toMatchObject({ steps: 1, load: 2 });
  expect(plain.take()).toBeUndefined();
});

test("steps at another load are booked apart", () => {
  const plain = new PlainSteps();
  plain.add(1, 1);
  plain.add(1, 1);
  expect(plain.add(5, 2)).toMatchObject({ steps: 2, ms: 1, load: 1 });
  expect(plain.take()).toMatchObject({ steps: 1, load: 2 });
});
