import { expect, test } from "vitest";
import { interruption, listOf, milliseconds, number, oneOf, refuseWords, whole } from "./options.ts";

test.each([
  ["a number beyond its bounds", () => number("load", "2", 0.05, 0.99), '--load: "2" is not a number between 0.05 and 0.99'],
  ["nothing at all for a number", () => number("load", " ", 0, 1), '--load: " " is not a number between 0 and 1'],
  [
    "a share where whole ones are counted",
    () => whole("slots", "1.5", 1, 8),
    '--slots: "1.5" is not a whole number between 1 and 8',
  ],
  ["one word of a list that is none of them", () => listOf("parts", "a,c", ["a", "b"]), '--parts: "c" is none of a, b'],
  ["a word that is none of them", () => oneOf("end", "far", ["slow", "fast"]), '--end: "far" is none of slow, fast'],
  ["a time without a known unit", () => milliseconds("duration", "5m", 9_000), '--duration: "5m" is not a time between 1ms and 9s'],
  ["a word where options alone are taken", () => refuseWords(["now"]), '"now" is not an option; --help shows them'],
])("%s is refused by name", (_, act, says) => {
  expect(act).toThrow(says);
});

test("what is within its bounds is taken as it is written", () => {
  expect([number("load", "0.5", 0, 1), whole("slots", "8", 1, 8), milliseconds("duration", "2s", 9_000)]).toEqual([0.5, 8, 2_000]);
  expect(listOf("parts", "b,a", ["a", "b"])).toEqual(["b", "a"]);
  expect(() => refuseWords([])).not.toThrow();
});

test.each(["SIGINT", "SIGTERM"] as const)("%s ends what is under way as cancelled", (signal) => {
  const acts = new Map<string, () => void>();
  const interrupted = interruption({ on: (name, act) => void acts.set(name, act) });
  expect(interrupted.aborted).toBe(false);
  acts.get(signal)?.();
  expect(interrupted.reason).toMatchObject({ code: "cancelled" });
});
