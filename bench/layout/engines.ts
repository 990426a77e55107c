// engines: what computes the prompts of this bench: a pretend one that keeps blocks of 16 tokens, and the built-in model as the
// embedded engine runs it. A prompt in, how many of its tokens were computed out.

import type { Clock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import type { Segment, ServedModel } from "../../router/completion.ts";
import { EmbeddedEngine, type EmbeddedOptions } from "../../workers/engine/embedded/embedded.ts";
import { TokenChain } from "../../workers/engine/simulated/tokens.ts";
import type { Generation } from "../../workers/generation.ts";

export interface Computed {
  readonly promptTokens: number;
  readonly recomputedTokens: number;
}

export interface LayoutEngine {
  readonly name: "pretend" | "embedded";
  /** Tokens that are kept or computed together. */
  readonly blockTokens: number;
  /** What every model of a run has in common. */
  readonly model: Omit<ServedModel, "name" | "fimFamily" | "fim">;
  compute(segments: readonly Segment[], person: string): Promise<Computed>;
  /** Other people's prompts: nothing of before is held. */
  forget(): void;
  close(): Promise<void>;
}

const pretendBlock = 16;
/** Prompts of some 3,000 tokens, as products send them; windows of longer documents move. */
const contextTokens = 4_096;

/** Tokens as the simulated engine cuts them; what was computed stays. */
export function pretendEngine(): LayoutEngine {
  let held = new Set<number>();
  return {
    name: "pretend",
    blockTokens: pretendBlock,
    model: { contextTokens, bytesPerToken: 3.5, chatTemplate: false, prefillTokensPerSecond: 0 },
    compute: async (segments, person) => {
      const chain = new TokenChain({ blockTokens: pretendBlock, salt: person });
      for (const segment of segments) chain.add(segment);
      let hits = 0;
      // The last token is always computed: it chooses the first of the completion.
      const most = Math.floor((chain.tokens - 1) / pretendBlock);
      while (hits < most && held.has(chain.blocks[hits]?.key as number)) hits += 1;
      for (const { key } of chain.blocks) held.add(key);
      return { promptTokens: chain.tokens, recomputedTokens: chain.tokens - hits * pretendBlock };
    },
    forget: () => {
      held = new Set();
    },
    close: async () => {},
  };
}

const never = new AbortController().signal;

export async function embeddedEngine(
  options: Pick<EmbeddedOptions, "modelPath">,
  deps: { readonly clock: Clock },
): Promise<LayoutEngine> {
  const engine = await EmbeddedEngine.start({ ...options, slots: 1 }, { ...deps, log: silentLog });
  const [served] = engine.models;
  if (!served) throw new Error("the embedded engine serves a model");
  let id = 1n;
  return {
    name: "embedded",
    blockTokens: engine.blockTokens,
    model: { ...served, prefillTokensPerSecond: 0 },
    compute: async (segments, person) => {
      const pieces = engine.generate(
        { ...one, id: id++, model: served.name, segments, affinity: person, cacheSalt: person },
        never,
      );
      for (let step = await pieces.next(); ; step = await pieces.next())
        if (step.done) {
          if (step.value.kind === "failed") throw step.value.error;
          return step.value.usage;
        }
    },
    // Another salt shares nothing.
    forget: () => {},
    close: () => engine.close(),
  };
}

const one: Omit<Generation, "id" | "model" | "segments" | "affinity" | "cacheSalt"> = {
  link: "bench",
  lane: "inline",
  sampling: { maxTokens: 1, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "off" },
  stopAtNewline: false,
  deadlineMs: Number.POSITIVE_INFINITY,
  receivedMs: 0,
  blockDigests: new Uint8Array(),
  draftDepthHint: 0,
  traceparent: "",
};
