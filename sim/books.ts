// books: every trigger asked, answer got, outcome told on the bus and generation ended in one world in; at its end, what
// does not add up out. Holds all of it: bounded by the run.
import type { OutcomeEvent } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import { type Outcome, outcomes } from "../router/completion.ts";
import type { Ended } from "./link-monitor.ts";
import type { Answer } from "./session-client.ts";

interface TriggerEntry {
  readonly tenant: string;
  readonly answers: Answer[];
  readonly told: (Outcome | "unspecified")[];
}

/** Texts and KV of one tenant's generations, under the salt that keeps them apart. */
interface SaltEntry {
  readonly texts: string[];
}

export class Books {
  readonly #triggers = new Map<string, TriggerEntry>();
  readonly #salts = new Map<string, SaltEntry>();
  readonly #violations: string[] = [];
  /** Completion tokens as workers reported them at the end of generations, and as outcomes booked them. */
  generatedTokens = 0;
  bookedTokens = 0;

  get triggers(): number {
    return this.#triggers.size;
  }

  asked(trigger: string, tenant: string): void {
    this.#triggers.set(trigger, { tenant, answers: [], told: [] });
  }

  answered(trigger: string, answer: Answer): void {
    this.#triggers.get(trigger)?.answers.push(answer);
  }

  told(event: OutcomeEvent): void {
    this.bookedTokens += event.cache?.completionTokens ?? 0;
    const entry = this.#triggers.get(event.triggerId);
    if (entry) entry.told.push(outcomes[event.outcome - 1] ?? "unspecified");
    else this.#violations.push(`outcome for ${event.triggerId}, which nobody asked`);
  }

  ended({ link, id, salt, text, usage }: Ended): void {
    const entry = this.#salts.get(salt) ?? { texts: [] };
    // KV of a salt that this world never saw before can only be another tenant's.
    if (!this.#salts.has(salt) && (usage?.cachedTokens ?? 0) > 0)
      this.#violations.push(`link ${link}: generation ${id} found ${usage?.cachedTokens} cached tokens under a salt of its own`);
    this.#salts.set(salt, entry);
    entry.texts.push(text);
    this.generatedTokens += usage?.completionTokens ?? 0;
  }

  /** Text of generations whose link broke: it may have been delivered. */
  lost(generations: readonly { readonly salt: string; readonly text: string }[]): void {
    for (const { salt, text } of generations) {
      const entry = this.#salts.get(salt) ?? { texts: [] };
      this.#salts.set(salt, entry);
      entry.texts.push(text);
    }
  }

  /** `tokensExact`: nothing was lost on a link, so that every token generated is booked, once. */
  close(options: { readonly tokensExact: boolean }): string[] {
    const found = [...this.#violations];
    for (const [id, entry] of this.#triggers) found.push(...this.#judge(id, entry));
    for (const tenant of new Set([...this.#triggers.values()].map((entry) => entry.tenant))) found.push(...this.#foreign(tenant));
    const { generatedTokens, bookedTokens } = this;
    if (options.tokensExact ? bookedTokens !== generatedTokens : bookedTokens > generatedTokens)
      found.push(`outcomes book ${bookedTokens} completion tokens, workers generated ${generatedTokens}`);
    return found;
  }

  #judge(id: string, { answers, told }: TriggerEntry): string[] {
    const answer = answers[0];
    if (answers.length !== 1 || !answer) return [`${id} has ${answers.length} answers`];
    const lost = answer.outcome === "lost";
    if (told.length > 1 || (told.length === 0 && !lost)) return [`${id} has ${told.length} outcomes (${told.join(", ")})`];
    if (!lost && told[0] !== answer.outcome) return [`${id} was answered ${answer.outcome} and booked ${told[0]}`];
    if (answer.outcome === "failed") return [`${id} failed: ${answer.detail}`];
    return [];
  }

  /** Every text a tenant was shown came out of generations under one salt, and that is no other tenant's. */
  #foreign(tenant: string): string[] {
    const shown = [...this.#triggers].filter(([, entry]) => entry.tenant === tenant && (entry.answers[0]?.text ?? "") !== "");
    if (shown.length === 0) return [];
    for (const { texts } of this.#salts.values()) {
      if (shown.every(([, { answers }]) => texts.some((text) => text.includes((answers[0] as Answer).text)))) return [];
    }
    return [`tenant ${tenant} was shown text that no single salt's generations hold`];
  }
}
