// tensorrt-reference: the table of TensorRT-LLM's release lines in, its reference page in Markdown out. Pure.
import { type Drafting, type TensorrtLine, tensorrtLines, tensorrtVersion } from "../operator/api/tensorrt-lines.ts";
import { tensorrtOwn } from "../operator/api/tensorrt-rules.ts";
import { table } from "./proto-reference.ts";

const code = (text: string) => `\`${text}\``;

interface Row {
  readonly field: string;
  readonly said: (line: TensorrtLine) => string;
}

const refused = "refused";
const method = (name: Drafting, needs: string): Row => ({
  field: `${code(`speculative.method: ${name}`)}${needs}`,
  said: ({ decodingTypes, withoutOverlap }) => {
    const type = decodingTypes[name];
    if (type === undefined) return refused;
    return `${code(`decoding_type: ${type}`)}${withoutOverlap.includes(name) ? `, ${code("disable_overlap_scheduler: true")}` : ""}`;
  },
});

const rows: readonly Row[] = [
  { field: "read from", said: ({ readFrom }) => readFrom },
  ...[
    method("DraftModel", " (a draft)"),
    method("EAGLE3", " (a head)"),
    method("NGram", ""),
    method("MTP", ""),
    method("Suffix", ""),
  ],
  { field: code("speculative.draft"), said: ({ draftField }) => code(draftField) },
  {
    field: "the head inside the model's own steps",
    said: ({ eagle3OneModel }) => (eagle3OneModel ? code("eagle3_one_model") : "always"),
  },
  { field: code("speculative.numTokens"), said: ({ mtpField }) => `${code("max_draft_len")}; of MTP ${code(mtpField)}` },
  { field: code("speculative.disableAboveBatch"), said: ({ bound }) => (bound ? code("max_concurrency") : refused) },
  {
    field: code("speculative.byBatch"),
    said: ({ schedule, scheduled }) =>
      schedule === undefined
        ? refused
        : `${code("draft_len_schedule")}, each length ${schedule === "upTo" ? "up to its number" : "from its number on"}; of ${scheduled.join(", ")}`,
  },
  { field: "Prometheus' figures", said: ({ perfMetrics }) => (perfMetrics ? code("return_perf_metrics") : "no") },
  {
    field: "requests wait by priority",
    said: ({ priorityQueue }) => (priorityQueue ? code("waiting_queue_policy: priority") : "no: in order"),
  },
  { field: code("parallelism.nodes"), said: ({ ray }) => (ray ? code("orchestrator_type: ray") : `${refused} above 1`) },
  {
    field: code("engine.backend: TensorRT"),
    said: ({ engineBackend }) =>
      engineBackend === undefined ? refused : `${code("trtllm-build")}, ${code(`--backend ${engineBackend}`)}`,
  },
];

export function tensorrtPage(): string {
  return [
    "# TensorRT-LLM by version",
    "Generated from `operator/api/tensorrt-lines.ts` by `npm run generate`; do not edit.",
    `How a WorkerPool of type \`TensorRTLLM\` is said to each release line, by its \`engine.version\` (absent: ${tensorrtVersion}). Names are those of \`tensorrt_llm/llmapi/llm_args.py\` and \`tensorrt_llm/commands/serve.py\` of the release in the first row. A release newer than the last column is spoken to as that one. What is refused is refused by the apiserver, with the field and the versions.`,
    table(
      ["", ...tensorrtLines.map(({ line }) => line)],
      rows.map(({ field, said }) => [field, ...tensorrtLines.map(said)]),
    ),
    "## Settings that are always there",
    "Prefixes stay and are told (`kv_cache_config.enable_block_reuse`, `event_buffer_max_size`), and figures are kept (`return_perf_metrics`, with the PyTorch backend `enable_iter_perf_stats`), because the agent needs them. What `engine.config` says stands over them, field by field; speculation stands over both.",
    `Refused in \`engine.config\`, because fields of the pool say it: ${Object.keys(tensorrtOwn).map(code).join(", ")}.`,
    "`acceptance_window` and `acceptance_length_threshold` are not rendered: they would end speculation in one worker for good, and nobody could tell. `speculative.minAcceptance` is kept by the operator, for the whole pool, and tried again ([speculation](../operations/speculation.md)).",
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}
