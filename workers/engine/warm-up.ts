// warm-up: the first generations of an engine compile what they need, for seconds: they are run before anybody waits for one. A prompt
// of some length and a few tokens, asked as real ones are: one after the other until they take no longer, then, where more are asked
// for, as many at once as the engine runs, since a batch is compiled too.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Engine } from "./engine.ts";
import { sampleCode } from "./sample-code.ts";

/** It is warm when a generation takes no more than twice the best one. */
const roundsMax = 4;
const roundsMin = 2;

export interface WarmUpOptions {
  readonly withinMs: number;
  /** Generations in all; 0: none. Absent: as many as it takes, four at most. */
  readonly requests?: number | undefined;
}

interface Deps {
  readonly clock: Clock;
  readonly log?: Log;
  readonly signal?: AbortSignal;
}

type Warmed = Pick<Engine, "models" | "generate" | "slots">;

export async function warmUp(engine: Warmed, { withinMs, requests }: WarmUpOptions, deps: Deps): Promise<void> {
  const { clock, log, signal } = deps;
  const [model] = engine.models;
  if (!model || requests === 0) return;
  const late = new AbortController();
  using _timer = clock.timer(withinMs, () => late.abort());
  const over = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
  const most = Math.min(roundsMax, requests ?? roundsMax);
  const times: number[] = [];
  const one = async (round: number) => {
    const startedMs = clock.now();
    await generation(engine, model.name, round, { startedMs, withinMs }, over);
    times.push(clock.now() - startedMs);
  };
  for (let round = 0; round < most; round++) {
    await one(round);
    if (times.length >= roundsMin && (times.at(-1) as number) <= 2 * Math.min(...times)) break;
  }
  for (let done = times.length; done < (requests ?? 0); done = times.length) {
    const together = Math.min(engine.slots, (requests ?? 0) - done);
    await Promise.all(Array.from({ length: together }, (_, i) => one(done + i)));
  }
  log?.info({ generations: times.length, ms: times.slice(0, roundsMax).map(Math.round) }, "the engine is warm");
}

async function generation(
  engine: Warmed,
  model: string,
  round: number,
  { startedMs, withinMs }: { startedMs: number; withinMs: number },
  signal: AbortSignal,
): Promise<void> {
  const pieces = engine.generate(
    {
      ...{ id: 0n, link: "", affinity: "", lane: "inline", model },
      // Another prompt each time, or the cache would answer.
      segments: [{ text: `// ${round}\n${sampleCode.slice(0, 1_000)}` }],
      sampling: { maxTokens: 8, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: ["\n\n\n"], speculation: "auto" },
      ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: startedMs, cacheSalt: "warm-up" },
      ...{ blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
    },
    signal,
  );
  let next = await pieces.next();
  while (!next.done) next = await pieces.next();
  const { value: end } = next;
  if (end.kind === "failed") throw end.error;
  if (end.kind === "aborted") throw new SlipstreamError("unavailable", `the engine is not warm within ${withinMs} ms`);
}
