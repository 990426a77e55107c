// prompt: a Trigger, its Context and a model in, a rendered Prompt out: fill-in-the-middle in the family's form, laid out so
// that as much of it as can be is the same bytes as at the last key. Remembers each document's last prompts, within bounds:
// how they were laid out, and what was sent to whom, which says what the next one will cost.

import { verbatim } from "../../lib/fim/verbatim.ts";
import type { Context, Prompt, Segment, ServedModel, Snippet, Trigger, Usage, Work } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";
import { type Budget, budgetFor } from "./budget.ts";
import { digested, promptKey, type Rendered, renderedText } from "./digest.ts";
import { type Family, familyOf } from "./families.ts";
import { formed } from "./families-form.ts";
import { allRules, type LayoutRules, layOut, windowOf } from "./layout.ts";
import { BytesPerToken } from "./measured.ts";
import { LayoutMemory, type Sent } from "./memory.ts";
import type { Chunk } from "./parts.ts";
import type { Window } from "./window.ts";

export type { LayoutRules } from "./layout.ts";
export { allRules } from "./layout.ts";

export interface PromptOptions {
  /** Documents whose last prompts are remembered, and what all of that may take. */
  readonly documentsMax: number;
  readonly bytesMax: number;
  readonly rules: LayoutRules;
}

interface Deps {
  readonly metrics?: Pick<RouterMetrics, "prompt_expectations_total">;
}

type Cost = Pick<Usage, "promptTokens" | "recomputedTokens">;

/** A trigger's place in the window of its document, worked out once. */
interface Place {
  readonly trigger: Trigger;
  readonly model: ServedModel;
  readonly family: Family;
  readonly budget: Budget;
  readonly window: Window;
  /** Key of what is remembered. */
  readonly key: string;
}

const defaults: PromptOptions = { documentsMax: 20_000, bytesMax: 48 << 20, rules: allRules };
const modelsMax = 64;
/** Tokens of an engine's block, where it says none: closer than a block an expectation cannot be. */
const blockTokensUsual = 16;

export class PromptRoom {
  readonly #options: PromptOptions;
  readonly #metrics: Deps["metrics"];
  readonly #memory: LayoutMemory;
  readonly #bytesPerToken = new BytesPerToken({ modelsMax });
  readonly #rendered = new WeakMap<Prompt, Rendered & { readonly blockTokens: number }>();
  #place: Place | undefined;

  constructor(options: Partial<PromptOptions> = {}, deps: Deps = {}) {
    this.#options = { ...defaults, ...options };
    this.#metrics = deps.metrics;
    this.#memory = new LayoutMemory(this.#options);
  }

  /** Bytes for other code, and how much of the document the prompt will hold anyway, before the cursor and after it. */
  contextBudget(trigger: Trigger, model: ServedModel): ContextBudget {
    const { budget, window } = this.#at(trigger, model);
    const windowUtf16 = budget.contextBytes > 0 ? window.bytes.toString().length : budget.prefixBytes;
    return { bytes: budget.contextBytes, windowUtf16, suffixUtf16: budget.suffixBytes };
  }

