// away: workers whose link broke in, what they served out until they are back or are not waited for any more: a trigger that
// comes while a link is made anew waits for it instead of failing. Bounded by the number of links.
import type { ServedModel } from "../completion.ts";

/** What it keeps of one. */
export interface Absent {
  readonly name: string;
  /** It said that it would go: nobody looks for a session there. */
  readonly drained: boolean;
  readonly pool: string;
  readonly revision?: string;
  readonly models: readonly Omit<ServedModel, "prefillTokensPerSecond">[];
}

export class Away {
  readonly #away = new Map<string, Absent>();

  left(address: string, profile: Absent): void {
    this.#away.set(address, profile);
  }

  /** Back, or given up. */
  forget(address: string): boolean {
    return this.#away.delete(address);
  }

  /** Who went without a word: others may still reach it. */
  get lost(): readonly Absent[] {
    return [...this.#away.values()].filter(({ drained }) => !drained);
  }

  /** Of its pool's template; undefined: it is not here, or did not say. */
  revision(worker: string): string | undefined {
    return [...this.#away.values()].find(({ name }) => name === worker)?.revision;
  }

  model(name: string): ServedModel | undefined {
    for (const { pool, models } of this.#away.values())
      for (const model of models)
        if (name === "" || name === model.name || name === pool)
          return { ...model, ...(name === "" || name !== pool ? {} : { pool }), prefillTokensPerSecond: 0 };
    return undefined;
  }
}
