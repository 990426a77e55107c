// The same as each day's, over 200,000 texts. Says what it did: the figure is the point.
import { expect, test } from "vitest";
import { fuzz } from "../support/fim-fuzz.ts";

const texts = 50_000;

test.each([2, 3, 4, 5])("no special token leaks from 50,000 texts of seed %i", (seed) => {
  const { spelled, faults } = fuzz(texts, seed);
  process.stdout.write(
    `fim fuzz: ${texts} texts of seed ${seed}, ${spelled} special tokens spelt in them, ${faults.length} faults\n`,
  );
  expect(faults).toEqual([]);
});