  render(trigger: Trigger, context: Context, model: ServedModel): Prompt {
    const place = this.#at(trigger, model);
    const segments =
      trigger.lane === "chat" || trigger.verbatim
        ? verbatim(place.window.bytes.toString(), trigger.verbatim ? place.family.trusted : [])
        : this.#infill(place, context);
    // How deep to speculate changes no text.
    const { speculation: _, ...sampling } = trigger.sampling;
    const bytes = Buffer.from(renderedText(segments));
    const rendered = digested(bytes, trigger.tenant, this.#memory.nearest(place.key, bytes)?.rendered);
    const prompt: Prompt = {
      model: model.name,
      ...(model.pool === undefined ? {} : { pool: model.pool }),
      segments,
      bytes: bytes.length,
      key: promptKey([trigger.tenant, model.name, trigger.shape, trigger.lane, JSON.stringify(sampling)], segments),
      blocks: rendered.digests,
      stop: [...sampling.stop, ...place.family.stop],
    };
    this.#rendered.set(prompt, { ...rendered, blockTokens: Math.max(blockTokensUsual, model.blockTokens ?? 0) });
    return prompt;
  }

  /** It is on its way to this worker. What it cost, and whom, is told to what is returned once it is known; the first time counts. */
  send({ document }: Pick<Work, "document" | "lane">, prompt: Prompt, worker: string): (cost: Cost, of: string) => void {
    const rendered = this.#rendered.get(prompt);
    if (!rendered) return () => {};
    const place = keyOf(document, prompt.model);
    const common = this.#memory.nearest(place, rendered.bytes, worker)?.common ?? 0;
    const ratio = this.#memory.bytesPerToken(place) ?? this.#bytesPerToken.exact(prompt.model);
    // As far as the worker holds what it was sent; the last token is computed even of a prompt that is known whole.
    const expected = Math.max(1, Math.ceil((prompt.bytes - common) / ratio));
    const sent: Sent = { worker, rendered, promptTokens: 0 };
    this.#memory.sent(place, sent);
    return ({ promptTokens, recomputedTokens }, of) => {
      if (sent.promptTokens > 0 || promptTokens === 0 || of !== worker) return;
      sent.promptTokens = promptTokens;
      this.#bytesPerToken.add(prompt.model, prompt.bytes, promptTokens);
      const over = recomputedTokens - expected;
      const fit = Math.abs(over) <= rendered.blockTokens ? "within_a_block" : over > 0 ? "more" : "less";
      this.#metrics?.prompt_expectations_total.inc({ fit });
    };
  }

  #at(trigger: Trigger, model: ServedModel): Place {
    const known = this.#place;
    if (known?.trigger === trigger && known.model === model) return known;
    const key = keyOf(trigger.document, model.name);
    const family = familyOf(model);
    const steady = { ...model, bytesPerToken: this.#bytesPerToken.steady(model) };
    const budget = budgetFor(trigger, steady, family, this.#memory.last(key));
    const window = windowOf(trigger.text, budget, this.#options.rules);
    this.#place = { trigger, model, family, budget, window, key };
    return this.#place;
  }

  #infill({ trigger, family, budget, window, key }: Place, context: Context): Segment[] {
    const { rules } = this.#options;
    const before = this.#memory.last(key);
    const { cut, suffix, last } = layOut(
      {
        text: trigger.text,
        window,
        budget,
        prefixFirst: family.order === "prefix_first" && family.form.endsWithMiddle,
        nowMs: trigger.receivedMs,
      },
      before,
      rules,
    );
    // The next key stands on what was warmed for it. What is asked as if a text were accepted stands on what is remembered: the
    // person may not accept, and who does gets the same layout of the same text.
    if (trigger.lane === "inline" || trigger.kind === "preload" || !before) this.#memory.keep(key, last);
    return formed({ chunks: chunks(context.snippets, budget.contextBytes), ...cut, suffix }, trigger, family);
  }
}

/** What context may be gathered for a prompt. */
export interface ContextBudget {
  readonly bytes: number;
  readonly windowUtf16: number;
  readonly suffixUtf16: number;
}

/** Names of models hold no line feed. */
const keyOf = (document: string, model: string) => `${model}\n${document}`;

/** What stands between two files of any family, without the path. */
const headerBytes = 24;

/** As many as fit with their headers, in the order given. */
function chunks(snippets: readonly Snippet[], bytesMax: number): Chunk[] {
  let left = bytesMax;
  return snippets.flatMap((snippet) => {
    const text = snippet.text.trimEnd();
    const size = Buffer.byteLength(text) + Buffer.byteLength(snippet.path) + headerBytes;
    if (size > left) return [];
    left -= size;
    return [{ path: snippet.path, text }];
  });
}
