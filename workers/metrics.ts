// metrics: every metric of a worker agent, as slipstream_worker_<name>. Rooms take the slice they need.
import { credentialMetrics } from "../lib/credentials.ts";
import { counter, createMetrics, gauge, histogram, type Metrics, type Registry } from "../lib/metrics.ts";

const shortBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.035, 0.05, 0.1, 0.25, 1];

export const workerMetricTable = {
  generations_total: counter("How generations ended.", ["lane", "end"]),
  refused_total: counter("Generations refused, by code of docs/reference/errors.md.", ["code"]),
  queue_seconds: histogram("Time waited in the agent for a slot.", ["lane"], shortBuckets),
  first_delta_seconds: histogram("From receipt of a Submit to its first delta.", ["lane"]),
  abort_seconds: histogram("From receipt of a Cancel to the engine's stop.", [], shortBuckets),
  engine_aborts_total: counter(
    "Generations that an engine behind HTTP was told to stop; late: it had ended by itself. Such engines do not count them.",
    ["how"],
  ),
  cached_expectations_total: counter(
    "Prompts by whether an engine behind HTTP had as many of their tokens cached as the agent expected (equal), or more, or less.",
    ["fit"],
  ),
  engine_hints_total: counter(
    "Cached prompts whose end a TensorRT-LLM may give up: it was told (told), was not heard (failed), or they were dropped: too many, asked for again, or of long ago (dropped).",
    ["fate"],
  ),
  running: gauge("Generations in the engine.", []),
  waiting: gauge("Generations waiting in the agent for a slot.", ["lane"]),
  slots: gauge("Generations the engine runs at once.", []),
  batch_max: gauge("Slots that may be used, so that a decode step stays within its budget; absent until it is learned.", []),
  preempted_total: counter("Generations retired for an inline one.", ["lane"]),
  prompt_tokens_total: counter("Prompt tokens of ended generations, by whether their KV was resident.", ["kv"]),
  completion_tokens_total: counter("Tokens generated, by how their generation ended.", ["end"]),
  drafted_tokens_total: counter("Tokens drafted by speculation, by what became of them.", ["fate"]),
  speculation_steps_total: counter("Decode steps of an engine that speculates itself, by where their drafts came from.", [
    "source",
  ]),
  speculation_choices_total: counter("The same steps, by why they drafted as they did (docs/operations/speculation.md).", ["why"]),
  speculation_open: gauge("Whether the controller holds a source worth drafting from now.", ["source"]),
  speculation_accepted_share: gauge("Share of drafted tokens accepted in the last minute, by position.", ["position"]),
  speculation_recommended_tokens: gauge(
    "Tokens that an engine whose draft length is fixed at its start should draft by the acceptance of late; as many as it does, where another length is not worth a revision of its pool.",
    [],
  ),
  speculation_verify_seconds: gauge("Measured time of a step that verifies so many tokens.", ["tokens"]),
  speculation_draft_seconds: gauge("Measured time of a pass of the draft model.", []),
  delta_bytes_total: counter("Bytes of text sent.", []),
  window_waits_total: counter("Generations whose text waited for its reader.", []),
  kv_blocks: gauge("KV blocks of the engine.", ["state"]),
  step_seconds: gauge("Time of an engine step lately.", []),
  prefill_tokens_per_second: gauge("Prompt tokens computed a second lately.", []),
  links: gauge("Open streams of routers.", ["channel"]),
  kv_changes_total: counter("64-byte blocks told to routers.", ["change"]),
  warmings_total: counter("Prefixes computed ahead, by how that ended.", ["end"]),
  ...credentialMetrics,
} as const;

export type WorkerMetrics = Metrics<typeof workerMetricTable>;

export function createWorkerMetrics(registry?: Registry): WorkerMetrics {
  return createMetrics("worker", workerMetricTable, registry);
}
