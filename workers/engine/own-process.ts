// own-process: a command that starts an engine in, that engine out, ended with the agent's use of it. Where something answers already
// (an agent that was killed leaves its engine behind) that is served from, and nothing is started.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Engine } from "./engine.ts";
import { EngineProcess } from "./engine-process.ts";
import { HttpEngine } from "./http.ts";

/** What an engine is told of the process that runs it. */
export interface Owned {
  /** Resolves when it has ended. */
  readonly exited?: Promise<SlipstreamError>;
  /** Ends it: one that is dead already, or one that may end by itself. */
  readonly ending?: (dead: boolean) => Promise<void>;
}

interface Deps {
  readonly clock: Clock;
  readonly log?: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export async function startOwn<E extends Engine>(
  command: readonly string[],
  url: string,
  start: (owned: Owned) => Promise<E>,
  deps: Deps,
): Promise<E> {
  if (await answers(url, deps.clock)) {
    deps.log?.warn({ url }, "an engine answers already: it is served from, none is started");
    return start({});
  }
  const process = new EngineProcess({ command, env: deps.env }, deps);
  deps.log?.info({ pid: process.pid, program: command[0] }, "the engine's process is started");
  const exited = process.exited.then((why) => {
    deps.log?.warn({ pid: process.pid, why: why.message }, "the engine's process has ended");
    return why;
  });
  try {
    return await start({ exited, ending: (dead) => (dead ? process.kill() : process.stop()) });
  } catch (thrown) {
    await process.kill();
    throw thrown;
  }
}

async function answers(url: string, clock: Clock): Promise<boolean> {
  const http = new HttpEngine({ url, connectionsMax: 1, timeoutMs: 1_000 }, { clock });
  try {
    return (await http.ask("/health")).status === 200;
  } catch {
    return false;
  } finally {
    http.close();
  }
}

/** "vllm serve x", or a JSON list where a word holds a blank. */
export function commandWords(text: string): string[] {
  if (!text.trimStart().startsWith("[")) return text.split(/\s+/).filter((word) => word !== "");
  let words: unknown;
  try {
    words = JSON.parse(text);
  } catch {
    // Told below.
  }
  if (Array.isArray(words) && words.every((word) => typeof word === "string")) return words as string[];
  throw new SlipstreamError("config", "SLIPSTREAM_WORKER_ENGINE_COMMAND: neither words nor a JSON list of texts");
}
