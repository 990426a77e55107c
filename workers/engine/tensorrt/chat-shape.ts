// chat-shape: an event of trtllm-serve's /v1/chat/completions stream in, the same as an event of a completion out. Pure. A model for code
// has no parser for thoughts or tools there: its text is the content.

export function completionOf(event: unknown): unknown {
  const { choices, ...rest } = (event ?? {}) as { readonly choices?: unknown };
  if (!Array.isArray(choices)) return event;
  return { ...rest, choices: choices.map(choiceOf) };
}

interface ChatChoice {
  readonly delta?: { readonly content?: unknown };
  readonly finish_reason?: unknown;
  readonly logprobs?: { readonly content?: readonly { readonly logprob?: unknown }[] } | null;
}

function choiceOf({ delta, finish_reason, logprobs }: ChatChoice): object {
  const sure = logprobs?.content?.map(({ logprob }) => logprob ?? null);
  return { text: delta?.content ?? "", finish_reason, ...(sure && { logprobs: { token_logprobs: sure } }) };
}
