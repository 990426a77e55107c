// iterations: the steps of a pretend engine in, its iteration statistics out: as records that are gone when read, and as Prometheus metrics.
// Names: IterationStats as JSON, and tensorrt_llm/metrics/collector.py. Its histogram of queue times begins at 0.3 s.

export interface Iteration {
  readonly ms: number;
  readonly running: number;
  readonly waiting: number;
  readonly used: number;
  readonly blocks: number;
  readonly blockTokens: number;
  readonly drafts: { readonly requests: number; readonly drafted: number; readonly accepted: number } | undefined;
}

const keptMax = 1_000;
const queueBuckets = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1_920, 7_680];

export class IterationLog {
  #kept: { readonly number: number; readonly iteration: Iteration }[] = [];
  #last: Iteration | undefined;
  #number = 0;
  #drafted = 0;
  #accepted = 0;
  /** Requests by how long they waited for a seat, in the buckets of the histogram. */
  readonly #queued: number[] = queueBuckets.map(() => 0);

  push(iteration: Iteration): void {
    this.#last = iteration;
    this.#drafted += iteration.drafts?.drafted ?? 0;
    this.#accepted += iteration.drafts?.accepted ?? 0;
    this.#kept.push({ number: this.#number++, iteration });
    if (this.#kept.length > keptMax) this.#kept.shift();
  }

  queued(seconds: number): void {
    for (const [index, le] of queueBuckets.entries()) if (seconds <= le) this.#queued[index] = (this.#queued[index] ?? 0) + 1;
  }

  get count(): number {
    return this.#number;
  }

  /** Tokens, since the start. */
  get drafted(): number {
    return this.#drafted;
  }

  /** Of /metrics. */
  take(): object[] {
    const taken = this.#kept.map(({ number, iteration }) => recordOf(number, iteration));
    this.#kept = [];
    return taken;
  }

  /** Of /prometheus/metrics. */
  exposition(model: string, contextTokens: number): string {
    const { running = 0, waiting = 0, used = 0, blocks = 0, blockTokens = 0, drafts, ms = 0 } = this.#last ?? {};
    const labels = `{engine_type="undefined",model_name="undefined"}`;
    const rows: [name: string, value: number][] = [
      ["trtllm_num_requests_running", running],
      ["trtllm_num_requests_waiting", waiting],
      ["trtllm_kv_cache_utilization", blocks === 0 ? 0 : used / blocks],
      ["trtllm_kv_cache_max_blocks", blocks],
      ["trtllm_kv_cache_used_blocks", used],
      ["trtllm_kv_cache_tokens_per_block", blockTokens],
      ["trtllm_iteration_latency_seconds", ms / 1_000],
    ];
    if (drafts)
      rows.push(
        ["trtllm_spec_decode_num_draft_tokens_total", this.#drafted],
        ["trtllm_spec_decode_num_accepted_tokens_total", this.#accepted],
      );
    const lines = rows.map(([name, value]) => `# TYPE ${name} gauge\n${name}${labels} ${value}`);
    for (const [index, le] of queueBuckets.entries())
      lines.push(
        `trtllm_request_queue_time_seconds_bucket{engine_type="undefined",le="${le}",model_name="undefined"} ${this.#queued[index]}`,
      );
    lines.push(`trtllm_model_config_info{max_model_len="${contextTokens}",model="${model}"} 1.0`);
    return `${lines.join("\n")}\n`;
  }
}

function recordOf(number: number, { ms, running, waiting, used, blocks, blockTokens, drafts }: Iteration): object {
  return {
    ...{ timestamp: "01-01-2026 00:00:00.000000", iter: number, iterLatencyMS: ms, newActiveRequestsQueueLatencyMS: 0 },
    ...{ numNewActiveRequests: 0, numActiveRequests: running, numQueuedRequests: waiting, numCompletedRequests: 0 },
    kvCacheStats: {
      ...{ maxNumBlocks: blocks, freeNumBlocks: blocks - used, usedNumBlocks: used, tokensPerBlock: blockTokens },
      ...{ allocTotalBlocks: used, allocNewBlocks: used, reusedBlocks: 0, missedBlocks: used, cacheHitRate: 0 },
    },
    inflightBatchingStats: {
      ...{ numScheduledRequests: running, numContextRequests: 0, numGenRequests: running, numPausedRequests: 0 },
      ...{ numCtxTokens: 0, microBatchId: 0, avgNumDecodedTokensPerIter: 1 },
    },
    ...(drafts && {
      specDecodingStats: {
        ...{ numDraftTokens: drafts.drafted, numAcceptedTokens: drafts.accepted, numRequestsWithDraftTokens: drafts.requests },
        acceptanceLength: drafts.requests === 0 ? 0 : (drafts.accepted + drafts.requests) / drafts.requests,
        ...{ iterLatencyMS: ms, draftOverhead: 0 },
      },
    }),
  };
}
