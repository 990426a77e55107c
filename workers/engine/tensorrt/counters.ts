// counters: what a TensorRT-LLM tells of itself in, what we take from it out. It tells in two ways: /prometheus/metrics, where it was
// started with return_perf_metrics, which may be read by many; and /metrics, one record an iteration, which are gone when read
// (docs/source/features of the engine; names in tensorrt_llm/metrics/collector.py). Queue times are not taken from either: that
// histogram begins at 0.3 s.
import { z } from "zod";
import { readSamples, sum } from "../exposition.ts";

export interface Counters {
  readonly running: number | undefined;
  readonly waiting: number | undefined;
  readonly kvBlocksUsed: number | undefined;
  readonly kvBlocks: number | undefined;
  readonly blockTokens: number | undefined;
  /** Since the engine started, or since it is read; undefined: it does not draft, or says nothing of it. */
  readonly speculation: Speculated | undefined;
  readonly contextTokens: number | undefined;
}

export interface Speculated {
  readonly drafted: number;
  readonly accepted: number;
}

const names = {
  running: ["trtllm_num_requests_running"],
  waiting: ["trtllm_num_requests_waiting"],
  kvBlocksUsed: ["trtllm_kv_cache_used_blocks"],
  kvBlocks: ["trtllm_kv_cache_max_blocks"],
  blockTokens: ["trtllm_kv_cache_tokens_per_block"],
  // Counted by iteration, in later versions by request too.
  drafted: ["trtllm_spec_decode_num_draft_tokens_total", "trtllm_spec_decode_drafted_tokens_total"],
  accepted: ["trtllm_spec_decode_num_accepted_tokens_total", "trtllm_spec_decode_accepted_tokens_total"],
  model: ["trtllm_model_config_info"],
} as const;

const wanted: readonly string[] = Object.values(names).flat();

export function readExposition(exposition: string): Counters {
  const samples = readSamples(exposition, wanted);
  const of = (name: keyof typeof names) => names[name].map((each) => sum(samples, each)).find((value) => value !== undefined);
  const [drafted, accepted] = [of("drafted"), of("accepted")];
  const context = Number(samples.get(names.model[0])?.[0]?.labels["max_model_len"]);
  return {
    running: of("running"),
    waiting: of("waiting"),
    kvBlocksUsed: of("kvBlocksUsed"),
    kvBlocks: of("kvBlocks"),
    blockTokens: of("blockTokens"),
    speculation: drafted === undefined || accepted === undefined ? undefined : { drafted, accepted },
    contextTokens: Number.isInteger(context) && context > 0 ? context : undefined,
  };
}

const count = z.number().min(0);
const iterationShape = z.looseObject({
  numActiveRequests: count.nullish(),
  numQueuedRequests: count.nullish(),
  kvCacheStats: z.looseObject({ maxNumBlocks: count, usedNumBlocks: count, tokensPerBlock: count }).nullish(),
  specDecodingStats: z.looseObject({ numDraftTokens: count, numAcceptedTokens: count }).nullish(),
});

/** What is read once is nowhere else any more: it is summed up here. */
export class Iterations {
  #last: z.infer<typeof iterationShape> | undefined;
  #speculated: Speculated | undefined;

  /** An answer of /metrics. False: it is none. */
  read(text: string): boolean {
    const records = listIn(text);
    if (!records) return false;
    for (const record of records) {
      const read = iterationShape.safeParse(record);
      if (!read.success) continue;
      this.#last = read.data;
      const { specDecodingStats: drafts } = read.data;
      if (!drafts) continue;
      const { drafted, accepted } = this.#speculated ?? { drafted: 0, accepted: 0 };
      this.#speculated = { drafted: drafted + drafts.numDraftTokens, accepted: accepted + drafts.numAcceptedTokens };
    }
    return true;
  }

  get counters(): Counters {
    const { numActiveRequests, numQueuedRequests, kvCacheStats } = this.#last ?? {};
    return {
      running: numActiveRequests ?? undefined,
      waiting: numQueuedRequests ?? undefined,
      kvBlocksUsed: kvCacheStats?.usedNumBlocks,
      kvBlocks: kvCacheStats?.maxNumBlocks,
      blockTokens: kvCacheStats?.tokensPerBlock,
      speculation: this.#speculated,
      contextTokens: undefined,
    };
  }
}

function listIn(text: string): readonly unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}
