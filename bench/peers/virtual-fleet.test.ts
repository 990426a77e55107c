import { expect, test } from "vitest";
import type { EditorName } from "./editors.ts";
import { type Crowd, type Figures, type FleetOptions, figuresOf } from "./fleet.ts";
import { peerSources } from "./sources.ts";
import { VirtualFleet } from "./virtual-fleet.ts";
import { VirtualNative } from "./virtual-native.ts";

const options: FleetOptions = {
  ...{ profile: "h100-7b-eagle3", end: "mid", agreement: 0.5, workers: 2, slots: 8, people: 4, seed: 1 },
  ...{ sources: peerSources(), maxTokens: 32, startWithinMs: 1_000 },
};
const { signal } = new AbortController();

async function typed(crowd: Crowd): Promise<Figures> {
  try {
    await crowd.pass(3_000, signal);
    await crowd.take();
    await crowd.pass(8_000, signal);
    return figuresOf(await crowd.take());
  } finally {
    await crowd.end();
  }
}
const editor = (name: EditorName, given: Partial<FleetOptions> = {}) =>
  typed(new VirtualFleet({ ...options, ...given, policy: "direct", editor: name }));

test("the same seed gives the same figures, another one others", async () => {
  const first = await editor("expert");
  expect(await editor("expert")).toEqual(first);
  expect(await editor("expert", { seed: 2 })).not.toEqual(first);
});

test("everybody types the same keys, and manners show in what they cost", async () => {
  const [naive, expert, native] = [
    await editor("naive"),
    await editor("expert"),
    await typed(await VirtualNative.start({ ...options })),
  ];
  expect([expert.keys, native.keys]).toEqual([naive.keys, naive.keys]);
  expect(naive.recomputed_tokens_per_key).toBeGreaterThan(20 * expert.recomputed_tokens_per_key);
  expect(native.recomputed_tokens_per_key).toBeLessThan(naive.recomputed_tokens_per_key / 4);
  expect(expert.fresh_per_key).toBeGreaterThan(0.8);
  expect(native.along_per_key).toBeGreaterThan(0.1);
});
