// sender: what may go of cached prompts in, POST /_control/kv_cache/truncate_tokens of trtllm-serve out (KVCacheTruncateTokensRequest,
// tensorrt_llm/serve/openai_protocol.py, commit 54cf7be0): a few prompts a time, one request at a time, with a pause before each. It answers
// before it has done it. They are hints: the oldest are dropped where more come than it takes, and what was asked for again while it
// waited, what fails is not said again, and a server that refuses them is told none any more.
import type { Clock } from "../../../../lib/clock.ts";
import type { Log } from "../../../../lib/log.ts";
import type { HttpEngine } from "../../http.ts";
import type { HintFate } from "../options.ts";
import type { Cut } from "./spent.ts";

export const truncatePath = "/_control/kv_cache/truncate_tokens";

export interface SenderOptions {
  /** By how much less than what shall stay it is told. */
  readonly less: number;
  readonly everyMs?: number;
}

interface Deps {
  readonly clock: Clock;
  readonly http: Pick<HttpEngine, "ask">;
  /** Whether it may still go. */
  readonly stands: (cut: Cut) => boolean;
  readonly log?: Log | undefined;
  /** What became of prompts that were given. */
  readonly hinted?: ((fate: HintFate, prompts: number) => void) | undefined;
}

const everyUsualMs = 250;
/** It reads them between two answers to others: some 64,000 numbers. */
const batchMax = 32;
const queueMax = 256;
const timeoutMs = 5_000;

export class TruncateSender {
  readonly #options: SenderOptions;
  readonly #deps: Deps;
  readonly #over = new AbortController();
  #queue: Cut[] = [];
  #timer: Disposable | undefined;
  #sending = false;
  #failedBefore = false;

  constructor(options: SenderOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  give(cut: Cut): void {
    if (this.#over.signal.aborted) return;
    this.#queue.push(cut);
    if (this.#queue.length > queueMax) {
      this.#queue.shift();
      this.#count("dropped", 1);
    }
    this.#arm();
  }

  close(): void {
    this.#over.abort();
    this.#timer?.[Symbol.dispose]();
    this.#queue = [];
  }

  #arm(): void {
    if (this.#timer || this.#sending || this.#queue.length === 0) return;
    this.#timer = this.#deps.clock.timer(this.#options.everyMs ?? everyUsualMs, () => {
      this.#timer = undefined;
      void this.#send(this.#standing());
    });
  }

  #standing(): readonly Cut[] {
    const standing = this.#queue.filter((cut) => this.#deps.stands(cut));
    this.#count("dropped", this.#queue.length - standing.length);
    this.#queue = standing;
    return standing.splice(0, batchMax);
  }

  async #send(cuts: readonly Cut[]): Promise<void> {
    if (cuts.length === 0) return;
    this.#sending = true;
    const { signal } = this.#over;
    try {
      const { status } = await this.#deps.http.ask(truncatePath, truncateBody(cuts, this.#options.less), { signal, timeoutMs });
      if (status === 200) this.#count("told", cuts.length);
      else this.#failed(cuts.length, `status ${status}`, status >= 400 && status < 500);
    } catch (thrown) {
      if (!signal.aborted) this.#failed(cuts.length, (thrown as Error).message, false);
    }
    this.#sending = false;
    this.#arm();
  }

  #count(fate: HintFate, prompts: number): void {
    if (prompts > 0) this.#deps.hinted?.(fate, prompts);
  }

  #failed(count: number, why: string, forGood: boolean): void {
    if (!this.#failedBefore || forGood)
      this.#deps.log?.warn({ why, forGood }, "TensorRT-LLM was not told which cached blocks may go");
    this.#failedBefore = true;
    this.#count("failed", count);
    if (forGood) this.close();
  }
}

/** Of each prompt, how many tokens it is to keep, beside it. */
export function truncateBody(
  cuts: readonly Pick<Cut, "tokens" | "keep">[],
  less: number,
): { prefixes: readonly (readonly number[])[]; num_tokens_to_keep: number[] } {
  return { prefixes: cuts.map(({ tokens }) => tokens), num_tokens_to_keep: cuts.map(({ keep }) => Math.max(0, keep - less)) };
}
