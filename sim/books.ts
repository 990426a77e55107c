// books: every trigger asked, answer got, outcome told on the bus and generation ended in one world in; at its end, what
// does not add up out. Holds all of it: bounded by the run.
import { TriggerKind } from "../proto/gen/slipstream/v1/completion_pb.ts";
import type { OutcomeEvent } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import { Lane } from "../proto/gen/slipstream/v1/worker_pb.ts";
import type { Outcome } from "../router/completion.ts";
import { FirstOfSalt } from "./first-of-salt.ts";
import type { Ended, Lost } from "./link-monitor.ts";
import { type Answer, outcomeOf } from "./session-client.ts";
import { Texts } from "./texts.ts";

/** What a trigger was owed when its answer came. */
export interface Owed {
  /** Left of its deadline. */
  readonly leftMs: number;
  /** A worker that had been well for a while, on a link that had. */
  readonly worker: string | undefined;
}

interface TriggerEntry {
  readonly tenant: string;
  readonly answers: (Answer & { readonly owed: Owed | undefined })[];
  readonly told: (Outcome | "unspecified")[];
  /** Whose answer is on its way, whether or not anybody has read it. */
  leftFrom?: string;
  /** That router died between its answer and the batch that would have told it. */
  untold?: boolean;
}

/** What editors and chats of a world ask for: whoever books more, books something twice. */
export const tokensMax = { inline: 24, chat: 48 } as const;

export class Books {
  readonly #triggers = new Map<string, TriggerEntry>();
  readonly #saltOf: (tenant: string) => string;
  readonly #maxTokens: Readonly<Record<"inline" | "chat", number>>;
  /** Texts generated under each salt. */
  readonly #texts = new Texts();
  readonly #firsts = new FirstOfSalt();
  readonly #violations: string[] = [];
  readonly #ahead = new Set<string>();
  /** Completion tokens as workers reported them at the end of generations, and as outcomes booked them. */
  generatedTokens = 0;
  bookedTokens = 0;
  /** Of each cancelled generation, from its Cancel's arrival at the worker to its end. */
  readonly abortMs: number[] = [];
  /** Of generations whose link broke, as far as their text was sent. */
  lostTokens = 0;

  /** `saltOf`: the salt that keeps a tenant's KV apart. */
  constructor(options: { readonly saltOf: (tenant: string) => string; readonly maxTokens?: number }) {
    this.#saltOf = options.saltOf;
    this.#maxTokens = { ...tokensMax, inline: options.maxTokens ?? tokensMax.inline };
  }

  asked(trigger: string, tenant: string): void {
    this.#triggers.set(trigger, { tenant, answers: [], told: [] });
  }

  answered(trigger: string, answer: Answer, owed?: Owed): void {
    this.#triggers.get(trigger)?.answers.push({ ...answer, owed });
  }

  /** An answer leaves its router; an editor that does not read takes it later, perhaps after that router's death. */
  left(trigger: string, router: string): void {
    const entry = this.#triggers.get(trigger);
    if (entry) entry.leftFrom = router;
  }

  /** A router's process was killed, with the outcomes that it had not sent. */
  routerDied(router: string): void {
    for (const entry of this.#triggers.values()) if (entry.leftFrom === router && entry.told.length === 0) entry.untold = true;
  }

  told(event: OutcomeEvent): void {
    const tokens = event.cache?.completionTokens ?? 0;
    this.bookedTokens += tokens;
    const most = this.#maxTokens[event.lane === Lane.CHAT ? "chat" : "inline"];
    if (tokens > most) this.#violations.push(`${event.triggerId} books ${tokens} completion tokens, of at most ${most}`);
    const entry = this.#triggers.get(event.triggerId);
    if (entry) entry.told.push(outcomeOf(event.outcome) ?? "unspecified");
    else if (event.kind === TriggerKind.SPECULATIVE) this.#toldAhead(event.triggerId);
    else this.#violations.push(`outcome for ${event.triggerId}, which nobody asked`);
  }

  /** What a router asks by itself, ahead of the person, has one outcome too. */
  #toldAhead(trigger: string): void {
    if (this.#ahead.has(trigger)) this.#violations.push(`${trigger}, asked ahead, has two outcomes`);
    this.#ahead.add(trigger);
  }

  /** Something that has no end of its own may compute KV at the worker under this salt from then on. */
  began(worker: string, salt: string, sinceMs: number): void {
    this.#firsts.began(worker, salt, sinceMs);
  }

  ended({ link, worker, id, salt, text, promptEnd, beganMs, usage, abortMs }: Ended): void {
    if (abortMs !== undefined) this.abortMs.push(abortMs);
    const { cachedTokens = 0 } = usage ?? {};
    const found = `link ${link}: generation ${id} found ${cachedTokens} cached tokens, the first of its salt`;
    if (beganMs !== undefined) this.#firsts.began(worker, salt, beganMs, cachedTokens > 0 ? found : undefined);
    this.#texts.wrote(salt, { text, promptEnd });
    this.generatedTokens += usage?.completionTokens ?? 0;
  }

  /** Generations whose link broke: their text may have been delivered. */
  lost(generations: readonly Lost[]): void {
    for (const { salt, tokens, ...written } of generations) {
      this.#texts.wrote(salt, written);
      this.lostTokens += tokens;
    }
  }

  /** `mayFail`: something was broken that a trigger may fail by. */
  close(options: { readonly mayFail: boolean }): string[] {
    const found = [...this.#violations, ...this.#firsts.foreign()];
    for (const [id, entry] of this.#triggers) found.push(...this.#judge(id, entry, options.mayFail), ...this.#foreign(id, entry));
    if (this.bookedTokens > this.generatedTokens + this.lostTokens)
      found.push(`outcomes book ${this.bookedTokens} completion tokens, workers generated ${this.generatedTokens}`);
    return found;
  }

  #judge(id: string, { answers, told, untold = false }: TriggerEntry, mayFail: boolean): string[] {
    const answer = answers[0];
    if (answers.length !== 1 || !answer) return [`${id} has ${answers.length} answers`];
    const lost = answer.outcome === "lost";
    if (told.length > 1 || (told.length === 0 && !lost && !untold))
      return [`${id} has ${told.length} outcomes (${told.join(", ")})`];
    if (!lost && told.length > 0 && told[0] !== answer.outcome)
      return [`${id} was answered ${answer.outcome} and booked ${told[0]}`];
    const { owed } = answer;
    if (answer.outcome === "failed" && owed?.worker !== undefined && owed.leftMs > 0)
      return [`${id} failed with ${owed.leftMs.toFixed(0)} ms left, though ${owed.worker} lived: ${answer.detail}`];
    if (
      answer.outcome === "failed" &&
      !(mayFail && /^(no_worker|worker_lost|engine_failed|draining|overloaded):/.test(answer.detail))
    )
      return [`${id} failed: ${answer.detail}`];
    return [];
  }

  /** A text that was shown came out of a generation under the salt of its own tenant. */
  #foreign(id: string, { tenant, answers }: TriggerEntry): string[] {
    const text = answers[0]?.text ?? "";
    return this.#texts.generated(this.#saltOf(tenant), text)
      ? []
      : [`${id} of ${tenant} was shown text that was not generated for it`];
  }
}
