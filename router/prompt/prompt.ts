// prompt: a Trigger, its Context and a model in, a rendered Prompt out: fill-in-the-middle in the family's form, laid out so
// that the prefix stays the same bytes from key to key: stable context → suffix → prefix where the family allows it.
import type { Context, Prompt, Segment, ServedModel, Trigger } from "../completion.ts";
import { type Budget, budgetFor } from "./budget.ts";
import { blockDigests, promptKey, renderedText } from "./digest.ts";
import { type Family, familyOf } from "./families.ts";
import { prefixWindow, suffixWindow } from "./window.ts";

export class PromptRoom {
  /** Bytes for other code, and the window of the document that the prompt will hold anyway. */
  contextBudget(trigger: Trigger, model: ServedModel): { readonly bytes: number; readonly windowUtf16: number } {
    const budget = budgetFor(trigger, model, familyOf(model));
    return { bytes: budget.contextBytes, windowUtf16: budget.prefixBytes };
  }

  render(trigger: Trigger, context: Context, model: ServedModel): Prompt {
    const family = familyOf(model);
    const budget = budgetFor(trigger, model, family);
    const segments =
      trigger.lane === "chat"
        ? [{ text: prefixWindow(trigger.prefix, budget.prefixBytes) }]
        : infill(trigger, context, model, family, budget);
    const { sampling } = trigger;
    const settings = [
      sampling.maxTokens,
      sampling.temperature,
      sampling.topP,
      sampling.topK,
      sampling.seed ?? "",
      sampling.stop.join("\u0000"),
    ];
    return {
      model: model.name,
      segments,
      bytes: Buffer.byteLength(renderedText(segments)),
      key: promptKey([trigger.tenant, model.name, trigger.shape, trigger.lane, settings.join("\u0001")], segments),
      blocks: blockDigests(segments, trigger.tenant),
      stop: [...sampling.stop, ...family.stop],
    };
  }
}

function infill(trigger: Trigger, context: Context, model: ServedModel, family: Family, budget: Budget): Segment[] {
  const { fim } = model;
  // Stable chunks lead, in an order of their own, so that a better-ranked newcomer does not move the ones before it.
  const ordered = [...context.snippets].sort(
    (a, b) => Number(b.stable) - Number(a.stable) || compare(a.path, b.path) || compare(a.text, b.text),
  );
  const around = ordered.map((snippet) => ({ text: `${family.header(snippet.path, model)}${snippet.text.trimEnd()}\n` }));
  const prefix = prefixWindow(trigger.prefix, budget.prefixBytes);
  const suffix = suffixWindow(trigger.suffix, budget.suffixBytes);
  const parts: Segment[] =
    family.order === "suffix_first"
      ? [{ special: fim.suffix }, { text: suffix }, { special: fim.prefix }, ...around, { text: prefix }]
      : [{ special: fim.prefix }, ...around, { text: prefix }, { special: fim.suffix }, { text: suffix }, { special: fim.middle }];
  return parts.filter((part) => "special" in part || part.text !== "");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
