// completion-event: one event of an OpenAI-compatible completion stream as JSON read it in, the parts that we use out, each of the type it
// should be; or the name of the part that is not. Read by hand: a generation has an event a step, and a schema's walk over each of them
// was a tenth of what the agent adds. Pure.

export interface CompletionEvent {
  /** What the engine says that went wrong; undefined or empty: nothing did. */
  readonly error: unknown;
  /** The first one; undefined: an event without text, as the last one is. */
  readonly choice: EventChoice | undefined;
  readonly usage: EventUsage | undefined;
}

export interface EventChoice {
  readonly text: string;
  readonly finishReason: string;
  /** Of the chosen tokens, where it was asked for; null: not known of this one. */
  readonly tokenLogprobs: readonly (number | null)[];
  /** Of token in, token out. */
  readonly tokenIds: readonly number[];
}

export interface EventUsage {
  readonly promptTokens: number;
  readonly completionTokens: number | undefined;
  readonly cachedTokens: number | undefined;
}

/** The name of the part that is not as it should be. */
export type Wrong = string;

type Fields = Readonly<Record<string, unknown>>;

const nothing: readonly never[] = [];

export function readEvent(raw: unknown): CompletionEvent | Wrong {
  if (!isObject(raw)) return "content";
  const { error, choices = nothing, usage: said } = raw;
  if (!Array.isArray(choices)) return "choices";
  const choice = choices.length === 0 ? undefined : readChoice(choices[0]);
  if (typeof choice === "string") return choice;
  const usage = said === undefined || said === null ? undefined : readUsage(said);
  return typeof usage === "string" ? usage : { error, choice, usage };
}

function readChoice(raw: unknown): EventChoice | Wrong {
  if (!isObject(raw)) return "choices.0";
  const { text, finish_reason: finishReason, logprobs, token_ids: tokenIds } = raw;
  if (!isTextOrNone(text)) return "choices.0.text";
  if (!isTextOrNone(finishReason)) return "choices.0.finish_reason";
  const tokenLogprobs = logprobs === undefined || logprobs === null ? nothing : readLogprobs(logprobs);
  if (tokenLogprobs === undefined) return "choices.0.logprobs";
  if (!isListOrNone(tokenIds, isCount)) return "choices.0.token_ids";
  return { text: text ?? "", finishReason: finishReason ?? "", tokenLogprobs, tokenIds: tokenIds ?? nothing };
}

function readLogprobs(raw: unknown): readonly (number | null)[] | undefined {
  if (!isObject(raw)) return undefined;
  const { token_logprobs: logprobs } = raw;
  return isListOrNone(logprobs, isNumberOrNull) ? (logprobs ?? nothing) : undefined;
}

function readUsage(raw: unknown): EventUsage | Wrong {
  if (!isObject(raw)) return "usage";
  const { prompt_tokens: promptTokens, completion_tokens: completionTokens, prompt_tokens_details: details } = raw;
  if (!isCount(promptTokens)) return "usage.prompt_tokens";
  if (!isCountOrNone(completionTokens)) return "usage.completion_tokens";
  if (details !== undefined && details !== null && !isObject(details)) return "usage.prompt_tokens_details";
  const cachedTokens = details?.["cached_tokens"];
  if (!isCountOrNone(cachedTokens)) return "usage.prompt_tokens_details.cached_tokens";
  return { promptTokens, completionTokens: completionTokens ?? undefined, cachedTokens: cachedTokens ?? undefined };
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextOrNone(value: unknown): value is string | null | undefined {
  return value === undefined || value === null || typeof value === "string";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCountOrNone(value: unknown): value is number | null | undefined {
  return value === undefined || value === null || isCount(value);
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || Number.isFinite(value);
}

function isListOrNone<T>(value: unknown, is: (each: unknown) => each is T): value is readonly T[] | null | undefined {
  return value === undefined || value === null || (Array.isArray(value) && value.every(is));
}
