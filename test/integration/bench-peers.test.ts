import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { figuresOf } from "../../bench/peers/fleet.ts";
import { HttpFleet } from "../../bench/peers/http-fleet.ts";
import { NativeFleet } from "../../bench/peers/native-fleet.ts";
import { peerSources } from "../../bench/peers/sources.ts";
import { slipstream } from "../support/command.ts";

const options = {
  ...{ profile: "h100-7b-eagle3" as const, end: "fast" as const, agreement: 0.5, workers: 4, slots: 8, people: 4, seed: 1 },
  ...{ sources: peerSources(), maxTokens: 32, startWithinMs: 500, dilation: 2 },
};
const { signal } = new AbortController();

test("the same people type before our router and before nobody, on processes of their own, and both are scored by one rule", async () => {
  const folder = mkdtempSync(join(tmpdir(), "slipstream-peers-"));
  const crowds = [
    await NativeFleet.start(options),
    await HttpFleet.start({ ...options, peer: "direct", editor: "expert", folder }, signal),
  ];
  try {
    await Promise.all(crowds.map((crowd) => crowd.pass(4_000, signal)));
    for (const crowd of crowds) {
      const figures = figuresOf(await crowd.take());
      expect(figures.keys).toBeGreaterThan(8);
      expect(figures.fresh_per_key).toBeGreaterThan(0);
      expect(figures.recomputed_tokens_per_key).toBeGreaterThan(0);
      expect(figures.waste_share).toBeLessThan(1);
    }
  } finally {
    await Promise.all(crowds.map((crowd) => crowd.end()));
    rmSync(folder, { recursive: true, force: true });
  }
});

test.each([
  [["bench", "peers", "--workers", "2"], '--workers: "2" is not a whole number between 4 and 64'],
  [["bench", "peers", "--profiles", "tpu"], '--profiles: "tpu" is none of'],
  [["bench", "peers", "--parts", "luck"], '--parts: "luck" is none of'],
  [["bench", "peers", "--agreement", "2"], '--agreement: "2" is not a number between 0 and 1'],
  [["bench", "peers", "extra"], '"extra" is not an option'],
  [["plan"], '--developers: "" is not a whole number'],
  [["plan", "--developers", "500", "--profile", "l40s"], '--profile: "l40s" is none of'],
  [["plan", "--developers", "500", "--gpus", "0"], '--gpus: "0" is not a whole number between 1 and 64'],
])("%j is refused in a sentence", async (args, says) => {
  const { code, err, out } = await slipstream(args);
  expect([code, out]).toEqual([64, ""]);
  expect(err).toContain(says);
});
