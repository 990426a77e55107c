// hints: prompts as they go to a trtllm-serve and end in, word to it of cached blocks that nobody will ask for again out (spent.ts), so that
// it gives these up before others. It takes tokens and no tenant: it finds nothing that was asked with a salt or an adapter, so that this is
// for a pool of one tenant, whose prompts then go without a salt.
import type { Clock } from "../../../../lib/clock.ts";
import type { Log } from "../../../../lib/log.ts";
import type { Random } from "../../../../lib/random.ts";
import type { HttpEngine } from "../../http.ts";
import { OneOfEach } from "../../one-of-each.ts";
import type { SentPrompt } from "../../served.ts";
import type { TensorRtDeps } from "../options.ts";
import { TruncateSender } from "./sender.ts";
import { SpentPrefixes } from "./spent.ts";
import { type Truncating, tryTruncating } from "./tried.ts";

interface Deps extends Pick<TensorRtDeps, "hinted"> {
  readonly clock: Clock;
  readonly http: Pick<HttpEngine, "ask">;
  readonly log?: Log | undefined;
}

const lacks = "a TensorRT-LLM that is told which cached blocks may go finds those without a cache salt alone";
const triedMs = 30_000;
const instead = "leave SLIPSTREAM_WORKER_ENGINE_TRUNCATE off";

export class Hints {
  readonly sender: TruncateSender;
  readonly #spent: SpentPrefixes;

  constructor({ less, blockTokens }: Truncating & { readonly blockTokens: number }, deps: Deps) {
    this.sender = new TruncateSender({ less }, { ...deps, stands: (cut) => this.#spent.stands(cut) });
    this.#spent = new SpentPrefixes({ blockTokens }, { clock: deps.clock, cut: (cut) => this.sender.give(cut) });
  }

  /** To be called when it has ended: whether the engine has computed it. */
  sent({ tokens, keys, adapter, document, lane, ahead }: SentPrompt): (computed: boolean) => void {
    if (adapter !== "") return () => {};
    return this.#spent.asked({ tokens, keys, document, typed: lane === "inline" && !ahead });
  }

  close(): void {
    this.sender.close();
  }
}

/** Tries it out; undefined: it cannot be told, which is no reason not to serve from it. */
export async function hinting(
  options: { readonly model: string; readonly priority: boolean; readonly blockTokens: number },
  deps: Deps & { readonly random: Random; readonly signal: AbortSignal },
): Promise<Hints | undefined> {
  const { http, signal, log } = deps;
  const ask = (path: string, body: object) => http.ask(path, body, { signal, timeoutMs: triedMs });
  let why = "it wants a version with /_control/kv_cache/truncate_tokens";
  const truncating = await tryTruncating(options, { ...deps, ask }).catch((thrown: Error) => {
    if (signal.aborted) throw thrown;
    why = thrown.message;
    return undefined;
  });
  if (truncating) log?.info(truncating, "TensorRT-LLM is told which cached blocks may go");
  else log?.warn({ why }, "TensorRT-LLM cannot be told which cached blocks may go");
  return truncating && new Hints({ ...truncating, blockTokens: options.blockTokens }, deps);
}

/** Throws `config` where the pool may have several tenants. */
export function oneTenantOf(oneTenant: boolean): OneOfEach {
  return new OneOfEach({ lane: "", anyLane: true, oneTenant }, lacks, instead);
}
