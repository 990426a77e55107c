import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { LoopTurns } from "./loop-turns.ts";

test("lets one go in each turn of the loop, in their order, and what else is due comes between", async () => {
  const turns = new LoopTurns();
  const seen: string[] = [];
  const all = Promise.all(["a", "b", "c"].map((name) => turns.next().then(() => void seen.push(name))));
  expect(seen).toEqual([]);
  const others = (async () => {
    for (let turn = 0; turn < 3; turn++) {
      await nextTurn();
      seen.push("-");
    }
  })();
  await Promise.all([all, others]);
  expect(seen.filter((each) => each !== "-")).toEqual(["a", "b", "c"]);
  expect(seen.join("")).not.toMatch(/[abc]{2}/);
  await turns.next();
});
