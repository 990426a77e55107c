// anticipation: completions delivered to one session in; for the one that is now shown, a speculative trigger as if it were
// accepted, run on idle workers only (gate). Its text waits in the type-through cache (reuse), where the trigger after the acceptance
// finds it. Holds the last delivered text of each document, `documentsMax` of them.
import { Lru } from "../lib/structures/lru.ts";
import { type Ending, Retired, type Trigger } from "./completion.ts";
import type { Router } from "./router.ts";

interface Delivered {
  readonly completionId: string;
  readonly trigger: Trigger;
  readonly text: string;
}

export class Anticipation {
  readonly #router: Pick<Router, "run" | "ingress" | "clock">;
  readonly #gone: AbortSignal;
  readonly #delivered: Lru<Delivered>;
  /** The speculative trigger of each document, while it runs. */
  readonly #running = new Map<string, Trigger>();

  /** `gone` aborts when the session is over. */
  constructor(options: { documentsMax: number }, deps: { router: Pick<Router, "run" | "ingress" | "clock">; gone: AbortSignal }) {
    this.#router = deps.router;
    this.#gone = deps.gone;
    this.#delivered = new Lru({ max: options.documentsMax });
  }

  delivered(trigger: Trigger, ending: Ending, text: string): void {
    if (trigger.lane !== "inline" || ending.completionId === undefined || text === "") return;
    // The person went another way: what was asked ahead is of no use.
    if (ending.outcome === "generated") this.#running.get(trigger.document)?.retire(new Retired("superseded"));
    this.#delivered.set(trigger.document, { completionId: ending.completionId, trigger, text }, this.#router.clock.now());
  }

  /** The person sees this completion now: what would they want next? */
  shown(completionId: string): void {
    for (const [document, { completionId: id, trigger, text }] of this.#delivered.entries()) {
      if (id !== completionId || this.#gone.aborted) continue;
      this.#delivered.delete(document);
      this.#running.get(document)?.retire(new Retired("superseded"));
      const next = this.#router.ingress.anticipate(trigger, text, this.#gone);
      this.#running.set(document, next);
      void this.#run(document, next);
      return;
    }
  }

  async #run(document: string, trigger: Trigger): Promise<void> {
    const path = this.#router.run(trigger, {});
    for (let step = await path.next(); !step.done; step = await path.next());
    if (this.#running.get(document) === trigger) this.#running.delete(document);
  }
}
