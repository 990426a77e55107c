// served-start: what an agent before an engine of another process is told, whichever that is, and the last step of starting with it: its
// first generations, before anybody waits for one.
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import type { ServedDeps, ServedEngine } from "./served.ts";
import { warmUp } from "./warm-up.ts";
import type { WatchOptions } from "./watch.ts";

export interface StartOptions extends Partial<WatchOptions> {
  readonly url: string;
  /** Model that it must serve; "": whatever it serves. */
  readonly model: string;
  readonly slots: number;
  /** Folder or file of the model's tokenizer; "": where the engine says it loaded the model from, where it says that. */
  readonly tokenizer: string;
  /** Most time until it answers. */
  readonly startMs: number;
  /** Asks for the probability of each token. */
  readonly confidence: boolean;
  /** Generations that are run before it is used; absent: as many as it takes. */
  readonly warmUpRequests?: number;
  /** For measurements: goes on past the end of the text. */
  readonly ignoreEnd?: boolean;
}

export interface StartDeps extends ServedDeps {
  readonly random: Random;
  readonly log?: Log;
  /** Ends the waiting for an engine that does not come. */
  readonly signal?: AbortSignal;
}

type Started = Pick<ServedEngine<unknown>, "models" | "slots" | "run" | "watch" | "close">;

/** Its first generations, then watched; closed where they fail. */
export async function warmed<E extends Started>(engine: E, options: StartOptions, deps: StartDeps): Promise<E> {
  try {
    await warmUp(
      { models: engine.models, slots: engine.slots, generate: (work, signal) => engine.run(work, signal) },
      { withinMs: options.startMs, requests: options.warmUpRequests },
      deps,
    );
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
  engine.watch();
  return engine;
}
