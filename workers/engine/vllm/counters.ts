// counters: vLLM's metrics in, what we take from them out. The only place that knows their names; versions before 0.12 wrote the
// cache's use under another. What a version does not say is undefined, and said once at the start.
import { readSamples, type Samples, sum } from "../exposition.ts";

export interface Counters {
  /** Requests of everybody who uses the engine. */
  readonly running: number | undefined;
  readonly waiting: number | undefined;
  /** Share of the KV blocks that hold running requests. */
  readonly kvUsed: number | undefined;
  readonly blockTokens: number | undefined;
  readonly blocks: number | undefined;
  readonly prefixAsked: number | undefined;
  readonly prefixHit: number | undefined;
  readonly preempted: number | undefined;
  /** Since the engine started; undefined: it does not speculate. */
  readonly speculation: Speculated | undefined;
}

export interface Speculated {
  readonly drafts: number;
  readonly drafted: number;
  readonly accepted: number;
  readonly acceptedAt: readonly number[];
}

const names = {
  running: ["vllm:num_requests_running"],
  waiting: ["vllm:num_requests_waiting"],
  kvUsed: ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
  prefixAsked: ["vllm:prefix_cache_queries_total", "vllm:gpu_prefix_cache_queries_total"],
  prefixHit: ["vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total"],
  preempted: ["vllm:num_preemptions_total"],
  drafts: ["vllm:spec_decode_num_drafts_total"],
  drafted: ["vllm:spec_decode_num_draft_tokens_total"],
  accepted: ["vllm:spec_decode_num_accepted_tokens_total"],
  acceptedAt: ["vllm:spec_decode_num_accepted_tokens_per_pos_total"],
  config: ["vllm:cache_config_info"],
} as const;

const wanted: readonly string[] = Object.values(names).flat();

export function readCounters(exposition: string): Counters {
  const samples = readSamples(exposition, wanted);
  const of = (name: keyof typeof names) => names[name].map((each) => sum(samples, each)).find((value) => value !== undefined);
  const config = samples.get(names.config[0])?.[0]?.labels ?? {};
  return {
    running: of("running"),
    waiting: of("waiting"),
    kvUsed: of("kvUsed"),
    blockTokens: whole(config["block_size"]),
    blocks: whole(config["num_gpu_blocks"]) ?? whole(config["num_cpu_blocks"]),
    prefixAsked: of("prefixAsked"),
    prefixHit: of("prefixHit"),
    preempted: of("preempted"),
    speculation: speculated(samples, of),
  };
}

function speculated(samples: Samples, of: (name: keyof typeof names) => number | undefined): Speculated | undefined {
  const [drafts, drafted, accepted] = [of("drafts"), of("drafted"), of("accepted")];
  if (drafts === undefined || drafted === undefined || accepted === undefined) return undefined;
  const acceptedAt: number[] = [];
  for (const { labels, value } of samples.get(names.acceptedAt[0]) ?? []) {
    const position = whole(labels["position"]) ?? -1;
    if (position >= 0 && position < 64) acceptedAt[position] = (acceptedAt[position] ?? 0) + value;
  }
  return { drafts, drafted, accepted, acceptedAt: Array.from(acceptedAt, (value) => value ?? 0) };
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
