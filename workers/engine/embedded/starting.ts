// starting: the embedded engine's child process with its model loaded out, or a sentence why not: no such file, no model in it, a
// process that died or took too long. What a start leaves behind when it fails is ended.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Clock } from "../../../lib/clock.ts";
import type { Log } from "../../../lib/log.ts";
import { defaultChildEntry, EngineChild } from "./child-process.ts";
import { checkGgufFile, unusable } from "./gguf-file.ts";
import { type FromChild, fromFailure } from "./messages.ts";

export interface EmbeddedOptions {
  readonly modelPath: string;
  /** What the model is called here; default: the name in the file. */
  readonly modelName?: string;
  /** Default: one fewer than cores. With all of them, llama.cpp's barriers wait for every other process of the machine. */
  readonly threads?: number;
  readonly slots?: number;
  /** Prompt tokens evaluated in one go: what an abort, or a step of another generation, may have to wait for. */
  readonly chunkTokens?: number;
  /** Contexts of models that could hold more are cut to this; each slot has its own. */
  readonly contextTokensMax?: number;
  /** Tokens at the beginning of a completion whose probability is told. */
  readonly confidenceTokens?: number;
  /** A GGUF file with the same vocabulary that drafts for the model; none: drafts come from lookups alone. */
  readonly draftPath?: string;
  /** For measurements: see pace.ts. */
  readonly paceMs?: number;
  /** Compiled module of the child process. */
  readonly childEntry?: string;
  readonly startTimeoutMs?: number;
}

export interface Deps {
  readonly clock: Clock;
  readonly log?: Log;
}

type Ready = Extract<FromChild, { kind: "ready" }>;

export interface Started {
  readonly child: EngineChild;
  readonly ready: Ready;
  readonly slots: number;
}

export async function startChild(options: EmbeddedOptions, deps: Deps): Promise<Started> {
  await checkGgufFile(options.modelPath);
  const draftPath = await draftOf(options, deps.log);
  const slots = options.slots ?? 4;
  const child = new EngineChild({ entry: options.childEntry ?? defaultChildEntry() }, deps);
  child.send({
    kind: "start",
    modelPath: options.modelPath,
    modelName: options.modelName,
    draftPath,
    paceMs: options.paceMs ?? 0,
    threads: options.threads ?? Math.max(1, availableParallelism() - 1),
    slots,
    chunkTokens: options.chunkTokens ?? 64,
    contextTokensMax: options.contextTokensMax ?? 4_096,
    confidenceTokens: options.confidenceTokens ?? 8,
  });
  try {
    const ready = await loaded(child, options, deps.clock);
    deps.log?.info(
      { model: ready.model.name, contextTokens: ready.model.contextTokens, draft: ready.draft, pid: child.pid },
      "embedded engine loaded its model",
    );
    return { child, ready, slots };
  } catch (error) {
    child.kill();
    await child.ended;
    throw error;
  }
}

/** A draft model that is not there costs speed alone, so the engine starts without it, and says so. */
async function draftOf({ draftPath }: EmbeddedOptions, log: Log | undefined): Promise<string | undefined> {
  if (draftPath === undefined) return undefined;
  if (!existsSync(draftPath)) {
    log?.warn({ draftPath }, "there is no such draft model: nothing is drafted by a model, lookups go on");
    return undefined;
  }
  await checkGgufFile(draftPath);
  return draftPath;
}

/** Waits until the child has the model, refuses it, ends, or takes too long. */
function loaded(child: EngineChild, options: EmbeddedOptions, clock: Clock): Promise<Ready> {
  const timeoutMs = options.startTimeoutMs ?? 60_000;
  return new Promise((resolve, reject) => {
    const timer = clock.timer(timeoutMs, () => reject(unusable(options.modelPath, `it did not load within ${timeoutMs} ms`)));
    const settle = (act: () => void) => {
      timer[Symbol.dispose]();
      act();
    };
    child.onMessage((message) => {
      if (message.kind === "ready") settle(() => resolve(message));
      if (message.kind === "refused") settle(() => reject(fromFailure(message.error)));
    });
    void child.ended.then((how) =>
      settle(() =>
        reject(
          unusable(options.modelPath, `the process that loads it died (${how}); it is corrupt, or there is too little memory`),
        ),
      ),
    );
  });
}
