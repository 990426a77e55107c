// config-decoding: what `speculative_config` may say in each release of TensorRT-LLM, by its `decoding_type`, as
// `DecodingBaseConfig` and its subclasses in tensorrt_llm/llmapi/llm_args.py have it (sources: config-fields.ts; of
// `draft_len_schedule` pull requests 8194, 10860 and 12262 of NVIDIA/TensorRT-LLM, of `max_concurrency` 6676, of the names of the
// acceptance window 12905). Methods that no WorkerPool has a word for (Medusa, Lookahead, PARD, DFlash, …) are left out.
import { z } from "zod";

const count = z.int().min(1);
const anything = (...names: string[]) => Object.fromEntries(names.map((name) => [name, z.unknown().optional()]));
const flag = z.boolean().optional();

/** As JSON and YAML write it: pydantic makes numbers of the keys. */
const schedule = z.record(z.string().regex(/^[1-9][0-9]*$/), z.int().min(0));
const keysOf = (said: Record<string, number>) => Object.keys(said).map(Number);

const draft = (field: string) => ({ [field]: z.string().min(1) });
const ngram = anything("max_matching_ngram_size", "is_keep_all", "is_use_oldest", "is_public_pool");
const tree = anything("use_dynamic_tree", "dynamic_tree_max_topK", "num_eagle_layers", "max_non_leaves_per_layer");
const relaxed = anything("use_relaxed_acceptance_for_thinking", "relaxed_topk", "relaxed_delta", "use_mtp_vanilla");

/** Numbers of tokens by batch, as far as one is said. */
interface Said {
  readonly max_draft_len?: unknown;
  readonly draft_len_schedule?: Record<string, number>;
}

interface Words {
  readonly lines: (method: "two models" | "other") => z.ZodRawShape;
  readonly mtp: z.ZodRawShape;
}

/** A class of the releases before 1.3, where `from_dict` chooses it by the type. */
const older = ({ lines, mtp }: Words) => [
  z.strictObject({
    ...{ decoding_type: z.literal("Eagle"), max_draft_len: count, ...draft("speculative_model_dir"), ...lines("other"), ...tree },
    ...{
      eagle3_one_model: flag,
      greedy_sampling: flag,
      ...anything("eagle_choices", "posterior_threshold", "eagle3_layers_to_capture"),
    },
  }),
  z.strictObject({
    ...{ decoding_type: z.literal("DraftTarget"), max_draft_len: count, ...draft("speculative_model_dir"), ...lines("two models") },
  }),
  z.strictObject({ decoding_type: z.literal("NGram"), max_draft_len: count, ...lines("two models"), ...ngram }),
  z.strictObject({ decoding_type: z.literal("MTP"), ...mtp, ...lines("other"), ...relaxed }),
];

const nextn = { num_nextn_predict_layers: count, max_draft_len: count.optional() };
const bound = { max_concurrency: count.optional() };
const window = anything("max_total_draft_tokens", "load_format", "acceptance_window", "acceptance_length_threshold");

const fromOne = ({ draft_len_schedule: said, max_draft_len }: Said) => said === undefined || said[1] === max_draft_len;

const in10 = z.union(older({ lines: () => ({}), mtp: nextn }));
const in11 = z.union(older({ lines: () => bound, mtp: nextn }));
const in12 = z
  .union(
    older({
      lines: (method) => ({ ...bound, ...window, ...(method === "two models" ? { draft_len_schedule: schedule.optional() } : {}) }),
      mtp: { ...nextn, ...anything("mtp_eagle_one_model") },
    }),
  )
  .refine((given) => fromOne(given as Said), { message: "draft_len_schedule: batch 1 must have max_draft_len" });

const in13and14 = (eagleOnly: z.ZodRawShape, more: z.ZodRawShape) => {
  const base = {
    ...{ max_draft_len: count, ...bound, draft_len_schedule: schedule.optional(), ...more },
    ...anything("max_total_draft_tokens", "load_format", "acceptance_rate_window_size", "acceptance_rate_threshold"),
    ...anything("use_rejection_sampling", "allow_advanced_sampling", "advanced_sampling_mode", "enable_penalty"),
  };
  // One of both: the second is an alias of the first.
  const from = z.string().min(1).optional();
  const drafted = { ...base, speculative_model: from, speculative_model_dir: from };
  const named = (said: { speculative_model?: unknown; speculative_model_dir?: unknown }) =>
    (said.speculative_model === undefined) !== (said.speculative_model_dir === undefined);
  return z
    .union([
      z
        .strictObject({
          ...{ decoding_type: z.literal("Eagle3"), ...drafted, ...tree, ...eagleOnly },
          ...anything("eagle3_layers_to_capture", "eagle3_model_arch", "sa_config"),
        })
        .refine(named, { message: "speculative_model: Eagle3 needs one" }),
      z
        .strictObject({ decoding_type: z.literal("Draft_Target"), ...drafted })
        .refine(named, { message: "speculative_model: missing" }),
      z.strictObject({ decoding_type: z.literal("NGram"), ...base, draft_len_schedule: z.undefined().optional(), ...ngram }),
      z.strictObject({
        ...{ decoding_type: z.literal("MTP"), ...base, ...relaxed, ...anything("num_nextn_predict_layers", "sa_config") },
        ...anything("use_dynamic_tree", "dynamic_tree_max_topK", "begin_thinking_phase_token", "end_thinking_phase_token"),
      }),
      z.strictObject({
        ...{ decoding_type: z.literal("SA"), ...base },
        ...anything("max_matching_ngram_size", "enable_global_pool", "global_pool_size"),
      }),
    ])
    .refine(({ draft_len_schedule, max_concurrency }) => draft_len_schedule === undefined || max_concurrency === undefined, {
      message: "draft_len_schedule: excludes max_concurrency",
    })
    .refine(({ draft_len_schedule: said, max_draft_len }) => !said || said[Math.min(...keysOf(said))] === max_draft_len, {
      message: "draft_len_schedule: its smallest batch must have max_draft_len",
    });
};

export const decoding = {
  "1.0": in10,
  "1.1": in11,
  "1.2": in12,
  "1.3": in13and14(anything("eagle_choices"), anything("moe_backend")),
  "1.4": in13and14({}, anything("moe_backend", "spec_dec_variant")),
} as const;
