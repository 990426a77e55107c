// warm-up: the first generations of an engine compile what they need, for seconds: they are run before anybody waits for one. A prompt
// of some length and a few tokens, asked as real ones are.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Engine } from "./engine.ts";
import { sampleCode } from "./sample-code.ts";

/** It is warm when a generation takes no more than twice the best one. */
const roundsMax = 4;
const roundsMin = 2;

interface Deps {
  readonly clock: Clock;
  readonly log?: Log;
  readonly signal?: AbortSignal;
}

export async function warmUp(engine: Engine, options: { withinMs: number }, { clock, log, signal }: Deps): Promise<void> {
  const [model] = engine.models;
  if (!model) return;
  const late = new AbortController();
  using _timer = clock.timer(options.withinMs, () => late.abort());
  const over = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
  const times: number[] = [];
  for (let round = 0; round < roundsMax; round++) {
    const startedMs = clock.now();
    const pieces = engine.generate(
      {
        ...{ id: 0n, link: "", affinity: "", lane: "inline", model: model.name },
        // Another prompt each time, or the cache would answer.
        segments: [{ text: `// ${round}\n${sampleCode.slice(0, 1_000)}` }],
        sampling: { maxTokens: 8, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: ["\n\n\n"], speculation: "auto" },
        ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: startedMs, cacheSalt: "warm-up" },
        ...{ blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
      },
      over,
    );
    let next = await pieces.next();
    while (!next.done) next = await pieces.next();
    const { value: end } = next;
    if (end.kind === "failed") throw end.error;
    if (end.kind === "aborted") throw new SlipstreamError("unavailable", `the engine is not warm within ${options.withinMs} ms`);
    times.push(clock.now() - startedMs);
    if (times.length >= roundsMin && (times.at(-1) as number) <= 2 * Math.min(...times)) break;
  }
  log?.info({ ms: times.map(Math.round) }, "the engine is warm");
}
