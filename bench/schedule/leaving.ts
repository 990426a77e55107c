// leaving: what becomes of sessions' KV while every worker of a fleet is replaced in turn: what each prompt cost where, as workers
// counted it, in; of prompts of sessions that had to go elsewhere, and of all others, the share that was there already out.
import type { Clock } from "../../lib/clock.ts";
import { quantile } from "../../lib/structures/quantiles.ts";
import type { Rooms } from "../../router/path.ts";

interface Seen {
  readonly worker: string;
  readonly atMs: number;
}

/** Where a prompt that had to go elsewhere went: where its session was warmed, somewhere else although it was, or it never was. */
type Went = "warmed" | "elsewhere" | "not_warmed";
interface Tokens {
  prompts: number;
  prompt: number;
  computed: number;
}
const ways: readonly Went[] = ["warmed", "elsewhere", "not_warmed"];

/** A worker that a document's prompt came from longer ago than this is not why it is cold. */
const movedWithinMs = 15_000;

export class Moves {
  /** By document, where its last prompt was computed. */
  readonly #last = new Map<string, Seen>();
  readonly #left = new Map<string, number>();
  /** By document, where its last prompt was computed ahead. */
  readonly #warm = new Map<string, Seen>();
  readonly #went = new Map(ways.map((way): [Went, Tokens] => [way, { prompts: 0, prompt: 0, computed: 0 }]));
  readonly #shares = { stayed: [] as number[], moved: [] as number[] };
  readonly #tokens = { stayed: { prompt: 0, computed: 0 }, moved: { prompt: 0, computed: 0 } };
  #counts = false;

  /** In place, before the first trigger. */
  watch({ prompt, fleet, clock }: Pick<Rooms, "prompt" | "fleet" | "clock">): void {
    const warmed = fleet.warmed.bind(fleet);
    fleet.warmed = (worker, recent, lease) => {
      this.#warm.set(recent.document, { worker, atMs: clock.now() });
      warmed(worker, recent, lease);
    };
    const send = prompt.send.bind(prompt);
    prompt.send = (work, rendered, worker) => {
      const cost = send(work, rendered, worker);
      let told = false;
      return (usage, of) => {
        cost(usage, of);
        if (told || usage.promptTokens === 0 || work.lane !== "inline") return;
        told = true;
        this.#note(work.document, of, usage, clock);
      };
    };
  }

  begin(): void {
    this.#counts = true;
  }

  /** It will take nothing more. */
  leaves(worker: string, now: number): void {
    this.#left.set(worker, now);
  }

  get figures() {
    const of = (kind: "stayed" | "moved") => {
      const { prompt, computed } = this.#tokens[kind];
      return {
        prompts: this.#shares[kind].length,
        reused_share: round(prompt === 0 ? Number.NaN : 1 - computed / prompt),
        reused_share_p10: round(quantile(this.#shares[kind], 0.1)),
        computed_tokens_mean: round(computed / Math.max(1, this.#shares[kind].length), 1),
      };
    };
    const [stayed, moved] = [of("stayed"), of("moved")];
    const went = Object.fromEntries(
      [...this.#went].map(([way, { prompts, prompt, computed }]) => [
        way,
        { prompts, reused_share: round(prompt === 0 ? Number.NaN : 1 - computed / prompt) },
      ]),
    );
    return { stayed, moved, went, kept_share: round((moved.reused_share ?? Number.NaN) / (stayed.reused_share ?? Number.NaN)) };
  }

  #note(document: string, worker: string, usage: { promptTokens: number; recomputedTokens: number }, clock: Clock): void {
    const now = clock.now();
    const before = this.#last.get(document);
    this.#last.set(document, { worker, atMs: now });
    // The first prompt of a document is cold wherever it goes.
    if (!before || !this.#counts || now - before.atMs > movedWithinMs) return;
    const hadTo = before.worker !== worker && now - (this.#left.get(before.worker) ?? Number.NEGATIVE_INFINITY) <= movedWithinMs;
    if (before.worker !== worker && !hadTo) return;
    const kind = hadTo ? "moved" : "stayed";
    this.#shares[kind].push(1 - usage.recomputedTokens / usage.promptTokens);
    this.#tokens[kind].prompt += usage.promptTokens;
    this.#tokens[kind].computed += usage.recomputedTokens;
    if (kind === "stayed") return;
    const warm = this.#warm.get(document);
    const isLately = warm !== undefined && now - warm.atMs <= movedWithinMs;
    const way = this.#went.get(!isLately ? "not_warmed" : warm.worker === worker ? "warmed" : "elsewhere");
    if (!way) return;
    way.prompts += 1;
    way.prompt += usage.promptTokens;
    way.computed += usage.recomputedTokens;
  }
}

const round = (value: number, digits = 3) => (Number.isFinite(value) ? Math.round(value * 10 ** digits) / 10 ** digits : null);
