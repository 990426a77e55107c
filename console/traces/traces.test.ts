import { expect, test } from "vitest";
import { longest } from "./traces.ts";

const step = (room: string, took_ms: number) => ({ room, at_ms: 0, took_ms, what: "" });

test.each([
  ["the one that took most of it", 100, [step("settle", 10), step("queue", 80), step("dispatch", 10)], "queue 80 %"],
  ["nobody, where no room took a quarter", 100, [step("settle", 20), step("queue", 20), step("dispatch", 24)], "–"],
  ["nobody, where nothing took any time", 0, [step("reuse", 0)], "–"],
  ["no more than all of it: a generation may outlive its trigger", 50, [step("dispatch", 90)], "dispatch 100 %"],
  ["nobody, of what never reached a room", 5, [], "–"],
])("the room to blame is %s", (_, total_ms, steps, room) => {
  expect(longest({ total_ms, steps })).toBe(room);
});
