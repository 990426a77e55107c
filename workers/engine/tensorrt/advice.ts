// advice: what a trtllm-serve was found to be in, sentences out: what it lacks for Slipstream, and what of its configuration gives it. Pure.
import type { Advice } from "../advice.ts";
import type { Probed } from "./probe.ts";

type Found = Omit<Probed, "kvEvents"> & { readonly kvEvents: unknown };

const rows: readonly (Advice & { readonly unless: (probed: Found) => boolean })[] = [
  {
    unless: () => false,
    ...{
      weight: "slower",
      what: "a generation that nobody wants goes on for up to a second: closed connections are looked for so often",
    },
    flag: "trtllm-serve --grpc, and SLIPSTREAM_WORKER_ENGINE_URL=grpc://…, for a pool of one lane and one tenant",
  },
  {
    unless: ({ priority }) => priority,
    ...{ weight: "lacks", what: "requests have no priority: inline work waits behind batch work" },
    flag: "a version whose CompletionRequest has one, and scheduler_config: {waiting_queue_policy: priority}",
  },
  {
    unless: ({ priority }) => !priority,
    ...{ weight: "slower", what: "it does not say whether priorities are honoured" },
    flag: "scheduler_config: {waiting_queue_policy: priority}",
  },
  {
    unless: ({ salt }) => salt !== "nowhere",
    ...{ weight: "lacks", what: "cache_salt is refused: tenants would share cached prefixes" },
    flag: "a version whose chat page takes prompt_token_ids with cache_salt",
  },
  {
    unless: ({ kvEvents }) => kvEvents !== undefined,
    ...{ weight: "lacks", what: "the engine does not tell which KV blocks it holds: routers only guess what is reused" },
    flag: "kv_cache_config: {enable_block_reuse: true, event_buffer_max_size: 16384}",
  },
  {
    unless: ({ cachedTokens }) => cachedTokens,
    ...{ weight: "lacks", what: "the engine does not say how much of a prompt it had: reuse is not measured" },
    flag: "a version with prompt_tokens_details in its usage",
  },
  {
    unless: ({ metrics }) => metrics === "prometheus",
    ...{ weight: "slower", what: "its figures are gone when read: nobody beside this agent may read /metrics" },
    flag: "return_perf_metrics: true and enable_iter_perf_stats: true",
  },
  {
    unless: ({ metrics, counters }) => metrics === "none" || counters?.speculation !== undefined,
    ...{ weight: "slower", what: "nothing is drafted: completions of code usually gain by it" },
    flag: "speculative_config",
  },
];

export function adviceFor(probed: Found): Advice[] {
  return rows.filter(({ unless }) => !unless(probed)).map(({ weight, what, flag }) => ({ weight, what, flag }));
}
