// prompt: a Trigger, its Context and a model in, a rendered Prompt out: fill-in-the-middle in the family's form, laid out so
// that the prefix stays the same bytes from key to key: stable context → suffix → prefix where the family allows it.
import type { Context, Prompt, Segment, ServedModel, Trigger } from "../completion.ts";
import { type Budget, budgetFor } from "./budget.ts";
import { cutWindow, stepFor } from "./cuts.ts";
import { blockDigests, promptKey, renderedText } from "./digest.ts";
import { type Family, familyOf } from "./families.ts";
import { formed } from "./families-form.ts";
import type { Chunk } from "./parts.ts";
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
        ? [{ text: prefixWindow(trigger.text, budget.prefixBytes).bytes.toString() }]
        : infill(trigger, context, family, budget);
    // How deep to speculate changes no text.
    const { speculation: _, ...sampling } = trigger.sampling;
    return {
      model: model.name,
      segments,
      bytes: Buffer.byteLength(renderedText(segments)),
      key: promptKey([trigger.tenant, model.name, trigger.shape, trigger.lane, JSON.stringify(sampling)], segments),
      blocks: blockDigests(segments, trigger.tenant),
      stop: [...sampling.stop, ...family.stop],
    };
  }
}

function infill(trigger: Trigger, context: Context, family: Family, budget: Budget): Segment[] {
  const { head, tail } = cutWindow(prefixWindow(trigger.text, budget.prefixBytes), stepFor(budget.prefixBytes));
  const suffix = suffixWindow(trigger.text, budget.suffixBytes);
  return formed({ chunks: chunks(context, budget.contextBytes), head, tail, suffix }, trigger, family);
}

/** What stands between two files of any family, without the path. */
const headerBytes = 24;

/** The best chunks that fit with their headers. */
function chunks(context: Context, bytesMax: number): Chunk[] {
  let left = bytesMax;
  const chosen = context.snippets.flatMap((snippet) => {
    const text = snippet.text.trimEnd();
    const size = Buffer.byteLength(text) + Buffer.byteLength(snippet.path) + headerBytes;
    if (size > left) return [];
    left -= size;
    return [{ ...snippet, text }];
  });
  // Stable chunks lead, in an order of their own, so that a better-ranked newcomer does not move the ones before it.
  return chosen.sort((a, b) => Number(b.stable) - Number(a.stable) || compare(a.path, b.path) || compare(a.text, b.text));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
