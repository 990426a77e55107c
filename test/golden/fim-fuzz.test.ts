import { expect, test } from "vitest";
import { fuzz } from "../support/fim-fuzz.ts";

test("no special token of any family enters a prompt from a user's text, nor another tenant's or an excluded one", () => {
  const { spelled, faults } = fuzz(2_000, 1);
  expect(faults).toEqual([]);
  expect(spelled).toBeGreaterThan(5_000);
});
