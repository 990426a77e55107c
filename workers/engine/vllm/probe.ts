// probe: what a running vLLM is and can do: asked of it once, by requests that are small and change nothing. Its version alone
// would not say: most of what matters is switched on by flags. What it lacks for Slipstream is said in sentences (advice.ts).
import { z } from "zod";
import { SlipstreamError } from "../../../lib/errors.ts";
import { sentenceOf } from "../completion-stream.ts";
import type { Answer, HttpEngine } from "../http.ts";
import type { ServedModel } from "../served-models.ts";
import { type Counters, readCounters } from "./counters.ts";

const modelShape = z.looseObject({
  id: z.string().min(1),
  root: z.string().nullish(),
  parent: z.string().nullish(),
  max_model_len: z.number().int().min(1).nullish(),
});
const modelsShape = z.looseObject({ data: z.array(modelShape).min(1) });
const sourceShape = z.record(
  z.string(),
  z.looseObject({
    endpoint: z.string(),
    replay_endpoint: z.string().nullish(),
    topic: z.string().default(""),
    enable_kv_cache_events: z.boolean().default(true),
    publisher: z.string().nullish(),
  }),
);

export interface KvSource {
  readonly endpoint: string;
  readonly replay: string | undefined;
  readonly topic: string;
}

export interface Probed {
  readonly version: string;
  readonly models: readonly ServedModel[];
  readonly counters: Counters | undefined;
  /** Its metrics answer at all. */
  readonly metrics: boolean;
  readonly tokenizes: boolean;
  readonly priority: boolean;
  /** Says how many of a prompt's tokens were cached. */
  readonly cachedTokens: boolean;
  readonly cacheSalt: boolean;
  /** Token in, token out, and abort by id. */
  readonly tokensOnly: boolean;
  readonly kvSources: readonly KvSource[];
  readonly sleeps: boolean;
  readonly adapters: boolean;
}

export async function probe(http: Pick<HttpEngine, "ask">, signal: AbortSignal): Promise<Probed> {
  const ask = (path: string, body?: object) => http.ask(path, body, { signal, timeoutMs: 30_000 });
  const models = await servedModels(http, signal);
  const [version, metrics, tokenizes, sources, tokensOnly, sleeping, adapters] = await Promise.all([
    ask("/version"),
    ask("/metrics"),
    ask("/tokenize", { model: models[0]?.id, prompt: "a" }),
    ask("/kv_event_sources"),
    ask("/inference/v1/generate", {}),
    ask("/is_sleeping"),
    ask("/v1/load_lora_adapter", {}),
  ]);
  const counters = metrics.status === 200 ? readCounters(metrics.text) : undefined;
  const tried = await tryOut(models[0]?.id ?? "", counters?.blockTokens ?? 16, ask);
  return {
    version: String((json(version) as { version?: unknown } | undefined)?.version ?? "unknown").slice(0, 64),
    models,
    counters,
    metrics: counters !== undefined,
    tokenizes: tokenizes.status === 200,
    ...tried,
    // 403 where it is not switched on; 400 for a body that says nothing.
    tokensOnly: tokensOnly.status === 400 || tokensOnly.status === 422,
    kvSources: kvSources(sources),
    sleeps: sleeping.status === 200,
    adapters: adapters.status === 400 || adapters.status === 422,
  };
}

export async function servedModels(http: Pick<HttpEngine, "ask">, signal: AbortSignal): Promise<ServedModel[]> {
  const answer = await http.ask("/v1/models", undefined, { signal });
  if (answer.status === 401 || answer.status === 403)
    throw new SlipstreamError("permission_denied", "the engine asks for a key (SLIPSTREAM_WORKER_ENGINE_KEY_FILE)");
  const read = modelsShape.safeParse(json(answer));
  if (!read.success)
    throw new SlipstreamError("model_unusable", `the engine lists no models (/v1/models: status ${answer.status})`);
  return read.data.data.map(({ id, root, parent, max_model_len: length }) => ({
    ...{ id, root: root ?? id, parent: parent ?? undefined, contextTokens: length ?? undefined },
  }));
}

/** Two equal prompts of two blocks: the first learns whether priority and salt are taken, the second whether reuse is told. */
async function tryOut(
  model: string,
  blockTokens: number,
  ask: (path: string, body: object) => Promise<Answer>,
): Promise<Pick<Probed, "priority" | "cachedTokens" | "cacheSalt">> {
  const prompt = Array.from({ length: 2 * blockTokens + 1 }, () => 1);
  const plain = { model, prompt, max_tokens: 1, temperature: 0 };
  const withPriority = await ask("/v1/completions", { ...plain, priority: 1 });
  const salted = await ask("/v1/completions", { ...plain, cache_salt: "probe" });
  const again = await ask("/v1/completions", { ...plain, cache_salt: "probe" });
  if (again.status !== 200 && salted.status !== 200 && withPriority.status !== 200)
    throw new SlipstreamError("engine_failed", `the engine does not complete: ${sentenceOf(errorOf(json(again)))}`);
  const details = (json(again) as { usage?: { prompt_tokens_details?: { cached_tokens?: unknown } | null } } | undefined)?.usage;
  return {
    priority: withPriority.status === 200,
    cacheSalt: salted.status === 200,
    cachedTokens: typeof details?.prompt_tokens_details?.cached_tokens === "number",
  };
}

function kvSources(answer: Answer): KvSource[] {
  const read = answer.status === 200 ? sourceShape.safeParse(json(answer)) : undefined;
  if (!read?.success) return [];
  return Object.values(read.data)
    .filter((source) => source.enable_kv_cache_events && (source.publisher ?? "zmq") === "zmq")
    .map(({ endpoint, replay_endpoint: replay, topic }) => ({ endpoint, replay: replay ?? undefined, topic }));
}

function errorOf(body: unknown): unknown {
  return (body as { error?: unknown } | undefined)?.error ?? "no reason given";
}

function json({ text }: Answer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
