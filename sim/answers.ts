// answers: what a client asked for in, one Answer a trigger out, from what the router says of it. What a router must never do (a
// second answer, text after it, parts that do not make the whole) is written to `violations`, at most 100.
import type { Clock } from "../lib/clock.ts";
import type { CacheUse, Completion, Nothing } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { noUsage, type Usage } from "../router/completion.ts";
import { type Answer, outcomeOf, reasonOf } from "./session-client.ts";

interface Pending {
  readonly askedMs: number;
  readonly answered: (answer: Answer) => void;
  firstTextMs?: number;
  parts: string;
}

export class Answers {
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  readonly violations: string[] = [];

  constructor(deps: { readonly clock: Clock }) {
    this.#clock = deps.clock;
  }

  get pending(): number {
    return this.#pending.size;
  }

  has(id: string): boolean {
    return this.#pending.has(id);
  }

  expect(id: string): Promise<Answer> {
    const askedMs = this.#clock.now();
    return new Promise<Answer>((answered) => {
      this.#pending.set(id, { askedMs, answered, parts: "" });
    });
  }

  /** It was never sent, or its connection broke. */
  refuse(id: string, detail = ""): void {
    this.#answer(id, { ...lost, detail });
  }

  part(id: string, text: string): void {
    const pending = this.#pending.get(id);
    if (!pending) {
      this.violate(`text for ${id}, which has its answer or was never asked`);
      return;
    }
    pending.firstTextMs ??= this.#clock.now() - pending.askedMs;
    pending.parts += text;
  }

  complete(completion: Completion): void {
    const text = completion.items[0]?.insertText ?? "";
    const pending = this.#pending.get(completion.triggerId);
    if (pending && text !== "") pending.firstTextMs ??= this.#clock.now() - pending.askedMs;
    if (pending && pending.parts !== "" && pending.parts !== text)
      this.violate(`parts of ${completion.triggerId} do not make its text`);
    if (text === "") this.violate(`completion without text for ${completion.triggerId}`);
    this.#answer(completion.triggerId, {
      ...lost,
      outcome: outcomeOf(completion.outcome) ?? "failed",
      text,
      completion: completion.completionId,
      ...(completion.timing && { routerMs: completion.timing.totalMs }),
      usage: usageOf(completion.cache),
      worker: completion.cache?.worker ?? "",
    });
  }

  nothing(nothing: Nothing): void {
    const reason = reasonOf(nothing.reason);
    if (!reason) this.violate(`nothing without a reason for ${nothing.triggerId}`);
    this.#answer(nothing.triggerId, {
      ...lost,
      outcome: outcomeOf(nothing.outcome) ?? "failed",
      ...(reason && { reason }),
      detail: nothing.detail,
      ...(nothing.timing && { routerMs: nothing.timing.totalMs }),
      usage: usageOf(nothing.cache),
    });
  }

  #answer(id: string, answer: Omit<Answer, "totalMs" | "firstTextMs">): void {
    const pending = this.#pending.get(id);
    if (!pending) {
      this.violate(`an answer for ${id}, which has its answer or was never asked`);
      return;
    }
    this.#pending.delete(id);
    pending.answered({
      ...answer,
      ...(pending.firstTextMs !== undefined && { firstTextMs: pending.firstTextMs }),
      totalMs: this.#clock.now() - pending.askedMs,
    });
  }

  /** The connection is gone, and what was asked on it. */
  lose(): void {
    for (const id of [...this.#pending.keys()]) this.refuse(id);
  }

  violate(what: string): void {
    if (this.violations.length < 100) this.violations.push(what);
  }
}

const lost = { outcome: "lost", text: "", completion: "", usage: noUsage, worker: "", detail: "" } as const;

function usageOf(cache: CacheUse | undefined): Usage {
  if (!cache) return noUsage;
  const { promptTokens, cachedTokens, recomputedTokens, completionTokens, drafted, draftAccepted } = cache;
  return { promptTokens, cachedTokens, recomputedTokens, completionTokens, drafted, draftAccepted };
}
