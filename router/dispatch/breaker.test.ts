import { expect, test } from "vitest";
import { allows, asked, type Breaker, closed, failed, lapsed, succeeded, tripped, unasked } from "./breaker.ts";

const options = { failuresMax: 3, openMinMs: 100, openMaxMs: 1_000 };
type Step = "fail" | "succeed" | "ask" | "take back" | "trip" | number;

/** The steps one after the other; a number lets so much time pass. */
function after(...steps: Step[]): Breaker {
  let now = 0;
  return steps.reduce<Breaker>((breaker, step) => {
    if (step === "fail") return failed(breaker, now, options);
    if (step === "succeed") return succeeded(breaker);
    if (step === "ask") return asked(breaker);
    if (step === "take back") return unasked(breaker);
    if (step === "trip") return tripped(breaker, now, options);
    now += step;
    return lapsed(breaker, now);
  }, closed);
}

test.each<[name: string, steps: Step[], state: Breaker["state"], allowed: boolean]>([
  ["failures that are not in a row leave it closed", ["fail", "fail", "succeed", "fail", "fail"], "closed", true],
  ["three in a row open it", ["fail", "fail", "fail"], "open", false],
  ["what was sent before does not close it", ["fail", "fail", "fail", "succeed"], "open", false],
  ["it stays open for its time", ["fail", "fail", "fail", 99], "open", false],
  ["then one may be sent", ["fail", "fail", "fail", 100], "probing", true],
  ["and no second one", ["fail", "fail", "fail", 100, "ask"], "probing", false],
  ["one that is taken back makes room for another", ["fail", "fail", "fail", 100, "ask", "take back"], "probing", true],
  ["its answer closes it", ["fail", "fail", "fail", 100, "ask", "succeed"], "closed", true],
  ["its failure opens it for twice as long", ["fail", "fail", "fail", 100, "ask", "fail", 199], "open", false],
  ["and no longer", ["fail", "fail", "fail", 100, "ask", "fail", 200], "probing", true],
  ["a trip opens it at once", ["trip"], "open", false],
  ["failures while it is open change nothing", ["trip", "fail", "fail", 100], "probing", true],
])("%s", (_, steps, state, allowed) => {
  const breaker = after(...steps);
  expect([breaker.state, allows(breaker)]).toEqual([state, allowed]);
});

test("how long it stays open grows to its bound", () => {
  let [breaker, now] = [after("trip"), 0];
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    if (breaker.state !== "open") throw new Error(breaker.state);
    pauses.push(breaker.untilMs - now);
    now = breaker.untilMs;
    breaker = failed(asked(lapsed(breaker, now)), now, options);
  }
  expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
});
