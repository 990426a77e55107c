// tensorrt-lines: what each release line of TensorRT-LLM calls the settings that a pool has typed fields for, and what it cannot be
// told. The rules of a pool (tensorrt-rules.ts), what is rendered (desired/tensorrt.ts) and docs/reference/tensorrt-llm.md come from
// this one table. Read off llmapi/llm_args.py, commands/serve.py and _torch/speculative/interface.py of the release in `readFrom`.

/** Of WorkerPool.spec.speculative.method; what guesses nothing has no row. */
export type Drafting = "DraftModel" | "EAGLE3" | "NGram" | "MTP" | "Suffix";

export interface TensorrtLine {
  /** First two numbers of its releases. */
  readonly line: string;
  readonly readFrom: string;
  /** `decoding_type` of each method; undefined: it has none. */
  readonly decodingTypes: Readonly<Record<Drafting, string | undefined>>;
  /** Names the draft's files. */
  readonly draftField: "speculative_model_dir" | "speculative_model";
  /** How many tokens the model's own heads guess. */
  readonly mtpField: "num_nextn_predict_layers" | "max_draft_len";
  /** `eagle3_one_model`: the head runs inside the model's own steps; later lines know no other way, and refuse the word. */
  readonly eagle3OneModel: boolean;
  /** `max_concurrency`: nothing is guessed above so many generations at once. */
  readonly bound: boolean;
  /** `draft_len_schedule`: each number of tokens holds from its batch on, or up to it; undefined: there is none. */
  readonly schedule: "from" | "upTo" | undefined;
  /** Methods whose drafts may be of another length from step to step. */
  readonly scheduled: readonly Drafting[];
  /** Methods that need `disable_overlap_scheduler`. */
  readonly withoutOverlap: readonly Drafting[];
  /** `scheduler_config.waiting_queue_policy: priority`. */
  readonly priorityQueue: boolean;
  /** `return_perf_metrics`: Prometheus' figures, at `/prometheus/metrics`. */
  readonly perfMetrics: boolean;
  /** Word of `--backend` for what trtllm-build made; undefined: builder and backend are gone (from 1.3.0rc21 on). */
  readonly engineBackend: "trt" | undefined;
  /** `orchestrator_type: ray`: several pods are one worker without MPI. */
  readonly ray: boolean;
}

const before = {
  decodingTypes: { DraftModel: "DraftTarget", EAGLE3: "Eagle", NGram: "NGram", MTP: "MTP", Suffix: undefined },
  draftField: "speculative_model_dir",
  mtpField: "num_nextn_predict_layers",
  eagle3OneModel: true,
  bound: true,
  schedule: undefined,
  scheduled: [],
  withoutOverlap: ["DraftModel", "NGram"],
  priorityQueue: false,
  perfMetrics: true,
  engineBackend: "trt",
  ray: false,
} as const;

const since = {
  decodingTypes: { DraftModel: "Draft_Target", EAGLE3: "Eagle3", NGram: "NGram", MTP: "MTP", Suffix: "SA" },
  draftField: "speculative_model",
  mtpField: "max_draft_len",
  eagle3OneModel: false,
  bound: true,
  schedule: "upTo",
  scheduled: ["EAGLE3", "DraftModel", "MTP", "Suffix"],
  withoutOverlap: ["NGram"],
  priorityQueue: true,
  perfMetrics: true,
  engineBackend: undefined,
  ray: true,
} as const;

/** In order; a release newer than all is spoken to as the last one. */
export const tensorrtLines: readonly TensorrtLine[] = [
  { line: "1.0", readFrom: "1.0.0", ...before, bound: false, perfMetrics: false },
  { line: "1.1", readFrom: "1.1.0rc5", ...before },
  { line: "1.2", readFrom: "1.2.1", ...before, schedule: "from", scheduled: ["DraftModel", "NGram"], ray: true },
  { line: "1.3", readFrom: "1.3.0rc29", ...since },
  { line: "1.4", readFrom: "1.4.0rc1", ...since },
];

/** Of the published image that a pool without a word of its own gets. */
export const tensorrtVersion = "1.2.1";

const numbers = (version: string) => (version.match(/\d+/g) ?? []).slice(0, 2).map(Number);

/** The newest line that is not newer than the version. */
export function tensorrtLine(version: string = tensorrtVersion): TensorrtLine {
  const [major = 0, minor = 0] = numbers(version);
  const known = tensorrtLines.filter(({ line }) => {
    const [first = 0, second = 0] = numbers(line);
    return first < major || (first === major && second <= minor);
  });
  return (known.at(-1) ?? tensorrtLines[0]) as TensorrtLine;
}

/**
 * A pattern of the versions that such lines speak for, in the syntax that CEL and JavaScript share: with the last of all lines also
 * whatever is newer.
 */
export function versionsThat(are: (line: TensorrtLine) => boolean): string {
  const lines = tensorrtLines.filter(are);
  const each = lines.map(({ line }) => line.replace(".", "[.]"));
  const newest = tensorrtLines.at(-1) as TensorrtLine;
  const [major = 0, minor = 0] = numbers(newest.line);
  const newer = lines.includes(newest) ? [`${major}[.]${above(minor)}`, `${above(major)}[.][0-9]+`] : [];
  return each.length === 0 ? "^$" : `^(${[...each, ...newer].join("|")})([^0-9].*)?$`;
}

/** Numbers of one digit above this one, and all of more digits. */
const above = (digit: number) => `(${digit < 9 ? `[${digit + 1}-9]|` : ""}[0-9][0-9]+)`;

export const buildsNone = versionsThat(({ engineBackend }) => engineBackend === undefined);
