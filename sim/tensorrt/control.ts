// control: the page of the pretend trtllm-serve that is told which cached prompts may be shortened (KVCacheControlPlane,
// tensorrt_llm/serve/control_plane.py): a request in, its answer and what is to be done out. Answered before it is done.
export const truncatePath = "/_control/kv_cache/truncate_tokens";

export interface Truncation {
  readonly tokens: readonly number[];
  readonly keep: number;
}

interface Told {
  readonly status: number;
  /** Undefined: an answer without one. */
  readonly error?: string;
  readonly truncations: readonly Truncation[];
}

const fields = ["model", "prefixes", "num_tokens_to_keep"];

export function truncating(body: Readonly<Record<string, unknown>>, closing: boolean): Told {
  const { prefixes, num_tokens_to_keep: keeps } = body as { prefixes?: number[][]; num_tokens_to_keep?: number[] };
  const more = Object.keys(body).find((field) => !fields.includes(field));
  if (more !== undefined) return invalid("extra_forbidden", more, "Extra inputs are not permitted");
  if (!prefixes) return invalid("missing", "prefixes", "Field required");
  if (!keeps) return invalid("missing", "num_tokens_to_keep", "Field required");
  if (prefixes.length !== keeps.length)
    return refused(400, `len(prefixes)=${prefixes.length} != len(num_tokens_to_keep)=${keeps.length}`);
  const truncations = prefixes.map((tokens, index) => ({ tokens, keep: keeps[index] as number }));
  const wrong = truncations.findIndex(({ tokens, keep }) => keep < 0 || keep > tokens.length);
  const at = truncations[wrong];
  if (at) return refused(400, `prefixes[${wrong}]: num_tokens_to_keep=${at.keep} out of range [0, ${at.tokens.length}]`);
  if (closing && truncations.length > 0) return refused(503, "KV cache control plane is shutting down");
  return { status: 200, truncations };
}

function invalid(type: string, field: string, message: string): Told {
  return refused(400, `[{'type': '${type}', 'loc': ('body', '${field}'), 'msg': '${message}', 'input': '…'}]`);
}

function refused(status: number, error: string): Told {
  return { status, error, truncations: [] };
}
