import { expect, test } from "vitest";
import { seeded } from "../../../lib/random.ts";
import type { Generation, Lane, Sampling } from "../../generation.ts";
import { type PlanOptions, planStep } from "./plan.ts";
import { profile } from "./profiles.ts";
import { Sequence } from "./sequence.ts";
import { TokenChain } from "./tokens.ts";

const options: PlanOptions = { profile: profile("h100-7b-eagle3", "mid"), agreement: 0.7, draftDepthMax: 4, chunkTokens: 256 };

interface Wish {
  readonly prompt: number;
  readonly computed?: number;
  readonly speculation?: Sampling["speculation"];
  readonly hint?: number;
  readonly tokensMax?: number;
  readonly said?: number;
}

function sequence(wish: Wish): Sequence {
  const chain = new TokenChain({ blockTokens: 16, salt: "" });
  for (let i = 0; i < wish.prompt; i++) chain.piece(Uint8Array.of(i % 251), 0, 1, false);
  const work = {
    lane: "inline" as Lane,
    draftDepthHint: wish.hint ?? 0,
    sampling: { speculation: wish.speculation ?? "auto" },
  } as Generation;
  const made = new Sequence({
    work,
    rank: 0,
    tokensMax: wish.tokensMax ?? 100,
    chain,
    text: [][Symbol.iterator](),
    random: seeded(1),
    arrivedMs: 0,
  });
  made.computed = wish.computed ?? wish.prompt;
  made.usage.completionTokens = wish.said ?? 1;
  return made;
}
const plan = (...wishes: Wish[]) => planStep(wishes.map(sequence), options);

test("a chunk is shared out in order, and what does not fit waits for the next step", () => {
  const step = plan({ prompt: 100, computed: 40 }, { prompt: 300, computed: 0 }, { prompt: 50, computed: 0 });
  expect(step.prefill.map(({ tokens }) => tokens)).toEqual([60, 196]);
  expect(step.decode).toEqual([]);
});

test("prompt alone costs its tokens, at least as long as the weights take to read", () => {
  expect(plan({ prompt: 16, computed: 0 }).ms).toBe(5.5);
  expect(plan({ prompt: 500, computed: 0 }).ms).toBeCloseTo(256 / 45);
});

test("prompt beside decodes comes on top of the decodes", () => {
  const alone = plan({ prompt: 10, speculation: "off" });
  const beside = plan({ prompt: 10, speculation: "off" }, { prompt: 90, computed: 0 });
  expect(alone.ms).toBeCloseTo(5.575);
  expect(beside.ms - alone.ms).toBeCloseTo(90 / 45);
});

test.each([
  ["off drafts nothing", { speculation: "off", hint: 3 }, 0],
  ["a hint is followed", { hint: 2 }, 2],
  ["up to the most", { hint: 30 }, 4],
  ["auto takes what pays", {}, 4],
  ["no draft beyond the tokens still wanted", { tokensMax: 4, said: 2 }, 1],
  ["the last token is never drafted", { tokensMax: 3, said: 2, speculation: "always" }, 0],
] as const)("%s", (_what, wish, depth) => {
  expect(plan({ prompt: 10, ...wish }).decode[0]?.depth).toBe(depth);
});

test("where drafting does not pay, auto drafts nothing and always drafts one", () => {
  const depth = (speculation: "auto" | "always") =>
    planStep([sequence({ prompt: 10, speculation })], { ...options, agreement: 0.01 }).decode[0]?.depth;
  expect([depth("auto"), depth("always")]).toEqual([0, 1]);
});
