// context: a Trigger and a budget in, chunks of other code out, best first, without doubles and within the budget. Client
// snippets come before same-document chunks that lie outside the prompt's window. A family that was not trained with
// context has a budget of 0 and costs nothing here.
import type { Context, Snippet, Trigger } from "../completion.ts";
import { SameDocument } from "./same-document.ts";

export interface ContextOptions {
  /** Chunks in one prompt; more dilute it. */
  readonly chunksMax: number;
  /** Characters of the document looked at for chunks: bounds the time spent. */
  readonly scanUtf16Max: number;
  /** What is kept of documents that were read, in all. */
  readonly scansBytes: number;
}

export class ContextRoom {
  readonly #options: ContextOptions;
  readonly #document: SameDocument;

  constructor(options: ContextOptions) {
    this.#options = options;
    this.#document = new SameDocument({ bytesMax: options.scansBytes, documentsMax: 10_000 });
  }

  /** `windowUtf16`: how much of the text before the cursor the prompt will hold anyway. */
  gather(trigger: Trigger, budget: { readonly bytes: number; readonly windowUtf16: number }): Context {
    if (budget.bytes <= 0) return { snippets: [] };
    const near = trigger.text.before(budget.windowUtf16) + trigger.text.after(1_024);
    const given = [...trigger.snippets].sort((a, b) => b.score - a.score);
    const found = this.#document.find(trigger, { windowUtf16: budget.windowUtf16, scanUtf16Max: this.#options.scanUtf16Max });
    const chosen: Snippet[] = [];
    let left = budget.bytes;
    for (const snippet of [...given, ...found]) {
      const size = Buffer.byteLength(snippet.text);
      if (chosen.length >= this.#options.chunksMax) break;
      if (size > left || near.includes(snippet.text.trim()) || chosen.some((other) => other.text === snippet.text)) continue;
      chosen.push(snippet);
      left -= size;
    }
    return { snippets: chosen };
  }
}
