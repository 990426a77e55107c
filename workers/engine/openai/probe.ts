// probe: what a server with OpenAI's completions is and can do, asked of it once by requests that change nothing: which of the servers
// that we know it is, its models and their context, whether it takes token ids, says what a stream cost, and forgives what it
// does not know.
import { z } from "zod";
import { SlipstreamError } from "../../../lib/errors.ts";
import { sentenceOf } from "../completion-stream.ts";
import type { Answer, HttpEngine } from "../http.ts";

const modelsShape = z.looseObject({
  data: z
    .array(
      z.looseObject({
        id: z.string().min(1),
        max_model_len: z.number().int().min(1).nullish(),
        context_length: z.number().int().min(1).nullish(),
        meta: z.looseObject({ n_ctx: z.number().int().nullish(), n_ctx_train: z.number().int().nullish() }).nullish(),
      }),
    )
    .min(1),
});

export interface ProbedServer {
  readonly kind: "vllm" | "sglang" | "llama.cpp" | "other";
  readonly version: string;
  readonly models: readonly { readonly id: string; readonly contextTokens: number | undefined }[];
  /** Folder or name that the model was loaded from, where it says so. */
  readonly root: string;
  /** Generations it runs at once, where it says so. */
  readonly seats: number | undefined;
  readonly tokenIds: boolean;
  /** The end of a stream says what it cost. */
  readonly usage: boolean;
  readonly cachedTokens: boolean;
}

export async function probeServer(http: Pick<HttpEngine, "ask">, wanted: string, signal: AbortSignal): Promise<ProbedServer> {
  const ask = (path: string, body?: object) => http.ask(path, body, { signal, timeoutMs: 30_000 });
  const [listed, version, props, info, serverInfo] = await Promise.all([
    ask("/v1/models"),
    ask("/version"),
    ask("/props"),
    ask("/get_model_info"),
    ask("/get_server_info"),
  ]);
  if (listed.status === 401 || listed.status === 403)
    throw new SlipstreamError("permission_denied", "the engine asks for a key (SLIPSTREAM_WORKER_ENGINE_KEY_FILE)");
  const read = modelsShape.safeParse(json(listed));
  if (!read.success)
    throw new SlipstreamError("model_unusable", `the engine lists no models (/v1/models: status ${listed.status})`);
  const slot = number(json(props), "default_generation_settings", "n_ctx");
  const models = read.data.data.map(({ id, max_model_len: length, context_length: context, meta }) => ({
    id,
    contextTokens:
      slot ?? length ?? context ?? meta?.n_ctx ?? number(json(serverInfo), "context_length") ?? meta?.n_ctx_train ?? undefined,
  }));
  const model = models.find(({ id }) => wanted === "" || id === wanted)?.id;
  if (model === undefined) {
    const names = models.map(({ id }) => JSON.stringify(id)).join(", ");
    throw new SlipstreamError("model_unusable", `the engine serves ${names}, not ${JSON.stringify(wanted)}`);
  }
  return {
    kind: kindOf(version, props, info),
    version: text(json(version), "version") ?? text(json(props), "build_info") ?? text(json(serverInfo), "version") ?? "unknown",
    models,
    root: text(json(info), "model_path") ?? text(json(props), "model_path") ?? model,
    seats: number(json(props), "total_slots") ?? number(json(serverInfo), "max_running_requests"),
    ...(await tried(model, ask)),
  };
}

function kindOf(version: Answer, props: Answer, info: Answer): ProbedServer["kind"] {
  if (info.status === 200) return "sglang";
  if (props.status === 200 && text(json(props), "build_info") !== undefined) return "llama.cpp";
  return version.status === 200 && text(json(version), "version") !== undefined ? "vllm" : "other";
}

async function tried(
  model: string,
  ask: (path: string, body: object) => Promise<Answer>,
): Promise<Pick<ProbedServer, "tokenIds" | "usage" | "cachedTokens">> {
  const plain = { model, prompt: "const a = 1;", max_tokens: 1, temperature: 0 };
  const first = await ask("/v1/completions", plain);
  if (first.status !== 200)
    throw new SlipstreamError(
      "engine_failed",
      `the engine has no /v1/completions that works (status ${first.status}): ${sentenceOf(json(first) ?? "")}`,
    );
  const [ids, streamed] = await Promise.all([
    ask("/v1/completions", { ...plain, prompt: [1, 2, 3, 4] }),
    ask("/v1/completions", { ...plain, stream: true, stream_options: { include_usage: true } }),
  ]);
  const usages = events(streamed).flatMap((event) => (event as { usage?: unknown } | null)?.usage ?? []);
  const details = (usages.at(-1) as { prompt_tokens_details?: { cached_tokens?: unknown } | null } | undefined)
    ?.prompt_tokens_details;
  return {
    // A server that reads them as text says that there were more.
    tokenIds: ids.status === 200 && number(json(ids), "usage", "prompt_tokens") === 4,
    usage: streamed.status === 200 && usages.length > 0,
    cachedTokens: typeof details?.cached_tokens === "number",
  };
}

function events({ text: body }: Answer): unknown[] {
  const data = body.split("\n").flatMap((line) => (line.startsWith("data:") ? [line.slice(5).trim()] : []));
  return data.map((each) => parsed(each)).filter((each) => each !== undefined);
}

function json({ text: body }: Answer): unknown {
  return parsed(body);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, key) => (typeof found === "object" && found !== null ? (found as never)[key] : undefined),
    value,
  );
}

function number(value: unknown, ...path: string[]): number | undefined {
  const found = at(value, path);
  return typeof found === "number" && found > 0 ? found : undefined;
}

function text(value: unknown, ...path: string[]): string | undefined {
  const found = at(value, path);
  return typeof found === "string" ? found.slice(0, 200) : undefined;
}
