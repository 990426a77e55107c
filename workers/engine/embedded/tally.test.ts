import { expect, test } from "vitest";
import { Tally } from "./tally.ts";

test("blocks are counted by source, by reason and by position", () => {
  const tally = new Tally({ lengthMax: 3 });
  tally.block({ source: "none", why: "no_gain", tokens: [], accepted: 0, draftPasses: 0 });
  tally.block({ source: "model", why: "gain", tokens: [1, 2, 3], accepted: 1, draftPasses: 5 });
  tally.block({ source: "lookup", why: "gain", tokens: [1], accepted: 1, draftPasses: 0 });
  tally.spent(1.5);
  tally.spent(2);
  expect(tally.now).toMatchObject({
    processorMs: 3.5,
    drafted: [2, 1, 1],
    accepted: [2, 0, 0],
    passes: { target: 3, draft: 5 },
    sources: { none: 1, lookup: 1, model: 1 },
    whys: { no_gain: 1, gain: 2, explore: 0 },
  });
});
