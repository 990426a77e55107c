// cancel: how long an engine goes on after its signal aborts, in prefill and in decode. Through the Engine interface, in this
// process, on the machine's clock: what the router's Cancel costs beyond the wire.
import { systemClock } from "../lib/clock.ts";
import { seeded } from "../lib/random.ts";
import { percentile } from "../sim/statistics.ts";
import type { Engine } from "../workers/engine/engine.ts";
import type { Generation } from "../workers/generation.ts";

export interface Cancelled {
  readonly engine: string;
  readonly phase: "prefill" | "decode";
  readonly cancels: number;
  /** From the signal's abort to the engine's end. */
  readonly stopped_ms: { readonly p50: number; readonly p99: number; readonly max: number };
}

interface Options {
  readonly cancels: number;
  readonly signal?: AbortSignal;
  readonly progress?: (text: string) => void;
}

const clock = systemClock;

export async function benchCancel(engine: Engine, options: Options): Promise<Cancelled[]> {
  const report: Cancelled[] = [];
  const random = seeded(7);
  for (const phase of ["prefill", "decode"] as const) {
    const stopped: number[] = [];
    for (let i = 0; i < options.cancels && !options.signal?.aborted; i++) {
      const controller = new AbortController();
      const path = engine.generate(generation(engine, i, random.hex(8)), controller.signal);
      const abort = () => {
        const at = clock.now();
        controller.abort();
        return at;
      };
      let at: number | undefined;
      let text = 0;
      // Somewhere in a prefill of a few milliseconds; after a few pieces of text in a decode.
      if (phase === "prefill") void clock.sleep(0.5 + random.next() * 4).then(() => (at = abort()));
      for (;;) {
        const step = await path.next();
        if (step.done) {
          if (step.value.kind === "aborted" && at !== undefined) stopped.push(clock.now() - at);
          break;
        }
        text += 1;
        if (phase === "decode" && text === 3) at = abort();
      }
      options.progress?.(`${engine.name} engine, cancels in ${phase}: ${i + 1} of ${options.cancels}`);
    }
    const round = (value: number) => Math.round(value * 100) / 100;
    const at = (share: number) => round(percentile(stopped, share));
    report.push({ engine: engine.name, phase, cancels: stopped.length, stopped_ms: { p50: at(0.5), p99: at(0.99), max: at(1) } });
  }
  return report;
}

/** A prompt as long as the model takes, different each time so that no KV of another is found. */
function generation(engine: Engine, id: number, salt: string): Generation {
  const model = engine.models[0];
  if (!model) throw new Error("the engine has no model");
  const line = (n: number) => `const value${salt}${n} = compute(${n}, "${salt}");\n`;
  let text = "";
  for (let n = 0; text.length < (Math.min(model.contextTokens, 2_048) - 128) * 2; n++) text += line(n);
  const special = [model.fim.suffix, model.fim.prefix].filter((token) => token !== "").map((token) => ({ special: token }));
  return {
    id: BigInt(id),
    link: "bench",
    affinity: salt,
    lane: "inline",
    model: model.name,
    segments: [...special, { text }],
    sampling: { maxTokens: 64, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" },
    stopAtNewline: false,
    deadlineMs: Number.POSITIVE_INFINITY,
    receivedMs: clock.now(),
    cacheSalt: "bench",
    blockDigests: new Uint8Array(),
    draftDepthHint: 0,
    traceparent: "",
  };
}
