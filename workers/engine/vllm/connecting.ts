// connecting: where a vLLM serves in, what it is and can do out, with its models and their vocabulary: waited for, probed, its adapters
// loaded. Throws a sentence when it cannot be used, and leaves no connection then.

import { SlipstreamError } from "../../../lib/errors.ts";
import type { Log } from "../../../lib/log.ts";
import type { Model, Recommendation } from "../../generation.ts";
import { FileTokenizer } from "../file-tokenizer.ts";
import { HttpEngine } from "../http.ts";
import { untilReady } from "../ready.ts";
import { describeModels } from "../served-models.ts";
import type { StartDeps, StartOptions } from "../served-start.ts";
import type { EngineTokenizer } from "../tokenizer.ts";
import { type Adapters, loadAdapters } from "./adapters.ts";
import { adviceFor } from "./advice.ts";
import { AskedTokenizer } from "./asked-tokenizer.ts";
import { type Probed, probe, servedModels } from "./probe.ts";

export interface VllmOptions extends StartOptions {
  readonly key?: string;
  /** Adapters to serve besides, by name: where each lies for the engine. */
  readonly adapters?: Adapters;
  /** Stops a generation by its id where the engine can (default: its connection is closed). */
  readonly abortById?: boolean;
  /** Asks for tokens instead of text where the engine gives them, and spells them here. */
  readonly tokensOut?: boolean;
  /** False: its KV events are not read (default true). */
  readonly kvEvents?: boolean;
}

export interface VllmDeps extends StartDeps {
  /** The engine should draft otherwise than it was started to. */
  readonly recommended?: (recommendation: Recommendation) => void;
}

export interface Parts {
  readonly http: HttpEngine;
  readonly probed: Probed;
  readonly models: readonly Model[];
  readonly tokenizer: EngineTokenizer;
}

export async function connect(options: VllmOptions, deps: VllmDeps): Promise<Parts> {
  const { url, key = "", slots, startMs } = options;
  const http = new HttpEngine({ url, key, connectionsMax: 2 * slots + 8 }, deps);
  const signal = deps.signal ?? new AbortController().signal;
  try {
    await untilReady({ startMs }, { ...deps, http });
    const found = await probe(http, signal);
    const more = await loadAdapters(options.adapters ?? {}, found, http, signal);
    const probed = more ? { ...found, models: await servedModels(http, signal) } : found;
    const { root = "", id = "" } = probed.models.find(({ parent }) => !parent) ?? {};
    const tokenizer = await openTokenizer(options.tokenizer, root, () => new AskedTokenizer({ model: id }, { http }), deps.log);
    if (tokenizer.kind === "asked" && !probed.tokenizes)
      throw new SlipstreamError(
        "model_unusable",
        "the engine has no /tokenize; set SLIPSTREAM_WORKER_TOKENIZER to the model's folder",
      );
    const models = await describeModels(probed.models, options.model, tokenizer, signal);
    const { version, priority, cacheSalt, cachedTokens } = probed;
    const names = models.map(({ name }) => name);
    deps.log?.info({ version, models: names, tokenizer: tokenizer.kind, priority, cacheSalt, cachedTokens }, "vLLM answers");
    for (const { what, flag } of adviceFor(probed)) deps.log?.warn({ flag }, `vLLM: ${what}`);
    return { http, probed, models, tokenizer };
  } catch (thrown) {
    http.close();
    throw thrown;
  }
}

/** The given one must be there; the engine's own folder is used where this process sees it too. */
async function openTokenizer(
  given: string,
  root: string,
  ask: () => EngineTokenizer,
  log: Log | undefined,
): Promise<EngineTokenizer> {
  if (given !== "") return FileTokenizer.open(given);
  try {
    return await FileTokenizer.open(root);
  } catch {
    log?.info({ root }, "the model's tokenizer is not on this machine: the engine is asked");
    return ask();
  }
}
