// words: how outcomes, reasons and sources are said to a person. The same names as in the contracts, explained where they are shown.

export interface Said {
  readonly name: string;
  readonly means: string;
}

/** By outcome. */
export const outcomes: Readonly<Record<string, Said>> = {
  typed_ahead: { name: "Typed ahead", means: "You are typing what was shown: answered at once, no worker was asked." },
  cached: { name: "Cached", means: "The same prompt was finished before: no worker was asked." },
  joined: { name: "Joined", means: "It follows a generation that was under way already." },
  generated: { name: "Generated", means: "A worker computed it." },
  superseded: { name: "Superseded", means: "A newer key retired it, before anybody waited for it." },
  gated: { name: "Gated", means: "Not worth asking here, as far as the evidence goes." },
  empty: { name: "Empty", means: "The model had nothing to add, or was too unsure to show it." },
  cancelled: { name: "Cancelled", means: "It was taken back." },
  expired: { name: "Expired", means: "No text came before its deadline." },
  refused: { name: "Refused", means: "The router would not run it." },
  failed: { name: "Failed", means: "Something went wrong." },
  under_way: { name: "Under way", means: "It has not ended yet." },
};

/** By reason, where it says more than the outcome. */
export const reasons: Readonly<Record<string, string>> = {
  brownout: "The workers are busy, so only what is most likely wanted is asked for.",
  duplicate: "The text is already there.",
  deadline: "No worker could answer before its deadline.",
  excluded: "The policy excludes this file or language.",
  secret: "The place looks like a secret.",
  quota: "The tenant's quota is used up for now.",
  resync_needed: "The router's copy of the document was not current; it is sent again.",
};

export const sources: Readonly<Record<string, string>> = {
  type_through: "what was shown",
  result: "a finished result",
  in_flight: "a generation under way",
  kv: "a worker that still held the prompt's beginning",
  cold: "a worker that computed the whole prompt",
};

export const finishes: Readonly<Record<string, string>> = {
  stop: "the model ended",
  length: "the token limit",
  cut: "the end of a line, statement or block",
  deadline: "the deadline",
};

export const rooms: Readonly<Record<string, string>> = {
  ingress: "checked and read",
  reuse: "what is known already",
  settle: "the newest key, and the pause after it",
  gate: "is it worth asking?",
  context: "other code that helps",
  prompt: "the prompt",
  cache: "finished or under way",
  queue: "waits for a worker's credit",
  schedule: "which worker",
  dispatch: "the worker computes",
  stream: "text cut and sent",
  feedback: "how it ended",
};

export const nameOf = (outcome: string): string => outcomes[outcome]?.name ?? outcome.replaceAll("_", " ");

/** "0.4 ms", "12 ms", "1.2 s". */
export function time(ms: number): string {
  if (ms >= 9_950) return `${Math.round(ms / 1_000)} s`;
  if (ms >= 995) return `${(ms / 1_000).toFixed(1)} s`;
  return ms >= 9.95 || ms === 0 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

export const many = (count: number, one: string, more = `${one}s`): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : more}`;
