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
} as const;
export type SamplingEndpoint = keyof typeof samplingEndpoints;

interface Row {
  /** As it is called there, where that is not its own name. */
  readonly names?: { readonly [E in SamplingEndpoint]?: string };
  readonly fates: Readonly<Record<SamplingEndpoint, Fate>>;
  /** What is taken; anything else is refused with the field's name. */
  readonly range: string;
  readonly left: string;
  readonly note: string;
}

const grpc = (fate: Fate) => ({ session: fate, complete: fate, generate: fate }) as const;
const http = (fate: Fate) => ({ openai: fate, chat: fate }) as const;
const everywhere = { ...grpc("honoured"), ...http("honoured") } as const;
const httpRefuses = { ...grpc("absent"), ...http("refused") } as const;

export const samplingTable = {
  max_tokens: {
    fates: everywhere,
    range: "1 to 256, chat to 4,096",
    left: "8, 32, 64 or 96 by the shape; OpenAI 16; chat 256",
    note: "A worker's own limit may be lower. HTTP takes larger bounds, up to 131,072, as the largest: the text ends there, with finish `length`.",
  },
  temperature: { fates: everywhere, range: "0 to 2", left: "0: greedy", note: "" },
  top_p: { fates: everywhere, range: "above 0, to 1", left: "1", note: "Without effect on greedy text." },
  top_k: { fates: everywhere, range: "0 to 1,000", left: "0: all", note: "Without effect on greedy text. Not OpenAI's own." },
  seed: {
    fates: everywhere,
    range: "any; its low 32 bits count",
    left: "another one each time",
    note: "Equal prompts with equal seeds are one generation.",
  },
  stop: {
    fates: everywhere,
    range: "8 texts of 1 to 64 bytes",
    left: "none",
    note: "The family's own stops and the model's end tokens hold besides. The text ends before the stop.",
  },
  n: {
    fates: { session: "honoured", complete: "absent", generate: "absent", openai: "honoured", chat: "refused" },
    range: "1 to 3, more than 1 of INVOKED alone; chat 1",
    left: "1",
    note: "Alternatives are different texts for the same place, each a generation of its own; those that are equal are left out.",
  },
  speculation: {
    fates: { ...grpc("honoured"), ...http("absent") },
    range: "AUTO, ALWAYS, OFF",
    left: "AUTO",
    note: "Changes speed, never text.",
  },
  logprobs: { fates: httpRefuses, range: "none", left: "", note: "No engine is asked for them yet." },
  best_of: { fates: { ...grpc("absent"), openai: "refused", chat: "absent" }, range: "1", left: "1", note: "" },
  echo: { fates: { ...grpc("absent"), openai: "refused", chat: "absent" }, range: "false", left: "false", note: "" },
  logit_bias: { fates: httpRefuses, range: "none", left: "", note: "" },
  presence_penalty: { fates: httpRefuses, range: "0", left: "0", note: "" },
  frequency_penalty: { fates: httpRefuses, range: "0", left: "0", note: "" },
} as const satisfies Record<string, Row>;

/** What a parameter is called at an endpoint. */
export function nameAt(parameter: keyof typeof samplingTable, endpoint: SamplingEndpoint): string {
  const { names }: Row = samplingTable[parameter];
  return names?.[endpoint] ?? parameter;
}
