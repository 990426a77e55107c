// probe: what a running trtllm-serve is and can do: asked of it once, by requests that are small. Its version alone would not say: fields
// came and went between release candidates, and it refuses a request with a field that it does not know. What cannot be seen from
// outside is whether priorities are honoured.
import type { Clock } from "../../../lib/clock.ts";
import { SlipstreamError } from "../../../lib/errors.ts";
import { below, type Random } from "../../../lib/random.ts";
import { sentenceOf } from "../completion-stream.ts";
import { type Answer, AnswerTooLong, type HttpEngine } from "../http.ts";
import { type Counters, Iterations, readExposition } from "./counters.ts";
import { eventsBytesMax, eventsPath } from "./kv-feed.ts";
import type { Features } from "./request.ts";

export interface Probed {
  readonly version: string;
  readonly model: string;
  readonly priority: boolean;
  readonly salt: Features["salt"];
  /** Says how many of a prompt's tokens were cached. */
  readonly cachedTokens: boolean;
  /** Which of its two pages of figures says something. */
  readonly metrics: "prometheus" | "iterations" | "none";
  readonly counters: Counters | undefined;
  /** The first events, which are nowhere else any more; undefined: it tells none, or they were left to another reader. */
  readonly kvEvents: string | undefined;
}

type Ask = (path: string, body?: object, bytesMax?: number) => Promise<Answer>;

/** Pages that wait for two seconds of quiet before they answer. */
const askMs = 30_000;
const probeTokens = 65;
/** Every vocabulary has so many. */
const tokensSafe = 256;
const eventTries = 3;
const eventPauseMs = 100;
const noEvents = "[]";

export async function probe(
  http: Pick<HttpEngine, "ask">,
  { clock, random, signal }: { readonly clock: Clock; readonly random: Random; readonly signal: AbortSignal },
  /** False: its KV events have another reader, which must have all of them. */
  { kvEvents = true }: { readonly kvEvents?: boolean | undefined } = {},
): Promise<Probed> {
  const ask: Ask = (path, body, bytesMax) => http.ask(path, body, { signal, timeoutMs: askMs, ...(bytesMax && { bytesMax }) });
  const [version, models] = await Promise.all([ask("/version"), ask("/v1/models")]);
  if (models.status === 401 || models.status === 403)
    throw new SlipstreamError("permission_denied", "the engine asks for a key (SLIPSTREAM_WORKER_ENGINE_KEY_FILE)");
  const listed = (json(models) as { data?: readonly { id?: unknown }[] } | undefined)?.data?.[0]?.id;
  if (typeof listed !== "string" || listed === "")
    throw new SlipstreamError("model_unusable", `the engine lists no models (/v1/models: status ${models.status})`);
  // What it has in its cache already it would not tell of again.
  const prompt = Array.from({ length: probeTokens }, () => 1 + below(random, tokensSafe));
  const tried = await tryOut(listed, prompt, ask);
  return {
    version: String((json(version) as { version?: unknown } | undefined)?.version ?? "unknown").slice(0, 64),
    model: listed,
    ...tried,
    ...(await figures(ask)),
    kvEvents: kvEvents ? await firstEvents(ask, clock, signal) : undefined,
  };
}

/** Two equal prompts of two blocks: which fields they may have, and whether reuse is told. */
async function tryOut(
  model: string,
  prompt: readonly number[],
  ask: Ask,
): Promise<Pick<Probed, "priority" | "salt" | "cachedTokens">> {
  const plain = { model, prompt, max_tokens: 1, temperature: 0, top_k: 1 };
  const first = await ask("/v1/completions", plain);
  if (first.status !== 200)
    throw new SlipstreamError("engine_failed", `the engine does not complete: ${sentenceOf(messageOf(json(first)))}`);
  const salted = await ask("/v1/completions", { ...plain, cache_salt: "probe" });
  const chat = {
    ...{ model, messages: [{ role: "user", content: "" }], prompt_token_ids: prompt, max_completion_tokens: 1, temperature: 0 },
    ...{ top_k: 1, cache_salt: "probe" },
  };
  const salt =
    salted.status === 200 ? "completions" : (await ask("/v1/chat/completions", chat)).status === 200 ? "chat" : "nowhere";
  // Asked where prompts will go.
  const again =
    salt === "chat"
      ? await ask("/v1/chat/completions", { ...chat, priority: 0.5 })
      : await ask("/v1/completions", { ...plain, priority: 0.5 });
  const told = [again, first].map((answer) => {
    const usage = (json(answer) as { usage?: { prompt_tokens_details?: { cached_tokens?: unknown } | null } } | undefined)?.usage;
    return typeof usage?.prompt_tokens_details?.cached_tokens === "number";
  });
  return { priority: again.status === 200, salt, cachedTokens: told.includes(true) };
}

/** The page that takes nothing away is the better one. */
async function figures(ask: Ask): Promise<Pick<Probed, "metrics" | "counters">> {
  const exposition = await ask("/prometheus/metrics");
  const counters = exposition.status === 200 ? readExposition(exposition.text) : undefined;
  if (counters && Object.values(counters).some((value) => value !== undefined)) return { metrics: "prometheus", counters };
  const records = await ask("/metrics");
  const iterations = new Iterations();
  if (records.status !== 200 || !iterations.read(records.text) || records.text.trim() === "[]")
    return { metrics: "none", counters: undefined };
  return { metrics: "iterations", counters: iterations.counters };
}

/** What was just computed has been told of, where it is told at all. */
async function firstEvents(ask: Ask, clock: Clock, signal: AbortSignal): Promise<string | undefined> {
  for (let tries = 0; tries < eventTries; tries++) {
    const answer = await ask(eventsPath, {}, eventsBytesMax).catch(tooMany);
    if (answer === "lost") return noEvents;
    if (answer.status !== 200) return undefined;
    if (answer.text.trim() !== noEvents) return answer.text;
    await clock.sleep(eventPauseMs, signal);
  }
  return undefined;
}

/** More than is ever read at once: it tells events, and these are gone. */
function tooMany(thrown: unknown): "lost" {
  if ((thrown as Error).cause instanceof AnswerTooLong) return "lost";
  throw thrown;
}

function messageOf(body: unknown): unknown {
  const { error, message } = (body ?? {}) as { error?: unknown; message?: unknown };
  return error ?? message ?? "no reason given";
}

function json({ text }: Answer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
