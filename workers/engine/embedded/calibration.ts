// calibration: a freshly loaded model in, the first rows of the controller's cost table out: what a verify of n tokens and a
// draft pass take on this machine. Stops early on a slow one; the table goes on learning from every step.
import type { LlamaContextSequence, Token } from "node-llama-cpp";
import type { Clock } from "../../../lib/clock.ts";
import type { Speculation } from "../../speculation/speculation.ts";
import { sampleCode } from "../sample-code.ts";
import type { LoadedModel } from "./loaded-model.ts";
import type { Pace } from "./pace.ts";

const repeats = 7;
/** Of these the first pay for what llama.cpp sets up and for our own cold code. */
const warmups = 2;
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
  await target.evaluateWithoutGeneratingNewTokens(tokens);
  const readMs = clock.now();
  await draft?.evaluateWithoutGeneratingNewTokens(tokens);
  if (draft) {
    await pace.draft(readMs);
    costs.caughtUp(tokens.length, clock.now() - readMs);
  }
  const verified = sizes.map((): number[] => []);
  const switched: number[] = [];
  const drafted: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    if (repeat > warmups && clock.now() - startedMs > options.limitMs) break;
    if (repeat === warmups) for (const list of [...verified, drafted, switched]) list.length = 0;
    const passed = (size: number) => timed(target, tokens, size, clock, (at) => pace.target(at));
    for (const [index, size] of sizes.entries()) {
      const first = await passed(size);
      // A plain step counts where it follows another; the first after a longer pass is one of that pass's costs.
      const second = await passed(1);
      verified[index]?.push(size === 1 ? second : first);
      if (size > 1) switched.push(second);
    }
    if (draft) drafted.push(await timed(draft, tokens, 1, clock, (at) => pace.draft(at)));
  }
  // The shortest of each: a busy machine only ever adds, and by chance to one and not to the other.
  for (const [index, size] of sizes.entries()) costs.measured(size, Math.min(...(verified[index] ?? [])));
  costs.switchMeasured(Math.min(...switched));
  if (draft) costs.draftMeasured(Math.min(...drafted));
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
