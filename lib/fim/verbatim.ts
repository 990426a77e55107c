// verbatim: a prompt that is nobody's code but a prompt already, as segments: the tokens that the model is known to have are
// special, as they would be to an engine asked directly; all else is text.

import { escaped } from "./form.ts";
import type { Segment } from "./render.ts";
import { asWritten } from "./special-text.ts";

export function verbatim(prompt: string, specials: readonly string[]): Segment[] {
  const tokens = new Map(specials.filter((special) => special !== "").map((special) => [asWritten(special), special]));
  if (tokens.size === 0) return prompt === "" ? [] : [{ text: prompt }];
  const longestFirst = [...tokens.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`(${longestFirst.map(escaped).join("|")})`, "u");
  return prompt
    .split(pattern)
    .filter((part) => part !== "")
    .map((part) => (tokens.has(part) ? { special: tokens.get(part) as string } : { text: part }));
}
