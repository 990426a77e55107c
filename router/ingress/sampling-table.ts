// sampling-table: what becomes of each sampling parameter at each endpoint: honoured, refused by name, or not a field there. The
// reference page is made from it, and a test asks every endpoint for every row.

/** "honoured": the worker gets it as it was asked; "refused": an error names it; "absent": the message has no such field. */
type Fate = "honoured" | "refused" | "absent";

export const samplingEndpoints = {
  session: "Session (Trigger)",
  complete: "Complete",
  generate: "Generate",
  openai: "OpenAI completions",
  chat: "OpenAI chat",
  llama: "llama.cpp",
  mistral: "Mistral FIM",
  deepseek: "DeepSeek",
  ollama: "Ollama",
  tabby: "Tabby",
} as const;
export type SamplingEndpoint = keyof typeof samplingEndpoints;

interface Row {
  /** As it is called there, where that is not its own name. */
  readonly names?: { readonly [E in SamplingEndpoint]?: string } | undefined;
  readonly fates: Readonly<Record<SamplingEndpoint, Fate>>;
  /** What is taken; anything else is refused with the field's name. */
  readonly range: string;
  readonly left: string;
  readonly note: string;
}

type HttpEndpoint = Exclude<SamplingEndpoint, "session" | "complete" | "generate">;
const grpc = (fate: Fate) => ({ session: fate, complete: fate, generate: fate }) as const;
const absent = {
  openai: "absent",
  chat: "absent",
  llama: "absent",
  mistral: "absent",
  deepseek: "absent",
  ollama: "absent",
  tabby: "absent",
} as const;
/** At these endpoints, and at none besides. */
const at = (fate: Fate, ...endpoints: readonly HttpEndpoint[]): Readonly<Record<HttpEndpoint, Fate>> => ({
  ...absent,
  ...Object.fromEntries(endpoints.map((endpoint) => [endpoint, fate])),
});
const honouredBut = (...endpoints: readonly HttpEndpoint[]) => ({
  ...at("honoured", ...(Object.keys(absent) as HttpEndpoint[]).filter((endpoint) => !endpoints.includes(endpoint))),
});
const refusedAt = (...endpoints: readonly HttpEndpoint[]) => ({ ...grpc("absent"), ...at("refused", ...endpoints) });
/** Ollama nests them. */
const options = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, { ollama: `options.${name}` }]));
const nested = options(
  ...["temperature", "top_p", "top_k", "seed", "stop", "presence_penalty", "frequency_penalty"],
  ...["repeat_penalty", "min_p", "typical_p", "mirostat"],
);

export const samplingTable = {
  max_tokens: {
    names: { llama: "n_predict", ollama: "options.num_predict" },
    fates: { ...grpc("honoured"), ...honouredBut("tabby") },
    range: "1 to 256, chat to 4,096; `n_predict` 0 computes the prompt alone",
    left: "8, 32, 64 or 96 by the shape; OpenAI 16; other HTTP 256",
    note: "A worker's own limit may be lower. HTTP takes larger bounds, up to 131,072, and -1 where an API has it, as the largest: the text ends there, with finish `length`.",
  },
  temperature: {
    names: nested["temperature"],
    fates: { ...grpc("honoured"), ...honouredBut() },
    range: "0 to 2",
    left: "0: greedy",
    note: "",
  },
  top_p: {
    names: nested["top_p"],
    fates: { ...grpc("honoured"), ...honouredBut("tabby") },
    range: "above 0, to 1",
    left: "1",
    note: "Without effect on greedy text.",
  },
  top_k: {
    names: nested["top_k"],
    fates: { ...grpc("honoured"), ...at("honoured", "openai", "chat", "llama", "ollama") },
    range: "0 to 1,000",
    left: "0: all",
    note: "Without effect on greedy text. Not OpenAI's own.",
  },
  seed: {
    names: { ...nested["seed"], mistral: "random_seed" },
    fates: { ...grpc("honoured"), ...honouredBut("deepseek") },
    range: "any; its low 32 bits count; below 0 over HTTP: none",
    left: "another one each time",
    note: "Equal prompts with equal seeds are one generation.",
  },
  stop: {
    names: nested["stop"],
    fates: { ...grpc("honoured"), ...honouredBut("tabby") },
    range: "8 texts of 1 to 64 bytes",
    left: "none",
    note: "The family's own stops and the model's end tokens hold besides. The text ends before the stop. With an infilling request over HTTP, special tokens of other models among the stops are left out: they never come.",
  },
  n: {
    names: { llama: "n_cmpl" },
    fates: { session: "honoured", complete: "absent", generate: "absent", ...at("honoured", "openai", "llama"), chat: "refused" },
    range: "1 to 3, more than 1 of INVOKED alone; chat 1",
    left: "1",
    note: "Alternatives are different texts for the same place, each a generation of its own; those that are equal are left out.",
  },
  speculation: {
    fates: { ...grpc("honoured"), ...absent },
    range: "AUTO, ALWAYS, OFF",
    left: "AUTO",
    note: "Changes speed, never text. An engine whose drafting is set when it starts (vLLM, TensorRT-LLM) drafts as it was started to, whatever is asked.",
  },
  logprobs: {
    names: { llama: "n_probs" },
    fates: refusedAt("openai", "chat", "llama", "deepseek"),
    range: "none",
    left: "",
    note: "No engine is asked for them yet.",
  },
  best_of: { fates: refusedAt("openai"), range: "1", left: "1", note: "" },
  echo: { fates: refusedAt("openai", "deepseek"), range: "false", left: "false", note: "" },
  logit_bias: { fates: refusedAt("openai", "chat", "llama", "deepseek"), range: "none", left: "", note: "" },
  presence_penalty: {
    names: nested["presence_penalty"],
    fates: refusedAt("openai", "chat", "llama", "deepseek", "ollama"),
    range: "0",
    left: "0",
    note: "",
  },
  frequency_penalty: {
    names: nested["frequency_penalty"],
    fates: refusedAt("openai", "chat", "llama", "deepseek", "ollama"),
    range: "0",
    left: "0",
    note: "",
  },
  repeat_penalty: { names: nested["repeat_penalty"], fates: refusedAt("llama", "ollama"), range: "1", left: "1", note: "" },
  min_p: { names: nested["min_p"], fates: refusedAt("llama", "ollama"), range: "0", left: "0", note: "" },
  typical_p: { names: nested["typical_p"], fates: refusedAt("llama", "ollama"), range: "1", left: "1", note: "" },
  mirostat: { names: nested["mirostat"], fates: refusedAt("llama", "ollama"), range: "0", left: "0", note: "" },
  grammar: { names: { ollama: "format" }, fates: refusedAt("llama", "ollama"), range: "none", left: "", note: "" },
  min_tokens: { fates: refusedAt("mistral"), range: "0", left: "0", note: "" },
} as const satisfies Record<string, Row>;

/** What a parameter is called at an endpoint. */
export function nameAt(parameter: keyof typeof samplingTable, endpoint: SamplingEndpoint): string {
  const { names }: Row = samplingTable[parameter];
  return names?.[endpoint] ?? parameter;
}
