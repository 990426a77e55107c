// calibration: a freshly loaded model in, the first rows of the controller's cost table out: what a verify of n tokens and a
// draft pass take on this machine. Stops early on a slow one; the table goes on learning from every step.
import type { LlamaContextSequence, Token } from "node-llama-cpp";
import type { Clock } from "../../../lib/clock.ts";
import type { Speculation } from "../../speculation/speculation.ts";
import type { LoadedModel } from "./loaded-model.ts";
import type { Pace } from "./pace.ts";
import { sampleCode } from "./sample-code.ts";

const repeats = 4;
/** Tokens before the measured ones: a step costs more the more it looks back on. */
const contextTokens = 128;
const greedy = { generateNext: { token: true, options: { temperature: 0 } } } as const;

interface Deps {
  readonly clock: Clock;
  readonly pace: Pace;
  readonly speculation: Speculation;
}

export async function calibrate(loaded: LoadedModel, options: { lengthMax: number; limitMs: number }, deps: Deps): Promise<void> {
  const { clock, pace } = deps;
  const { costs } = deps.speculation;
  const [target] = loaded.sequences;
  const [draft] = loaded.drafts;
  if (!target || !loaded.canTrim) return;
  const tokens = loaded.encodeText(sampleCode).slice(0, Math.min(contextTokens, loaded.contextTokens >> 1)) as Token[];
  const startedMs = clock.now();
  const sizes = [1, 2, 3, 5, options.lengthMax + 1];
  for (const sequence of [target, draft]) await sequence?.evaluateWithoutGeneratingNewTokens(tokens);
  if (draft) costs.caughtUp(tokens.length, clock.now() - startedMs);
  for (let repeat = -1; repeat < repeats; repeat++) {
    for (const size of sizes) {
      if (repeat > 0 && clock.now() - startedMs > options.limitMs) return;
      const ms = await timed(target, tokens, size, clock, (at) => pace.target(at));
      // The first round pays for what llama.cpp sets up.
      if (repeat >= 0) costs.verified(size, ms);
    }
    if (draft) {
      const ms = await timed(draft, tokens, 1, clock, (at) => pace.draft(at));
      if (repeat >= 0) costs.drafted(ms);
    }
  }
}

async function timed(
  sequence: LlamaContextSequence,
  tokens: readonly Token[],
  size: number,
  clock: Clock,
  pad: (startedMs: number) => Promise<void>,
): Promise<number> {
  const startedMs = clock.now();
  const start = sequence.nextTokenIndex;
  await sequence.controlledEvaluate(tokens.slice(0, size).map((token) => [token, greedy]));
  await sequence.eraseContextTokenRanges([{ start, end: sequence.nextTokenIndex }]);
  await pad(startedMs);
  return clock.now() - startedMs;
}
